export interface Diff<Desired, Actual> {
  /** Desired entries that are absent or different, in the order of `desired`. */
  readonly upserts: readonly Desired[];
  /** Actual entries that nobody desires, in the order of `actual`. */
  readonly removals: readonly Actual[];
}

/** What has to be written and what removed so that `actual` becomes `desired`. */
export function diffByKey<Key, Desired, Actual>(
  desired: ReadonlyMap<Key, Desired>,
  actual: ReadonlyMap<Key, Actual>,
  equals: (desired: Desired, actual: Actual) => boolean,
): Diff<Desired, Actual> {
  const upserts: Desired[] = [];
  for (const [key, wanted] of desired) {
    const found = actual.get(key);
    if (found === undefined || !equals(wanted, found)) upserts.push(wanted);
  }
  const removals: Actual[] = [];
  for (const [key, found] of actual) if (!desired.has(key)) removals.push(found);
  return { upserts, removals };
}
