import {
  automaticRouteTarget,
  defaultAutonomousSystem,
  fromResource,
  globalSystemConfigUuid,
  idClaimsOf,
  metaOf,
  setNumericId,
  tagTypeNamed,
  tagTypeNumber,
  tagValueClaim,
  typeOf,
  withRouteTarget,
  withTagNumber,
} from '@contrail/resource-model';
import type { IdClaim, IdSpace } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import type { IdUse } from '@contrail/store';
import type { TransactionStore } from './transaction-reads';
import type { WorkingSet } from './working-set';

/** A number that the transaction takes. */
export type TakenId = IdUse & { readonly id: number };

/** Types whose numbers are shown again in every write, because others see them in references too. */
const renumberedTypes: readonly string[] = ['routing-instance', 'security-group'];

/** Numbers of new objects, the route target of every RoutingInstance, and the type and number of every tag. */
export async function addNumbers(store: TransactionStore, set: WorkingSet): Promise<TakenId[]> {
  const typesByName = await addTagTypes(store, set);
  const taken = await addOwnNumbers(store, set);
  return [...taken, ...(await addTagNumbers(store, set, typesByName))];
}

function isNew(set: WorkingSet, resource: Resource): boolean {
  return set.entries.get(metaOf(resource).uuid)?.previous === undefined;
}

async function addOwnNumbers(store: TransactionStore, set: WorkingSet): Promise<TakenId[]> {
  const wanted = set
    .puts()
    .filter((resource) => isNew(set, resource) || renumberedTypes.includes(typeOf(resource)))
    .flatMap((resource) => idClaimsOf(resource).map((claim) => ({ claim, resource })));
  if (wanted.length === 0) return [];
  const taken = await takeAll(
    store,
    wanted.map(({ claim }) => claim),
  );
  const system = wanted.some(({ claim }) => claim.space === 'route-target')
    ? await autonomousSystem(store)
    : 0;
  for (const [i, { claim, resource }] of wanted.entries()) {
    const id = taken[i]?.id ?? 0;
    if (claim.space === 'route-target') await addRouteTarget(store, set, { resource, system, id });
    else set.replace(setNumericId(resource, id));
  }
  return taken;
}

async function addRouteTarget(
  store: TransactionStore,
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

/** The TagTypes of the tags by name; those that nobody declared are made. */
async function addTagTypes(store: TransactionStore, set: WorkingSet): Promise<Map<string, string>> {
  const tags = set.puts('tag');
  if (tags.length === 0) return new Map();
  const names = [...new Set(tags.map((tag) => fromResource('tag', tag).tagTypeName ?? ''))];
  const uuids = new Map<string, string>();
  for (const type of set.puts('tag-type')) {
    const { fqName, uuid } = metaOf(type);
    uuids.set(fqName.at(-1) ?? '', uuid);
  }
  const unknown = names.filter((name) => name !== '' && !uuids.has(name));
  const found = await store.findUuids(
    unknown.map((name) => ({ type: 'tag-type', fqName: [name] })),
  );
  const stored = await store.getMany(found.flatMap((uuid) => uuid ?? []));
  for (const type of stored) {
    if (type === undefined) continue;
    const { fqName, uuid } = metaOf(type);
    set.add(uuid, type);
    uuids.set(fqName.at(-1) ?? '', uuid);
  }
  for (const name of unknown.filter((wanted) => !uuids.has(wanted))) {
    const type = tagTypeNamed(name);
    const { uuid } = metaOf(type);
    set.add(uuid, undefined).next = type;
    uuids.set(name, uuid);
  }
  return uuids;
}

async function addTagNumbers(
  store: TransactionStore,
  set: WorkingSet,
  typesByName: ReadonlyMap<string, string>,
): Promise<TakenId[]> {
  const wanted = set.puts('tag').flatMap((tag) => {
    const typeUuid = typesByName.get(fromResource('tag', tag).tagTypeName ?? '') ?? '';
    const type = set.entries.get(typeUuid)?.next;
    const number = type && tagTypeNumber(type);
    return type === undefined || number === undefined
      ? []
      : [{ tag, type, number, claim: tagValueClaim(tag, number) }];
  });
  if (wanted.length === 0) return [];
  const taken = await takeAll(
    store,
    wanted.map(({ claim }) => claim),
  );
  for (const [i, { tag, type, number }] of wanted.entries())
    set.replace(withTagNumber(tag, type, { type: number, value: taken[i]?.id ?? 0 }));
  return taken;
}

/** Numbers in the order of the claims. */
async function takeAll(store: TransactionStore, claims: readonly IdClaim[]): Promise<TakenId[]> {
  const ids = new Map<string, number>();
  for (const space of new Set<IdSpace>(claims.map((claim) => claim.space))) {
    const keys = claims.filter((claim) => claim.space === space).map(({ key }) => key);
    const numbers = await store.allot(space, keys, true);
    for (const [i, key] of keys.entries()) ids.set(`${space} ${key}`, numbers[i] ?? 0);
  }
  return claims.map((claim) => ({ ...claim, id: ids.get(`${claim.space} ${claim.key}`) ?? 0 }));
}

async function autonomousSystem(store: TransactionStore): Promise<number> {
  const [config] = await store.getMany([globalSystemConfigUuid]);
  const configured =
    config === undefined ? 0 : fromResource('global-system-config', config).autonomousSystem;
  return configured === 0 ? defaultAutonomousSystem : configured;
}
