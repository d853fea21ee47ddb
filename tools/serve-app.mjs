// Runs one service alone, against a real Redis and fakes of its neighbours: apps/<app>/dev/serve.ts.
import { spawn } from 'node:child_process';
import { build } from 'esbuild';

const app = process.argv[2];
if (!app) throw new Error('usage: node tools/serve-app.mjs APP');
const outfile = `dist/serve/${app}.js`;
await build({
  entryPoints: [`apps/${app}/dev/serve.ts`],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node20',
  packages: 'external',
  logLevel: 'warning',
  tsconfig: 'tsconfig.base.json',
  alias: {},
  plugins: [
    {
      name: 'own-libraries',
      setup(b) {
        b.onResolve({ filter: /^@contrail\// }, (args) => {
          const gen = /^@contrail\/proto-gen\/(.*)$/.exec(args.path);
          const file = gen ? `libs/proto-gen/src/contrail/${gen[1]}.ts` : `libs/${args.path.slice(10)}/src/index.ts`;
          return { path: new URL(`../${file}`, import.meta.url).pathname };
        });
      },
    },
  ],
});
const child = spawn(process.execPath, [outfile], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => process.exit(code ?? 1));
