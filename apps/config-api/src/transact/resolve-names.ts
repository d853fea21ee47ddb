import { ContrailError } from '@contrail/errors';
import {
  describe,
  describeName,
  isResourceType,
  mapRefs,
  metaOf,
  parentFqName,
  refsOf,
  setMeta,
  typeOf,
} from '@contrail/resource-model';
import type { ResourceType } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import type { TypedName } from '@contrail/store';
import type { Step } from './step';
import type { TransactionStore } from './transaction-reads';

/** A step in which every object is named by uuid; '' for an update or deletion of what does not exist. */
export type ResolvedStep =
  | Exclude<Step, { kind: 'delete' }>
  | {
      readonly kind: 'delete';
      readonly label: string;
      readonly uuid: string;
      readonly type: ResourceType | undefined;
      readonly expected: bigint;
      readonly traceparent?: string;
    };

/**
 * Replaces names by uuids: of the objects themselves, their parents and their references. Objects that
 * an earlier or later step of the same request creates are found too.
 *
 * @throws ContrailError NOT_FOUND naming the parent or reference that does not exist.
 */
export async function resolveNames(
  store: TransactionStore,
  steps: readonly Step[],
  newUuid: () => string,
): Promise<ResolvedStep[]> {
  const unresolved = steps.flatMap(unresolvedNames);
  const names = new NameTable(unresolved.length === 0 ? [] : steps);
  await names.read(store, unresolved);
  return steps.map((step) => {
    if (step.kind === 'modify') return step;
    if (step.kind === 'delete') {
      const { key, ...rest } = step;
      const uuid = key.by === 'uuid' ? key.uuid : (names.find(key) ?? '');
      return { ...rest, uuid, type: key.type };
    }
    return { ...step, resource: resolveResource(step, names, newUuid) };
  });
}

class NameTable {
  readonly #uuids = new Map<string, string>();

  constructor(steps: readonly Step[]) {
    for (const step of steps) {
      if (step.kind === 'delete' || step.kind === 'modify') continue;
      const { uuid, fqName } = metaOf(step.resource);
      if (uuid !== '') this.#uuids.set(keyOf({ type: typeOf(step.resource), fqName }), uuid);
    }
  }

  async read(store: TransactionStore, names: readonly TypedName[]): Promise<void> {
    const missing = new Map(names.map((name) => [keyOf(name), name]));
    for (const key of this.#uuids.keys()) missing.delete(key);
    if (missing.size === 0) return;
    const uuids = await store.findUuids([...missing.values()]);
    for (const [i, key] of [...missing.keys()].entries()) {
      const uuid = uuids[i];
      if (uuid !== undefined) this.#uuids.set(key, uuid);
    }
  }

  find(name: TypedName): string | undefined {
    return this.#uuids.get(keyOf(name));
  }
}

function keyOf({ type, fqName }: TypedName): string {
  return JSON.stringify([type, ...fqName]);
}

/** The uuid of the object that a step is about; '' when there is none. */
export function uuidOfStep(step: ResolvedStep): string {
  return 'uuid' in step ? step.uuid : metaOf(step.resource).uuid;
}

/** Names whose uuids the store must tell. */
function unresolvedNames(step: Step): TypedName[] {
  if (step.kind === 'modify') return [];
  if (step.kind === 'delete') return step.key.by === 'name' ? [step.key] : [];
  const { resource } = step;
  const meta = metaOf(resource);
  const type = typeOf(resource);
  const names: TypedName[] = refsOf(resource).filter(({ uuid }) => uuid === '');
  if (meta.uuid === '') names.push({ type, fqName: meta.fqName });
  const parent = parentName(resource);
  return parent === undefined ? names : [...names, parent];
}

/** The parent when it is given by name only. */
function parentName(resource: Resource): TypedName | undefined {
  const { parentType, parentUuid, fqName } = metaOf(resource);
  if (parentUuid !== '' || !isResourceType(parentType) || fqName.length === 0) return undefined;
  return { type: parentType, fqName: parentFqName(typeOf(resource), parentType, fqName) };
}

function resolveResource(
  { resource, label, kind }: Exclude<Step, { kind: 'delete' | 'modify' }>,
  names: NameTable,
  newUuid: () => string,
): Resource {
  const meta = metaOf(resource);
  const known = meta.uuid || names.find({ type: typeOf(resource), fqName: meta.fqName });
  const parent = parentName(resource);
  const parentUuid = parent === undefined ? meta.parentUuid : names.find(parent);
  if (parent !== undefined && parentUuid === undefined && kind !== 'update') {
    throw new ContrailError(
      'NOT_FOUND',
      `${label}${describe(resource)} meta.parent: ${describeName(parent.type, parent.fqName)} does not exist; create it first`,
    );
  }
  // An update of an object that does not exist keeps its empty uuid and fails with its name.
  const uuid = known ?? (kind === 'update' ? '' : newUuid());
  const isIdentified = meta.uuid === uuid && meta.parentUuid === parentUuid;
  const identified = isIdentified
    ? resource
    : setMeta(resource, { ...meta, uuid, parentUuid: parentUuid ?? '' });
  return mapRefs(identified, (reference) => {
    const target = reference.uuid || names.find(reference);
    if (target !== undefined && target !== '')
      return { uuid: target, fqName: [...reference.fqName] };
    throw new ContrailError(
      'NOT_FOUND',
      `${label}${describe(resource)} ${reference.type.replaceAll('-', '_')}_refs: ` +
        `${describeName(reference.type, reference.fqName)} does not exist; create it first`,
    );
  });
}
