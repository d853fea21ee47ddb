import { fieldsOf, metaOf, typeOf } from '@contrail/resource-model';
import type { ResourceType } from '@contrail/resource-model';
import type { Meta, Resource } from '@contrail/proto-gen/config/v1/resources';
import { encodeAnnotations } from './annotations';
import { encodeStructure, encodeValue } from './encode-value';
import type { Answer } from './json';
import { encodeIdPerms, encodePerms2 } from './permissions';
import { restTypeOf } from './rest-types';
import type { RestReference } from './rest-types';

/** Beginning of every link: `https://10.0.0.1:8082`; undefined when the client wants none. */
export type Root = string | undefined;

interface StoredReference {
  readonly uuid: string;
  readonly fqName: readonly string[];
  readonly attr?: unknown;
}

export function hrefOf(root: string, type: ResourceType, uuid: string): string {
  return `${root}/${restTypeOf(type).name}/${uuid}`;
}

function link(root: Root, type: ResourceType, uuid: string): { href?: string } {
  return root === undefined ? {} : { href: hrefOf(root, type, uuid) };
}

/** What every list shows of an object. */
export function encodeIdentity(resource: Resource, root: Root): Record<string, Answer> {
  const { uuid, fqName } = metaOf(resource);
  return { uuid, fq_name: fqName, ...link(root, typeOf(resource), uuid) };
}

/** The parent, where there is one. */
export function encodeParent(meta: Meta, root: Root): Record<string, Answer> {
  if (meta.parentUuid === '') return {};
  const type = meta.parentType as ResourceType;
  const parent = { parent_type: restTypeOf(type).name, parent_uuid: meta.parentUuid };
  if (root === undefined) return parent;
  return { ...parent, parent_href: hrefOf(root, type, meta.parentUuid) };
}

/** All properties and references of an object; children and back references are not part of it. */
export function encodeResource(resource: Resource, root: Root): Record<string, Answer> {
  const type = restTypeOf(typeOf(resource));
  const meta = metaOf(resource);
  const fields = fieldsOf(resource);
  const name = meta.fqName.at(-1) ?? '';
  const answer: Record<string, Answer> = {
    ...encodeIdentity(resource, root),
    name,
    display_name: meta.displayName === '' ? name : meta.displayName,
    ...encodeParent(meta, root),
    id_perms: encodeIdPerms(meta),
    perms2: encodePerms2(meta),
  };
  const annotations = encodeAnnotations(meta, type, fields);
  if (annotations !== undefined) answer['annotations'] = annotations;
  for (const property of type.properties) {
    const value = encodeValue(property.spec, fields[property.field]);
    if (value !== undefined) answer[property.name] = value;
  }
  for (const reference of type.references) {
    const stored = (fields[reference.field] ?? []) as readonly StoredReference[];
    if (stored.length === 0) continue;
    answer[reference.name] = stored.map((item) => encodeReference(reference, item, root));
  }
  return answer;
}

/** An attribute that is not set, or that the type does not have, is null, never `{}`: clients hash it. */
export function encodeReference(
  { spec, to }: RestReference,
  { uuid, fqName, attr }: StoredReference,
  root: Root,
): Answer {
  const encoded = spec.attr === undefined ? undefined : encodeStructure(spec.attr, attr);
  return { to: [...fqName], ...link(root, to, uuid), attr: encoded ?? null, uuid };
}

/** The references of an object to one other, as the other shows them among its back references. */
export function encodeBackReferences(referrer: Resource, target: string, root: Root): Answer[] {
  const { uuid, fqName } = metaOf(referrer);
  const type = typeOf(referrer);
  const fields = fieldsOf(referrer);
  return restTypeOf(type).references.flatMap(({ field, spec }) => {
    const stored = (fields[field] ?? []) as readonly StoredReference[];
    return stored
      .filter((item) => item.uuid === target)
      .map(({ attr }): Answer => {
        const encoded = spec.attr === undefined ? undefined : encodeStructure(spec.attr, attr);
        return { to: fqName, ...link(root, type, uuid), attr: encoded ?? null, uuid };
      });
  });
}

/** A child, as its parent shows it. */
export function encodeChild(child: Resource, root: Root): Answer {
  const { uuid, fqName } = metaOf(child);
  return { to: fqName, ...link(root, typeOf(child), uuid), uuid };
}
