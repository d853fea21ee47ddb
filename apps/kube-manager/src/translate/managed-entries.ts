import type { Meta } from '@contrail/proto-gen/config/v1/resources';

/*
 * Administrators extend our network policies and the attachments of our networks. An annotation of the object says which
 * entries of a list were made by us, so that these can change and go, and nobody else's do.
 */

const rulesKey = 'managed_rules';
const policiesKey = 'managed_policies';

/** @param uuids `rule_uuid` of each rule of ours. */
export function managedRules(uuids: readonly string[]): Record<string, string> {
  return { [rulesKey]: [...uuids].sort().join(',') };
}

/** @param uuids of the policies that we attach to the network. */
export function managedPolicies(uuids: readonly string[]): Record<string, string> {
  return { [policiesKey]: [...uuids].sort().join(',') };
}

export function managedRulesOf(meta: Pick<Meta, 'annotations'>): ReadonlySet<string> {
  return new Set((meta.annotations[rulesKey] ?? '').split(','));
}

export function managedPoliciesOf(meta: Pick<Meta, 'annotations'>): ReadonlySet<string> {
  return new Set((meta.annotations[policiesKey] ?? '').split(','));
}

/**
 * One list with the entries of two makers: ours as wanted, those of others as found, in the order found.
 *
 * @param managed ids that we made before: what of them is not wanted any more goes.
 * @param renew entries of ours are written anew; otherwise one that is there stays as it is.
 */
export function mergeManaged<T>(
  { found, wanted }: { readonly found: readonly T[]; readonly wanted: readonly T[] },
  { idOf, managed, renew }: { readonly idOf: (entry: T) => string; readonly managed: ReadonlySet<string>; readonly renew: boolean },
): T[] {
  const ours = new Map(wanted.map((entry) => [idOf(entry), entry]));
  const merged: T[] = [];
  const placed = new Set<string>();
  for (const entry of found) {
    const id = idOf(entry);
    const own = ours.get(id);
    if (own === undefined && managed.has(id) && id !== '') continue;
    if (own !== undefined && placed.has(id)) continue;
    placed.add(id);
    merged.push(own !== undefined && renew ? own : entry);
  }
  return [...merged, ...wanted.filter((entry) => !placed.has(idOf(entry)))];
}
