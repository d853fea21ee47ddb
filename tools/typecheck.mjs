// Type-checks the workspace with the native compiler and reports the errors below one folder, so
// that a project's result does not depend on its neighbours' unfinished work.
import { spawnSync } from 'node:child_process';

const dir = process.argv[2] ?? '';
const tsc = spawnSync(process.execPath, ['node_modules/ts7/bin/tsc', '-p', 'tsconfig.json', '--noEmit', '--pretty', 'false'], { encoding: 'utf8' });
const lines = tsc.stdout.split('\n');
const own = lines.filter((line) => line.startsWith(dir) || (dir === '' && line.trim() !== ''));
if (tsc.status !== 0 && lines.every((line) => !/^[^\s(]+\(\d/.test(line))) {
  console.error(tsc.stdout + tsc.stderr);
  process.exit(1);
}
if (own.length > 0) {
  console.error(own.join('\n'));
  process.exit(1);
}
