import { ContrailError } from '@contrail/errors';
import {
  describe,
  mapRefs,
  metaOf,
  parentProblems,
  refsOf,
  typeOf,
  validateResource,
} from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import type { TransactionStore } from './transaction-reads';
import type { WorkingSet } from './working-set';

type Targets = ReadonlyMap<string, Resource>;

/** Writes the names of new references, and checks them, the parents, and each object by itself. */
export async function completeReferences(store: TransactionStore, set: WorkingSet): Promise<void> {
  const puts = set.puts();
  const previousOf = (resource: Resource): Resource | undefined =>
    set.entries.get(metaOf(resource).uuid)?.previous;
  const unread = new Set<string>();
  for (const resource of puts) {
    const previous = previousOf(resource);
    const known = new Set(previous === undefined ? [] : refsOf(previous).map(({ uuid }) => uuid));
    for (const { uuid } of refsOf(resource)) if (!known.has(uuid)) unread.add(uuid);
    const { parentUuid } = metaOf(resource);
    if (previous === undefined && parentUuid !== '') unread.add(parentUuid);
  }
  const targets = await readTargets(store, set, [...unread]);
  for (const resource of puts) {
    const label = set.entries.get(metaOf(resource).uuid)?.label ?? '';
    const named = nameReferences(resource, previousOf(resource), targets);
    const problems = [
      ...validateResource(named),
      ...problemsWithParent(named, previousOf(resource), targets),
    ];
    if (problems.length > 0)
      throw new ContrailError('INVALID_ARGUMENT', label + problems.join('\n'));
    checkExistence(named, previousOf(resource), { targets, label });
    set.replace(named);
  }
}

async function readTargets(
  store: TransactionStore,
  set: WorkingSet,
  uuids: readonly string[],
): Promise<Targets> {
  const targets = new Map<string, Resource>();
  const unread: string[] = [];
  for (const uuid of uuids) {
    const entry = set.entries.get(uuid);
    if (entry === undefined) unread.push(uuid);
    else if (entry.next !== undefined) targets.set(uuid, entry.next);
  }
  for (const resource of await store.getMany(unread)) {
    if (resource !== undefined) targets.set(metaOf(resource).uuid, resource);
  }
  return targets;
}

function nameReferences(
  resource: Resource,
  previous: Resource | undefined,
  targets: Targets,
): Resource {
  const known = new Map(
    (previous === undefined ? [] : refsOf(previous)).map(({ uuid, fqName }) => [uuid, fqName]),
  );
  return mapRefs(resource, ({ uuid, fqName }) => {
    const target = targets.get(uuid);
    const name = target === undefined ? (known.get(uuid) ?? fqName) : metaOf(target).fqName;
    return { uuid, fqName: [...name] };
  });
}

function problemsWithParent(
  resource: Resource,
  previous: Resource | undefined,
  targets: Targets,
): string[] {
  const parent = targets.get(metaOf(resource).parentUuid);
  if (previous !== undefined || parent === undefined) return [];
  return parentProblems(resource, { type: typeOf(parent), fqName: metaOf(parent).fqName });
}

function checkExistence(
  resource: Resource,
  previous: Resource | undefined,
  { targets, label }: { readonly targets: Targets; readonly label: string },
): void {
  const { parentUuid, parentType } = metaOf(resource);
  const kept = new Set(previous === undefined ? [] : refsOf(previous).map(({ uuid }) => uuid));
  const wanted = [
    ...(previous === undefined && parentUuid !== ''
      ? [{ field: 'meta.parent_uuid', uuid: parentUuid, type: parentType }]
      : []),
    ...refsOf(resource)
      .filter(({ uuid }) => !kept.has(uuid))
      .map(({ uuid, type }) => ({ field: `${type.replaceAll('-', '_')}_refs`, uuid, type })),
  ];
  for (const { field, uuid, type } of wanted) {
    const target = targets.get(uuid);
    if (target === undefined) {
      throw new ContrailError(
        'NOT_FOUND',
        `${label}${describe(resource)} ${field}: ${type} ${uuid} does not exist; create it first`,
      );
    }
    if (typeOf(target) !== type) {
      throw new ContrailError(
        'INVALID_ARGUMENT',
        `${label}${describe(resource)} ${field}: ${uuid} is ${describe(target)}, but it must be a ${type}`,
      );
    }
  }
}
