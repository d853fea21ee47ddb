import { execFile, spawn } from 'node:child_process';
import { SandboxFailure } from './failure';

export interface RunOptions {
  readonly input?: string;
  readonly cwd?: string;
  readonly environment?: NodeJS.ProcessEnv;
  /** Milliseconds; 0 (default) waits for ever. */
  readonly timeoutMs?: number;
  /** Shows the program's error output while it runs: it reports progress there. */
  readonly showErrors?: boolean;
}

const outputMax = 64 * 1024 * 1024;

/**
 * Runs a program to its end.
 *
 * @returns what it wrote to standard output.
 * @throws SandboxFailure that carries the command and the end of its error output.
 */
export function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      [...args],
      {
        cwd: options.cwd,
        env: options.environment ?? process.env,
        timeout: options.timeoutMs ?? 0,
        maxBuffer: outputMax,
        encoding: 'utf8',
      },
      (error, stdout, stderr) => {
        if (error === null) {
          resolve(stdout);
          return;
        }
        const said = (stderr.trim() || stdout.trim() || error.message).slice(-4000);
        const command = [program, ...args].join(' ').slice(0, 300);
        reject(new SandboxFailure(`${command}\n${said}`, 1, { cause: error }));
      },
    );
    if (options.showErrors === true) child.stderr?.pipe(process.stderr);
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input ?? '');
  });
}

/** Like {@link run}, for commands whose failure is an answer. */
export async function succeeds(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<boolean> {
  try {
    await run(program, args, options);
    return true;
  } catch {
    return false;
  }
}

/**
 * Gives the terminal to a program: input, output, errors and signals pass through.
 *
 * @returns its exit status; 128 + signal number when a signal ended it.
 */
export function passThrough(
  program: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { stdio: 'inherit', env: environment });
    const signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    const forward = (signal: NodeJS.Signals): void => {
      child.kill(signal);
    };
    for (const signal of signals) process.on(signal, forward);
    child.on('error', (error) => {
      reject(new SandboxFailure(`${program}: ${error.message}`, 127, { cause: error }));
    });
    child.on('close', (status, signal) => {
      for (const name of signals) process.off(name, forward);
      resolve(status ?? 128 + (signal === null ? 0 : signalNumber(signal)));
    });
  });
}

function signalNumber(signal: NodeJS.Signals): number {
  const numbers: Partial<Record<NodeJS.Signals, number>> = {
    SIGHUP: 1,
    SIGINT: 2,
    SIGKILL: 9,
    SIGTERM: 15,
  };
  return numbers[signal] ?? 0;
}
