import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { relaxedTargets } from './relaxed-references';
import { fieldsOf, specOf, toCamelCase, typeNames, typeOf, withFields } from './resource';
import type { ResourceType } from './resource';
import type { ReferenceSpec } from './schema';

/** One reference of an object to another. */
export interface ResourceReference {
  readonly type: ResourceType;
  readonly uuid: string;
  readonly fqName: readonly string[];
  /** A weak reference does not keep its target from being deleted. */
  readonly weak: boolean;
}

interface RawReference {
  readonly uuid: string;
  readonly fqName: string[];
}

/** The references of a type to another, and the field that holds them. */
interface ReferenceField {
  readonly field: string;
  readonly type: ResourceType;
  readonly weak: boolean;
}

const fieldsByType = new Map<ResourceType, readonly ReferenceField[]>(
  typeNames.map((name) => [
    name,
    specOf(name).references.map((spec) => ({
      field: referenceField(spec),
      type: spec.to as ResourceType,
      weak: spec.weak,
    })),
  ]),
);
const none: readonly RawReference[] = [];

/** TypeScript field that holds references to a type: `networkIpamRefs`. */
export function referenceField(spec: ReferenceSpec): string {
  return toCamelCase(`${spec.to}-refs`);
}

/** All references of an object, in the order of the table. */
export function refsOf(resource: Resource): ResourceReference[] {
  const relaxed = relaxedTargets(resource.kind?.value.meta);
  const references: ResourceReference[] = [];
  for (const { field, type, weak } of referenceFields(resource)) {
    for (const { uuid, fqName } of rawReferences(resource, field))
      references.push({ type, uuid, fqName, weak: weak || relaxed.has(uuid) });
  }
  return references;
}

/**
 * Rewrites each reference; `undefined` removes it. Attributes stay.
 * @returns the same resource when nothing changed.
 */
export function mapRefs(
  resource: Resource,
  change: (reference: ResourceReference) => { uuid: string; fqName: string[] } | undefined,
): Resource {
  const fields: Record<string, unknown> = {};
  let isChanged = false;
  for (const { field, type, weak } of referenceFields(resource)) {
    const before = rawReferences(resource, field);
    // Most types have many fields for references, and most objects use two.
    if (before.length === 0) continue;
    const after = before.flatMap((reference) => {
      const { uuid, fqName } = reference;
      const changed = change({ type, weak, uuid, fqName });
      if (changed === undefined) return [];
      return [isSame(reference, changed) ? reference : { ...reference, ...changed }];
    });
    if (after.length === before.length && after.every((reference, i) => reference === before[i])) continue;
    fields[field] = after;
    isChanged = true;
  }
  return isChanged ? withFields(resource, fields) : resource;
}

function isSame(a: RawReference, b: RawReference): boolean {
  return (
    a.uuid === b.uuid &&
    a.fqName.length === b.fqName.length &&
    a.fqName.every((part, i) => part === b.fqName[i])
  );
}

function referenceFields(resource: Resource): readonly ReferenceField[] {
  return fieldsByType.get(typeOf(resource)) ?? [];
}

function rawReferences(resource: Resource, field: string): readonly RawReference[] {
  return (fieldsOf(resource)[field] as readonly RawReference[] | undefined) ?? none;
}
