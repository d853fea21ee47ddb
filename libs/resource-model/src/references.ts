import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { relaxedTargets } from './relaxed-references';
import { fieldsOf, specOf, toCamelCase, typeOf, withFields } from './resource';
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

/** TypeScript field that holds references to a type: `networkIpamRefs`. */
export function referenceField(spec: ReferenceSpec): string {
  return toCamelCase(`${spec.to}-refs`);
}

/** All references of an object, in the order of the table. */
export function refsOf(resource: Resource): ResourceReference[] {
  const relaxed = relaxedTargets(resource.kind?.value.meta);
  return specOf(typeOf(resource)).references.flatMap((spec) =>
    rawReferences(resource, spec).map(({ uuid, fqName }) => ({
      type: spec.to as ResourceType,
      uuid,
      fqName,
      weak: spec.weak || relaxed.has(uuid),
    })),
  );
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
  for (const spec of specOf(typeOf(resource)).references) {
    const before = rawReferences(resource, spec);
    const type = spec.to as ResourceType;
    const after = before.flatMap((reference) => {
      const changed = change({
        type,
        weak: spec.weak,
        uuid: reference.uuid,
        fqName: reference.fqName,
      });
      return changed === undefined ? [] : [{ ...reference, ...changed }];
    });
    if (before.length > 0) fields[referenceField(spec)] = after;
  }
  return Object.keys(fields).length === 0 ? resource : withFields(resource, fields);
}

function rawReferences(resource: Resource, spec: ReferenceSpec): readonly RawReference[] {
  return (fieldsOf(resource)[referenceField(spec)] ?? []) as readonly RawReference[];
}
