import {
  defaultRoutingInstance,
  derivedChildren,
  fieldsOf,
  metaOf,
  typeOf,
  withFields,
} from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import type { TransactionStore } from './transaction-reads';
import type { WorkingSet } from './working-set';

interface WantedChild {
  readonly child: Resource;
  /** The parent's. */
  readonly label: string;
  readonly traceparent: string | undefined;
}

/**
 * Adds the children that an object always has to those that the transaction makes, and brings them up to
 * date in those that it changes. Children have children: a project its default group, that its lists.
 */
export async function addDerivedChildren(store: TransactionStore, set: WorkingSet): Promise<void> {
  const done = new Set<string>();
  for (;;) {
    const parents = set.puts().filter((resource) => !done.has(metaOf(resource).uuid));
    for (const parent of parents) done.add(metaOf(parent).uuid);
    const wanted = parents.flatMap((parent) => wantedChildren(set, parent));
    if (wanted.length === 0) return;
    const stored = await store.getMany(wanted.map(({ child }) => metaOf(child).uuid));
    for (const [i, { child, label, traceparent }] of wanted.entries()) {
      const entry = set.add(metaOf(child).uuid, stored[i], label);
      entry.traceparent ??= traceparent;
      entry.next = entry.next === undefined ? child : upToDate(entry.next, child);
    }
  }
}

function wantedChildren(set: WorkingSet, parent: Resource): WantedChild[] {
  const entry = set.entries.get(metaOf(parent).uuid);
  const isNewNetwork = entry?.previous === undefined && typeOf(parent) === 'virtual-network';
  const children = [
    ...(isNewNetwork ? [defaultRoutingInstance(metaOf(parent))] : []),
    ...derivedChildren(parent),
  ];
  return children.map((child) => ({
    child,
    label: entry?.label ?? '',
    traceparent: entry?.traceparent,
  }));
}

/** Lists follow their group; what an administrator may change in other children stays. */
function upToDate(stored: Resource, derived: Resource): Resource {
  if (typeOf(derived) !== 'access-control-list') return stored;
  const field = 'accessControlListEntries';
  return withFields(stored, { [field]: fieldsOf(derived)[field] });
}
