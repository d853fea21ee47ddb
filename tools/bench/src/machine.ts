import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';

/** What a reader must know to compare numbers with those of another machine. */
export interface Machine {
  readonly kernel: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly node: string;
  /** Of the last minute, before the first measurement. */
  readonly loadBefore: number;
  /** Commit of the sources; with "+" when files differ from it. */
  readonly commit: string;
}

function git(...args: string[]): string {
  try {
    return execFileSync('git', args, { stdio: ['ignore', 'pipe', 'ignore'] }).toString().trim();
  } catch {
    return 'unknown';
  }
}

export function describeMachine(): Machine {
  const isChanged = git('status', '--porcelain', '--untracked-files=no') !== '';
  return {
    kernel: release(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    loadBefore: loadavg()[0] ?? 0,
    commit: git('rev-parse', '--short', 'HEAD') + (isChanged ? '+' : ''),
  };
}

export function machineText(machine: Machine): string {
  const { kernel, cpu, cores, memoryGib, node, loadBefore, commit } = machine;
  return `Linux ${kernel}, ${cores} cores (${cpu}), ${memoryGib} GiB, Node ${node}, load before ${loadBefore.toFixed(2)}, commit ${commit}`;
}
