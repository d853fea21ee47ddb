import { specOf, typeNames } from './resource';
import type { ResourceType } from './resource';
import { structures } from './schema';
import type { ReferenceSpec, StructureSpec } from './schema';

/** Objects of one type refer to objects of another. */
export interface BackReference {
  readonly from: ResourceType;
  readonly reference: ReferenceSpec;
}

const structureByName = new Map<string, StructureSpec>(structures.map((spec) => [spec.name, spec]));

/** Types of parents whose default children go with them. */
const ofDefaults: readonly ResourceType[] = ['project', 'policy-management'];

const children = new Map<ResourceType, ResourceType[]>(
  typeNames.map((parent) => [
    parent,
    typeNames.filter((type) => specOf(type).parents.includes(parent)),
  ]),
);

const backReferences = new Map<ResourceType, BackReference[]>(
  typeNames.map((target) => [
    target,
    typeNames.flatMap((from) =>
      specOf(from)
        .references.filter(({ to }) => to === target)
        .map((reference) => ({ from, reference })),
    ),
  ]),
);

/** Types whose objects may be children of an object of the type. */
export function childTypesOf(type: ResourceType): readonly ResourceType[] {
  return children.get(type) ?? [];
}

/** Types whose objects may refer to an object of the type, each with its reference. */
export function backReferencesOf(type: ResourceType): readonly BackReference[] {
  return backReferences.get(type) ?? [];
}

/** The structure of a property or attribute; undefined for a scalar kind. */
export function findStructure(kind: string | undefined): StructureSpec | undefined {
  return kind === undefined ? undefined : structureByName.get(kind);
}

/** True for types whose objects may have children that go with them. */
export function takesChildrenAlong(type: ResourceType): boolean {
  return childTypesOf(type).some(
    (child) => specOf(child).derivedFrom.includes(type) || ofDefaults.includes(type),
  );
}

/**
 * True when deleting the parent deletes such a child too: it was derived from it, or it is the default
 * one of its type (`default-application-policy-set`, the security group `default`), as in R21.
 */
export function goesWithParent(
  child: { readonly type: ResourceType; readonly name: string },
  parent: ResourceType,
): boolean {
  const { derivedFrom, restName } = specOf(child.type);
  if (derivedFrom.includes(parent)) return true;
  if (!ofDefaults.includes(parent)) return false;
  return child.name === `default-${restName}` || child.name === 'default';
}
