import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
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

/** Time of all processors since the machine began, in ticks. */
export interface ProcessorTime {
  readonly all: number;
  /** Wanted here, but the hypervisor gave it to others. */
  readonly stolen: number;
}

/** @param stat text of /proc/stat (proc(5)). */
export function toProcessorTime(stat: string): ProcessorTime {
  // user nice system idle iowait irq softirq steal; guests are part of user.
  const ticks = (stat.split('\n')[0] ?? '').trim().split(/\s+/).slice(1, 9).map(Number);
  return { all: ticks.reduce((sum, each) => sum + each, 0), stolen: ticks[7] ?? 0 };
}

export function readProcessorTime(): ProcessorTime {
  return toProcessorTime(readFileSync('/proc/stat', 'utf8'));
}

/** Share of the processors that others got between two readings, as a reader sees it. */
export function stolenText(before: ProcessorTime, after: ProcessorTime): string {
  const share = (100 * (after.stolen - before.stolen)) / Math.max(1, after.all - before.all);
  return `${share.toFixed(1)} % of the processors' time stolen by the hypervisor`;
}
