/** Interleaved measurements of traffic over several paths, and their table. */
import { interleave } from './interleave';
import type { LoadGenerator, LoadResult, Target, TrafficTest } from './load';
import { trafficTests, valueOf } from './load';
import { median, pairedRatios, spreadOf } from './statistics';
import { markdownTable } from './table';

/** One way that packets can take. */
export interface TrafficPath extends Target {
  /** Unique name, a column or row of the table. */
  readonly name: string;
  /** Name of the path with which this one is compared beside the bare pair; none for that itself. */
  readonly limit?: string;
}

export interface TrafficOptions {
  readonly rounds: number;
  readonly milliseconds: number;
  readonly tests?: readonly TrafficTest[];
  readonly progress: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Results by test and path, one a round; undefined where the run had errors. */
export type TrafficResults = ReadonlyMap<TrafficTest, ReadonlyMap<string, ReadonlyArray<LoadResult | undefined>>>;

export async function measureTraffic(
  load: LoadGenerator,
  paths: readonly TrafficPath[],
  options: TrafficOptions,
): Promise<TrafficResults> {
  const results = new Map<TrafficTest, Map<string, Array<LoadResult | undefined>>>();
  for (const test of options.tests ?? trafficTests) {
    const ofTest = new Map(paths.map(({ name }) => [name, new Array<LoadResult | undefined>()]));
    results.set(test, ofTest);
    options.progress(`${test}: ${options.rounds} rounds over ${paths.length} paths`);
    for (const { round, subject } of interleave(paths, options.rounds)) {
      options.signal.throwIfAborted();
      const result = await load.run(test, subject, options.milliseconds);
      if (result.errors > 0) options.progress(`${test}, ${subject.name}, round ${round}: ${result.errors} errors`);
      ofTest.get(subject.name)?.push(result.errors > 0 ? undefined : result);
    }
  }
  return results;
}

export const testTitles: Readonly<Record<TrafficTest, string>> = {
  stream: 'TCP stream, Gbit/s',
  rr: 'TCP request/response, 1/s',
  crr: 'TCP connect-request-close, 1/s',
  udp: 'UDP request/response, 1/s',
};

const number = (value: number): string => (value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en'));
const ratio = (values: readonly number[]): string => {
  const { median: middle, low, high, count } = spreadOf(values);
  return count === 0 ? '–' : `${middle.toFixed(3)} (${low.toFixed(2)}–${high.toFixed(2)})`;
};

/** A table for each test. @param bare name of the path that is 1. */
export function trafficTables(results: TrafficResults, paths: readonly TrafficPath[], bare: string): string {
  const tables = [...results].map(([test, ofTest]) => {
    const samples = (name: string | undefined): Array<number | undefined> =>
      (ofTest.get(name ?? '') ?? []).map((result) => result && valueOf(test, result));
    // How fast the middle operation was: on a machine with other work, the steadier comparison.
    const speeds = (name: string | undefined): Array<number | undefined> =>
      (ofTest.get(name ?? '') ?? []).map((result) => result && 1 / result.p50Us);
    const times = (name: string, field: 'p50Us' | 'p99Us'): string =>
      test === 'stream' ? '' : median((ofTest.get(name) ?? []).flatMap((result) => (result ? [result[field]] : []))).toFixed(1);
    const rows = paths.map(({ name, limit }) => {
      const own = samples(name);
      const { median: middle, low, high, count } = spreadOf(own.flatMap((value) => (value === undefined ? [] : [value])));
      return [
        name,
        `${number(middle)} (${number(low)}–${number(high)})`,
        times(name, 'p50Us'),
        times(name, 'p99Us'),
        name === bare ? '1' : ratio(pairedRatios(own, samples(bare))),
        limit === undefined ? '' : `${ratio(pairedRatios(own, samples(limit)))} of ${limit}`,
        limit === undefined || test === 'stream' ? '' : ratio(pairedRatios(speeds(name), speeds(limit))),
        `${count}/${own.length}`,
      ];
    });
    return markdownTable([testTitles[test], 'median (quartiles)', 'p50 µs', 'p99 µs', 'of the bare pair', 'of its limit', 'of its limit, by p50', 'rounds'], rows);
  });
  return tables.join('\n\n');
}
