import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import * as path from 'node:path';
import { SandboxFailure } from './failure';
import { say } from './progress';

/**
 * Runs `work` while no other process on this machine holds the same lock file. The kernel releases
 * the lock when this process ends, however it ends: a helper holds it and lives as long as the pipe
 * from here.
 */
export async function withLock<T>(
  file: string,
  purpose: string,
  work: () => Promise<T>,
): Promise<T> {
  await mkdir(path.dirname(file), { recursive: true });
  const helper = spawn('flock', [file, 'sh', '-c', 'echo locked; exec cat >/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // A Ctrl-C must not take the helper away while this process still finishes a step.
    detached: true,
  });
  const patience = setTimeout(() => {
    say(`waiting for another process: ${purpose}`);
  }, 1000);
  try {
    await new Promise<void>((resolve, reject) => {
      helper.stdout.once('data', () => {
        resolve();
      });
      helper.once('error', reject);
      helper.once('exit', () => {
        reject(new SandboxFailure(`${file}: cannot be locked`));
      });
    });
    clearTimeout(patience);
    return await work();
  } finally {
    clearTimeout(patience);
    helper.stdin.end();
  }
}
