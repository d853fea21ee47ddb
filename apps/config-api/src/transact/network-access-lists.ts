import {
  fieldsOf,
  findMessage,
  metaOf,
  networkAccessList,
  networkAccessListUuid,
  typeOf,
  withFields,
} from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import type { ResourceStore } from '@contrail/store';
import type { Entry, WorkingSet } from './working-set';

/** Networks whose lists one change of a policy rewrites; others follow with their own next change. */
const networksMax = 900;

type Reads = Pick<ResourceStore, 'getMany' | 'dependents'>;

/**
 * Makes, updates and removes the access control lists of networks: of those that a transaction changes, and of
 * those to which a policy that it changes is attached. Everything a list is made from is part of the
 * transaction, so that two changes at the same time cannot leave an old list behind.
 */
export async function addNetworkAccessLists(store: Reads, set: WorkingSet): Promise<void> {
  const networks = new Set(set.puts('virtual-network').filter(mayHaveList(set)).map(uuidOf));
  for (const policy of set.puts('network-policy')) {
    if (set.entries.get(uuidOf(policy))?.previous === undefined) continue;
    for (const uuid of await store.dependents(uuidOf(policy), 's', networksMax)) networks.add(uuid);
  }
  if (networks.size === 0) return;
  const entries = (await readAll(store, set, [...networks])).filter(
    ({ next }) => next !== undefined && typeOf(next) === 'virtual-network',
  );
  const policies = await readAll(store, set, entries.flatMap(({ next }) => policiesOf(next)));
  const present = policies.flatMap(({ next }) => next ?? []);
  for (const entry of entries) await updateList(store, set, { entry, policies: present });
}

function mayHaveList(set: WorkingSet): (network: Resource) => boolean {
  return (network) => {
    const previous = set.entries.get(uuidOf(network))?.previous;
    return policiesOf(network).length > 0 || policiesOf(previous).length > 0;
  };
}

async function updateList(
  store: Reads,
  set: WorkingSet,
  { entry, policies }: { readonly entry: Entry; readonly policies: readonly Resource[] },
): Promise<void> {
  const network = entry.next;
  if (network === undefined) return;
  const wanted = networkAccessList(network, policies);
  const uuid = networkAccessListUuid(network);
  const [list] = await readAll(store, set, [uuid], entry);
  if (list === undefined) return;
  if (wanted === undefined) {
    if (list.next !== undefined) set.dropped.add(uuid);
    list.next = undefined;
    return;
  }
  const field = 'accessControlListEntries';
  list.next = list.next === undefined ? wanted : withFields(list.next, { [field]: fieldsOf(wanted)[field] });
}

async function readAll(
  store: Reads,
  set: WorkingSet,
  uuids: readonly string[],
  cause?: Entry,
): Promise<Entry[]> {
  const unread = [...new Set(uuids)].filter((uuid) => !set.entries.has(uuid));
  const stored = unread.length === 0 ? [] : await store.getMany(unread);
  for (const [i, uuid] of unread.entries())
    set.add(uuid, stored[i], cause?.label ?? '').traceparent ??= cause?.traceparent;
  return [...new Set(uuids)].flatMap((uuid) => set.entries.get(uuid) ?? []);
}

function policiesOf(network: Resource | undefined): string[] {
  if (network === undefined) return [];
  return findMessage('virtual-network', network)?.networkPolicyRefs.map(({ uuid }) => uuid) ?? [];
}

function uuidOf(resource: Resource): string {
  return metaOf(resource).uuid;
}
