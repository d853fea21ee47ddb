/** Between the VRFs (by the uuids of their routing instances) of a service's clients and of its backends. */
export interface ReachPair {
  readonly from: string;
  readonly to: string;
}

const nowhere: ReadonlyMap<string, number> = new Map();

/**
 * Into which other VRFs the services of a VRF translate. Counted, because many services lead to the
 * same VRF; nothing else says so, because a service may cross networks that no policy joins.
 */
export class ServiceReach {
  readonly #counts = new Map<string, Map<string, number>>();
  /** Where the backends of each service entry are, by the key of its unit. */
  readonly #byUnit = new Map<string, readonly string[]>();

  /** VRFs that services of this one lead to, itself not among them. */
  from(instance: string): Iterable<string> {
    return (this.#counts.get(instance) ?? nowhere).keys();
  }

  has(from: string, to: string): boolean {
    return this.#counts.get(from)?.has(to) === true;
  }

  /** Every pair, in no particular order. */
  *pairs(): Generator<ReachPair> {
    for (const [from, counts] of this.#counts) for (const to of counts.keys()) yield { from, to };
  }

  /**
   * Notes in which VRFs the backends of one service of `from` are.
   *
   * @param unit key of the service's unit.
   * @returns pairs that now exist and did not, or the other way round.
   */
  replace(unit: string, from: string, after: readonly string[]): ReachPair[] {
    const changed: ReachPair[] = [];
    const before = this.#byUnit.get(unit) ?? [];
    if (after.length === 0) this.#byUnit.delete(unit);
    else this.#byUnit.set(unit, after);
    for (const to of after) if (to !== from && this.#add(from, to, 1) === 1) changed.push({ from, to });
    for (const to of before) if (to !== from && this.#add(from, to, -1) === 0) changed.push({ from, to });
    return changed;
  }

  #add(from: string, to: string, change: 1 | -1): number {
    const counts = this.#counts.get(from) ?? new Map<string, number>();
    const count = (counts.get(to) ?? 0) + change;
    if (count === 0) counts.delete(to);
    else counts.set(to, count);
    if (counts.size === 0) this.#counts.delete(from);
    else this.#counts.set(from, counts);
    return count;
  }
}
