import { ContrailError } from '@contrail/errors';
import {
  automaticRouteTarget,
  baseObjects,
  defaultAutonomousSystem,
  defaultRoutingInstance,
  describe,
  fromResource,
  globalSystemConfigUuid,
  idClaimsOf,
  mapRefs,
  metaOf,
  setNumericId,
  typeNames,
  typeOf,
  withRouteTarget,
} from '@contrail/resource-model';
import type { IdSpace } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import type { IdUse, ResourceStore } from '@contrail/store';
import { isWeakTarget } from './working-set';
import type { WorkingSet } from './working-set';

/** Numbers that a transaction takes and gives back. */
export interface IdChanges {
  readonly claims: readonly (IdUse & { readonly id: number })[];
  readonly frees: readonly IdUse[];
}

const baseUuids = new Set(baseObjects().map((resource) => metaOf(resource).uuid));
/** Referrers of one object that a deletion rewrites; more than a node has pods. */
const weakReferrersMax = 1000;

/**
 * Adds what the changed objects imply: a network's default RoutingInstance, its route target, numeric
 * ids; with a deleted object its implied ones go, and weak references to it.
 */
export async function addImplied(store: ResourceStore, set: WorkingSet): Promise<IdChanges> {
  addRoutingInstances(set, await readDefaults(store, set));
  await removeImplied(store, set);
  const claims = await addNumbers(store, set);
  const frees = set
    .deletions()
    .flatMap((resource) => [
      ...idClaimsOf(resource),
      ...(typeOf(resource) === 'routing-instance'
        ? [{ space: 'vrf' as const, key: metaOf(resource).uuid }]
        : []),
    ]);
  return { claims, frees };
}

/** Default RoutingInstances of the networks that the transaction makes or removes, as stored. */
async function readDefaults(store: ResourceStore, set: WorkingSet): Promise<Map<string, Resource>> {
  const wanted = [...set.entries.values()].flatMap(({ previous, next }) => {
    const network = next ?? previous;
    if (network === undefined || typeOf(network) !== 'virtual-network' || (previous && next))
      return [];
    return [metaOf(defaultRoutingInstance(metaOf(network))).uuid];
  });
  const found = await store.getMany(wanted);
  return new Map(
    found.flatMap((resource) =>
      resource === undefined ? [] : [[metaOf(resource).uuid, resource]],
    ),
  );
}

function addRoutingInstances(set: WorkingSet, stored: ReadonlyMap<string, Resource>): void {
  for (const { previous, next, label } of [...set.entries.values()]) {
    const network = next ?? previous;
    if (network === undefined || typeOf(network) !== 'virtual-network' || (previous && next))
      continue;
    const implied = defaultRoutingInstance(metaOf(network));
    const { uuid } = metaOf(implied);
    const entry = set.add(uuid, stored.get(uuid), label);
    entry.next = next === undefined ? undefined : (entry.next ?? implied);
  }
}

async function removeImplied(store: ResourceStore, set: WorkingSet): Promise<void> {
  for (const resource of set.deletions()) {
    const { uuid, parentUuid } = metaOf(resource);
    if (baseUuids.has(uuid)) {
      throw new ContrailError(
        'FAILED_PRECONDITION',
        `${describe(resource)}: every deployment has this object; it cannot be deleted`,
      );
    }
    if (typeOf(resource) === 'routing-instance') {
      if (
        fromResource('routing-instance', resource).routingInstanceIsDefault === true &&
        !set.isDeleted(parentUuid)
      ) {
        throw new ContrailError(
          'FAILED_PRECONDITION',
          `${describe(resource)}: is the default one of its network; delete the network`,
        );
      }
      await removeRouteTarget(store, set, resource);
    }
    if (isWeakTarget(typeOf(resource), typeNames)) await removeWeakReferences(store, set, uuid);
  }
}

async function removeRouteTarget(
  store: ResourceStore,
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
  store: ResourceStore,
  set: WorkingSet,
  uuid: string,
): Promise<void> {
  const referrers = await store.dependents(uuid, 'w', weakReferrersMax);
  const unread = referrers.filter((referrer) => !set.entries.has(referrer));
  for (const [i, resource] of (await store.getMany(unread)).entries())
    set.add(unread[i] ?? '', resource);
  for (const referrer of referrers) {
    const next = set.entries.get(referrer)?.next;
    if (next === undefined) continue;
    set.replace(
      mapRefs(next, (reference) =>
        reference.uuid === uuid
          ? undefined
          : { uuid: reference.uuid, fqName: [...reference.fqName] },
      ),
    );
  }
}

/** Numbers of new objects, and the route target of every RoutingInstance that is written. */
async function addNumbers(store: ResourceStore, set: WorkingSet): Promise<IdChanges['claims']> {
  const wanted = set.puts().flatMap((resource) => {
    const isNew = set.entries.get(metaOf(resource).uuid)?.previous === undefined;
    const needed =
      isNew || typeOf(resource) === 'routing-instance' || typeOf(resource) === 'security-group';
    return needed ? idClaimsOf(resource).map((claim) => ({ ...claim, resource, isNew })) : [];
  });
  if (wanted.length === 0) return [];
  const ids = await allotAll(store, wanted);
  const system = wanted.some(({ space }) => space === 'route-target')
    ? await autonomousSystem(store)
    : 0;
  return await Promise.all(
    wanted.map(async ({ space, key, resource }) => {
      const id = ids.get(`${space} ${key}`) ?? 0;
      if (space === 'route-target') await addRouteTarget(store, set, { resource, system, id });
      else set.replace(setNumericId(resource, id));
      return { space, key, id };
    }),
  );
}

async function addRouteTarget(
  store: ResourceStore,
  set: WorkingSet,
  { resource, system, id }: { resource: Resource; system: number; id: number },
): Promise<void> {
  const target = automaticRouteTarget(system, id);
  const { uuid } = metaOf(target);
  if (!set.entries.has(uuid)) {
    const [stored] = await store.getMany([uuid]);
    const entry = set.add(uuid, stored);
    entry.next ??= target;
  }
  set.replace(withRouteTarget(resource, target));
}

async function allotAll(
  store: ResourceStore,
  uses: readonly IdUse[],
): Promise<Map<string, number>> {
  const ids = new Map<string, number>();
  for (const space of new Set<IdSpace>(uses.map((use) => use.space))) {
    const keys = uses.filter((use) => use.space === space).map(({ key }) => key);
    const numbers = await store.allot(space, keys, true);
    for (const [i, key] of keys.entries()) ids.set(`${space} ${key}`, numbers[i] ?? 0);
  }
  return ids;
}

async function autonomousSystem(store: ResourceStore): Promise<number> {
  const [config] = await store.getMany([globalSystemConfigUuid]);
  const configured =
    config === undefined ? 0 : fromResource('global-system-config', config).autonomousSystem;
  return configured === 0 ? defaultAutonomousSystem : configured;
}
