/** Statistics of repeated measurements. All functions are pure and leave their arguments alone. */

export interface Spread {
  readonly median: number;
  /** First and third quartile. */
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

/** @param q 0 to 1; between two values it interpolates. NaN when there are no values. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * q;
  const below = sorted[Math.floor(position)];
  const above = sorted[Math.ceil(position)];
  if (below === undefined || above === undefined) return Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function spreadOf(values: readonly number[]): Spread {
  return {
    median: median(values),
    low: quantile(values, 0.25),
    high: quantile(values, 0.75),
    count: values.length,
  };
}

/**
 * Ratios of measurements that were made next to each other: what slowed the machine for a while slowed
 * both, so their quotient is steadier than the quotient of two medians.
 * @param values one a round, undefined when that run failed.
 */
export function pairedRatios(
  values: ReadonlyArray<number | undefined>,
  base: ReadonlyArray<number | undefined>,
): number[] {
  return values.flatMap((value, round) => {
    const other = base[round];
    return value === undefined || other === undefined || other === 0 ? [] : [value / other];
  });
}
