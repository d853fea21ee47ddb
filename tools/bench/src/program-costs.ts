/** What eBPF programs of the forwarding planes took, by the kernel's own count. */
import { readFileSync, writeFileSync } from 'node:fs';
import { run } from './netns';

const switchFile = '/proc/sys/kernel/bpf_stats_enabled';

/** Runs of a program and the time in them; a tail call counts for the program that made it. */
export interface ProgramCost {
  readonly name: string;
  readonly runs: number;
  readonly nanoseconds: number;
}

type Totals = ReadonlyMap<number, ProgramCost>;

/** @param text of `bpftool prog show --json`. Programs of other types, and those that never ran, are left out. */
export function parsePrograms(text: string): Map<number, ProgramCost> {
  const programs = JSON.parse(text) as Array<Record<string, unknown>>;
  return new Map(
    programs.flatMap(({ id, type, name, run_cnt: runs, run_time_ns: nanoseconds }) =>
      type === 'sched_cls' && typeof id === 'number' && typeof name === 'string' && typeof runs === 'number' && typeof nanoseconds === 'number'
        ? [[id, { name, runs, nanoseconds }] as const]
        : [],
    ),
  );
}

/** What happened between two looks, added up by the programs' names. */
export function costsBetween(before: Totals, after: Totals): ProgramCost[] {
  const costs = new Map<string, ProgramCost>();
  for (const [id, { name, runs, nanoseconds }] of after) {
    const old = before.get(id);
    const sum = costs.get(name) ?? { name, runs: 0, nanoseconds: 0 };
    costs.set(name, {
      name,
      runs: sum.runs + runs - (old?.runs ?? 0),
      nanoseconds: sum.nanoseconds + nanoseconds - (old?.nanoseconds ?? 0),
    });
  }
  return [...costs.values()].filter(({ runs }) => runs > 0);
}

const look = (): Totals => parsePrograms(run('bpftool', 'prog', 'show', '--json'));

/** Of every forwarding plane that there is now. */
export function programIds(): Set<number> {
  return new Set(look().keys());
}

/**
 * Measures while `use` runs; the kernel counts only then, because counting itself costs time.
 * @param only ids of the programs that count; left out: all.
 */
export async function measureProgramCosts<T>(
  use: () => Promise<T>,
  only?: ReadonlySet<number>,
): Promise<{ readonly result: T; readonly costs: ProgramCost[] }> {
  const counted = (totals: Totals): Totals => new Map([...totals].filter(([id]) => only === undefined || only.has(id)));
  const setting = readFileSync(switchFile, 'utf8');
  writeFileSync(switchFile, '1');
  try {
    const before = look();
    const result = await use();
    return { result, costs: costsBetween(before, counted(look())) };
  } finally {
    writeFileSync(switchFile, setting);
  }
}
