import { spawnSync } from 'node:child_process';

/** Runs a command inside a network namespace. */
export function runInNetns(
  netns: string,
  ...command: string[]
): { status: number | null; output: string } {
  const result = spawnSync('nsenter', [`--net=${netns}`, ...command]);
  return { status: result.status, output: result.stdout.toString() + result.stderr.toString() };
}

/** One echo request; with `size` bytes of payload. True when it was answered. */
export function ping(netns: string, address: string, size = 56): boolean {
  return runInNetns(netns, 'ping', '-c', '1', '-W', '2', '-s', `${size}`, address).status === 0;
}
