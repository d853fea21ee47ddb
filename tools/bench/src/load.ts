/** Runs the load generator (load/netload.c) inside network namespaces. */
import type { ChildProcess } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

export type TrafficTest = 'stream' | 'rr' | 'crr' | 'udp';
export const trafficTests: readonly TrafficTest[] = ['stream', 'rr', 'crr', 'udp'];

/** The server's first port; the two after it belong to it as well. */
export const loadPort = 5000;
export const loadPorts: readonly number[] = [loadPort, loadPort + 1, loadPort + 2];

/** Different cores, so that neither takes time from the other. */
const serverCpu = 0;
const clientCpu = 1;

export interface LoadResult {
  readonly seconds: number;
  readonly bytes: number;
  readonly operations: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly errors: number;
}

const fields = ['seconds', 'bytes', 'operations', 'p50Us', 'p99Us', 'errors'] as const;

/** @throws Error when the text is not what netload prints. */
export function parseLoadResult(text: string): LoadResult {
  const value: unknown = JSON.parse(text);
  const result: Record<string, number> = {};
  for (const field of fields) {
    const number: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, field) : undefined;
    if (typeof number !== 'number') throw new Error(`netload: "${text.trim()}" has no number ${field}`);
    result[field] = number;
  }
  return result as Record<(typeof fields)[number], number>;
}

/** What counts in a test: Gbit/s of a stream, else operations a second. */
export function valueOf(test: TrafficTest, result: LoadResult): number {
  return test === 'stream' ? (result.bytes * 8) / result.seconds / 1e9 : result.operations / result.seconds;
}

/** Where a client runs and whom it calls. */
export interface Target {
  /** Path of the client's network namespace. */
  readonly clientNetns: string;
  readonly address: string;
}

export class LoadGenerator {
  readonly #servers: ChildProcess[] = [];

  constructor(private readonly program: string) {}

  /** Serves until `stop`. */
  async serve(netns: string): Promise<void> {
    const child = spawn('nsenter', [`--net=${netns}`, this.program, String(serverCpu), 'serve', String(loadPort)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#servers.push(child);
    const exited = once(child, 'exit').then(([code]) => {
      throw new Error(`netload: the server in ${netns} ended with ${String(code)}`);
    });
    await Promise.race([once(child.stdout, 'data'), exited]);
    exited.catch(() => undefined);
  }

  async run(test: TrafficTest, target: Target, milliseconds: number): Promise<LoadResult> {
    const args = [String(clientCpu), test, target.address, String(loadPort), String(milliseconds)];
    const { stdout } = await promisify(execFile)('nsenter', [`--net=${target.clientNetns}`, this.program, ...args], {
      timeout: milliseconds + 10_000,
    });
    return parseLoadResult(stdout);
  }

  stop(): void {
    this.#servers.forEach((child) => child.kill('SIGKILL'));
  }
}
