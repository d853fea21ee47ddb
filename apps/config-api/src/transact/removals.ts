import { ContrailError } from '@contrail/errors';
import {
  baseObjects,
  describe,
  fromResource,
  goesWithParent,
  idClaimsOf,
  isDerivedChild,
  mapRefs,
  metaOf,
  takesChildrenAlong,
  typeOf,
} from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import type { TransactionStore } from './transaction-reads';
import type { WorkingSet } from './working-set';

const baseUuids = new Set(baseObjects().map((resource) => metaOf(resource).uuid));
/** Objects that one deletion takes along or rewrites; more than a node has pods. */
const dependentsMax = 1000;

/**
 * Adds what goes with the deleted objects: children that were derived from them, route targets, and weak
 * references to them.
 *
 * @throws ContrailError FAILED_PRECONDITION for an object that cannot be deleted by itself.
 */
export async function addRemovals(store: TransactionStore, set: WorkingSet): Promise<void> {
  const done = new Set<string>();
  for (;;) {
    const deletions = set.deletions().filter((resource) => !done.has(metaOf(resource).uuid));
    if (deletions.length === 0) return;
    for (const resource of deletions) {
      done.add(metaOf(resource).uuid);
      checkRemovable(set, resource);
      await removeDependents(store, set, resource);
    }
  }
}

function checkRemovable(set: WorkingSet, resource: Resource): void {
  const { uuid, parentUuid } = metaOf(resource);
  if (baseUuids.has(uuid)) {
    throw new ContrailError(
      'FAILED_PRECONDITION',
      `${describe(resource)}: every deployment has this object; it cannot be deleted`,
    );
  }
  if (set.isDeleted(parentUuid) || set.dropped.has(uuid)) return;
  const isDefault =
    typeOf(resource) === 'routing-instance' &&
    fromResource('routing-instance', resource).routingInstanceIsDefault === true;
  if (!isDefault && !isDerivedChild(resource)) return;
  throw new ContrailError(
    'FAILED_PRECONDITION',
    `${describe(resource)}: belongs to its ${metaOf(resource).parentType} and goes with it; delete that`,
  );
}

async function removeDependents(
  store: TransactionStore,
  set: WorkingSet,
  resource: Resource,
): Promise<void> {
  const type = typeOf(resource);
  if (takesChildrenAlong(type)) await removeChildren(store, set, resource);
  if (type === 'routing-instance') await removeRouteTarget(store, set, resource);
  // Any reference can be relaxed, whatever its type says.
  await removeWeakReferences(store, set, metaOf(resource).uuid);
}

async function removeChildren(
  store: TransactionStore,
  set: WorkingSet,
  parent: Resource,
): Promise<void> {
  const uuids = await store.dependents(metaOf(parent).uuid, 'c', dependentsMax);
  for (const child of await readInto(store, set, uuids)) {
    const { uuid, fqName } = metaOf(child);
    const named = { type: typeOf(child), name: fqName.at(-1) ?? '' };
    const entry = set.entries.get(uuid);
    if (entry === undefined || !goesWithParent(named, typeOf(parent))) continue;
    entry.next = undefined;
    entry.traceparent ??= set.entries.get(metaOf(parent).uuid)?.traceparent;
  }
}

async function removeRouteTarget(
  store: TransactionStore,
  set: WorkingSet,
  routingInstance: Resource,
): Promise<void> {
  const [claim] = idClaimsOf(routingInstance);
  const [number] = claim === undefined ? [] : await store.allot(claim.space, [claim.key], true);
  const own = fromResource('routing-instance', routingInstance).routeTargetRefs.find(({ fqName }) =>
    fqName.at(-1)?.endsWith(`:${number ?? ''}`),
  );
  if (own === undefined) return;
  const [target] = await store.getMany([own.uuid]);
  if (target !== undefined) set.add(own.uuid, target).next = undefined;
}

async function removeWeakReferences(
  store: TransactionStore,
  set: WorkingSet,
  uuid: string,
): Promise<void> {
  const referrers = await store.dependents(uuid, 'w', dependentsMax);
  for (const referrer of await readInto(store, set, referrers)) {
    set.replace(
      mapRefs(referrer, (reference) =>
        reference.uuid === uuid
          ? undefined
          : { uuid: reference.uuid, fqName: [...reference.fqName] },
      ),
    );
  }
}

/** The objects as the transaction leaves them, those apart that it deletes. */
async function readInto(
  store: TransactionStore,
  set: WorkingSet,
  uuids: readonly string[],
): Promise<Resource[]> {
  const unread = uuids.filter((uuid) => !set.entries.has(uuid));
  for (const [i, resource] of (await store.getMany(unread)).entries())
    set.add(unread[i] ?? '', resource);
  return uuids.flatMap((uuid) => set.entries.get(uuid)?.next ?? []);
}
