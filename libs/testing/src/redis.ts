import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface TestRedis {
  /** `unix:///tmp/…/redis.sock`, for REDIS_URL. */
  readonly url: string;
  readonly socketPath: string;
  /** Working directory: append-only file and dumps. */
  readonly directory: string;
  readonly pid: number;
  /** Kills the server (SIGKILL, as a crash does) and starts it again on the same files. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface TestRedisOptions {
  /** Further redis-server arguments, e.g. `['--requirepass', 'x']`. Default: nothing is written to disk. */
  readonly args?: readonly string[];
}

const startTimeoutMs = 10_000;

/**
 * A real redis-server (Debian package redis-server) of its own on a unix socket in a temporary directory.
 * @throws Error naming the package when there is no redis-server.
 */
export async function startRedis(options: TestRedisOptions = {}): Promise<TestRedis> {
  const directory = mkdtempSync(path.join(tmpdir(), 'redis-'));
  const socketPath = path.join(directory, 'redis.sock');
  const args = [
    ...['--port', '0', '--dir', directory, '--unixsocket', socketPath],
    ...['--save', '', '--appendonly', 'no', '--daemonize', 'no'],
    ...(options.args ?? []),
  ];
  let server = await launch(args, socketPath);
  return {
    url: `unix://${socketPath}`,
    socketPath,
    directory,
    get pid() {
      return server.pid ?? 0;
    },
    restart: async () => {
      await kill(server, 'SIGKILL');
      server = await launch(args, socketPath);
    },
    stop: async () => {
      await kill(server, 'SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function launch(args: readonly string[], socketPath: string): Promise<ChildProcess> {
  rmSync(socketPath, { force: true });
  const server = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const collect = (chunk: Buffer): void => {
    output = (output + chunk.toString('utf8')).slice(-4000);
  };
  server.stdout.on('data', collect);
  server.stderr.on('data', collect);
  let failure: Error | undefined;
  server.once('error', (error) => {
    failure = new Error('redis-server does not start; apt-get install redis-server', {
      cause: error,
    });
  });
  const deadline = Date.now() + startTimeoutMs;
  while (!(await answers(socketPath))) {
    if (failure !== undefined) throw failure;
    if (server.exitCode !== null)
      throw new Error(`redis-server ended with ${server.exitCode}: ${output}`);
    if (Date.now() > deadline) {
      await kill(server, 'SIGKILL');
      throw new Error(`redis-server did not answer within ${startTimeoutMs} ms: ${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return server;
}

function answers(socketPath: string): Promise<boolean> {
  if (!existsSync(socketPath)) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function kill(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null || server.pid === undefined) return;
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  server.kill(signal);
  await ended;
}
