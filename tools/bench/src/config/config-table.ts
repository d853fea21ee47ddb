import { markdownTable } from '../table';
import { median, pairedRatios, quantile, spreadOf } from '../statistics';

/** One line of the table; each sample is of one round. */
export interface ConfigRow {
  readonly what: string;
  /** As the requirement says it. */
  readonly goal: string;
  readonly unit: string;
  readonly samples: readonly number[];
  /** Of single operations, of all rounds. */
  readonly latenciesMs?: readonly number[];
  /** Cores used by each process, by name, in each round. */
  readonly cores?: ReadonlyArray<Readonly<Record<string, number>>>;
  /** The process that does the work: what it would do with a whole core is told, which other load disturbs less. */
  readonly server?: string;
}

const rounded = (value: number): string =>
  Number.isNaN(value) ? '–' : value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2);

function coresText(cores: ConfigRow['cores']): string {
  const names = Object.keys(cores?.[0] ?? {});
  return names
    .map((name) => `${name} ${spreadOf((cores ?? []).map((round) => round[name] ?? 0)).median.toFixed(2)}`)
    .join(', ');
}

function perCoreText({ samples, cores, server }: ConfigRow): string {
  if (cores === undefined || server === undefined) return '';
  return rounded(median(pairedRatios(samples, cores.map((round) => round[server]))));
}

export function configTable(rows: readonly ConfigRow[]): string {
  const lines = rows.map((row) => {
    const { what, goal, unit, samples, latenciesMs, cores } = row;
    const { median: middle, low, high } = spreadOf(samples);
    const latency = (q: number): string => (latenciesMs === undefined ? '' : rounded(quantile(latenciesMs, q)));
    const value = samples.length > 1 ? `${rounded(middle)} (${rounded(low)}–${rounded(high)})` : rounded(middle);
    return [what, `${value} ${unit}`, goal, latency(0.5), latency(0.99), perCoreText(row), coresText(cores)];
  });
  return markdownTable(['what', 'median (quartiles)', 'goal', 'p50 ms', 'p99 ms', 'per core', 'cores used'], lines);
}
