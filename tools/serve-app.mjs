// Runs one service alone, against a real Redis and fakes of its neighbours: apps/<app>/dev/serve.ts.
import { spawn } from 'node:child_process';
import { bundle } from './bundle.mjs';

const app = process.argv[2];
if (!app) throw new Error('usage: node tools/serve-app.mjs APP');
const outfile = `dist/serve/${app}.js`;
await bundle(`apps/${app}/dev/serve.ts`, outfile);
const child = spawn(process.execPath, [outfile], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => process.exit(code ?? 1));
