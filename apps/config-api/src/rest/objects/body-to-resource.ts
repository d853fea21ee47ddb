import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { ContrailError } from '@contrail/errors';
import {
  childFqName,
  describe,
  fieldsOf,
  findMessage,
  metaOf,
  parentFqName,
  setMeta,
  specOf,
  toResource,
  typeOf,
  withFields,
} from '@contrail/resource-model';
import type { PartialMessage, ResourceType } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { namespaceAnnotation } from '../auth/containing-project';
import { RestError } from '../http/rest-error';
import { decodeAnnotations, replaceAnnotations } from '../wire/annotations';
import type { GivenReference, ObjectBody } from '../wire/decode-body';
import { forgetPositions } from '../wire/elements';
import { badField, optionalText } from '../wire/json';
import { mergeIdPerms, mergePerms2 } from '../wire/permissions';
import { findTypeInBody } from '../wire/rest-types';
import type { RestReference } from '../wire/rest-types';

/** A parent as it is stored. */
export interface Parent {
  readonly type: ResourceType;
  readonly uuid: string;
  readonly fqName: readonly string[];
}

/** Read, change and refer. */
const everyAccess = 7;

/** References of a request with their uuids. */
export type ResolvedReferences = ReadonlyMap<RestReference, readonly GivenReference[]>;

/**
 * Type of the parent of a new object: what the client says, or the only possible one, or for a name of
 * three parts the project as in the original.
 *
 * @throws ContrailError INVALID_ARGUMENT
 */
export function parentTypeOf(body: ObjectBody): ResourceType | undefined {
  const { parents } = specOf(body.type.type);
  const isListed = (type: string): type is ResourceType => parents.includes(type);
  if (body.parentType !== undefined && body.parentType !== '') {
    const given = findTypeInBody(body.parentType)?.type ?? body.parentType;
    if (parents.length === 0)
      throw badField('parent_type', body.parentType, `absent; a ${body.type.name} has no parent`);
    if (isListed(given)) return given;
    throw badField('parent_type', body.parentType, `one of ${parents.join(', ')}`);
  }
  if (parents.length <= 1) return parents.find(isListed);
  const length = body.fqName?.length ?? 0;
  if (length === 1 && parents.includes('config-root')) return 'config-root';
  return parents.find((type): type is ResourceType => isListed(type) && type !== 'config-root');
}

/** Name of the parent of a new object. @throws ContrailError INVALID_ARGUMENT */
export function parentNameOf(body: ObjectBody, parentType: ResourceType): string[] {
  if (body.fqName === undefined)
    throw badField('fq_name', null, 'the list of names from the root; or give parent_uuid and name');
  return parentFqName(body.type.type, parentType, body.fqName);
}

/** The object that a client wants to create. @throws ContrailError INVALID_ARGUMENT, PERMISSION_DENIED */
export function toNewResource(
  body: ObjectBody,
  parent: Parent | undefined,
  references: ResolvedReferences,
): Resource {
  const { type } = body.type;
  const given = tagName(body) ?? body.fqName ?? childFqName(parent, body.name ?? '');
  // Some clients write the root before the names of its children.
  const fqName = parent?.type === 'config-root' ? given.slice(-1) : given;
  checkName(body, fqName);
  const resource = toResource(type, {
    meta: {
      uuid: body.uuid ?? randomUUID(),
      fqName: [...fqName],
      parentType: parent?.type ?? '',
      parentUuid: parent?.uuid ?? '',
    },
  } as unknown as PartialMessage<typeof type>);
  return guardNamespace(undefined, completeTag(applyBody(resource, body, references)));
}

/** A tag is named by its type and value, whatever the client calls it. */
function tagName({ type, fqName, properties }: ObjectBody): string[] | undefined {
  const { tagTypeName, tagValue } = properties;
  if (type.type !== 'tag' || typeof tagTypeName !== 'string' || typeof tagValue !== 'string')
    return undefined;
  return [...(fqName ?? []).slice(0, -1), `${tagTypeName.toLowerCase()}=${tagValue}`];
}

/** Types of tags are written small, a tag is shown by its name, and a global one is everybody's to refer to. */
function completeTag(resource: Resource): Resource {
  const tag = findMessage('tag', resource);
  if (tag === undefined) return resource;
  const meta = metaOf(resource);
  const perms2 =
    meta.parentType === 'config-root' && meta.perms2 === undefined
      ? mergePerms2(meta, { global_access: everyAccess })
      : meta.perms2;
  const tagTypeName = tag.tagTypeName?.toLowerCase();
  return setMeta(withFields(resource, { tagTypeName }), { ...meta, perms2, displayName: '' });
}

/** Characters that the original refuses, and names that no client could write in a list. */
function checkName(body: ObjectBody, fqName: readonly string[]): void {
  const name = fqName.at(-1) ?? '';
  if (name === '') throw badField('fq_name', [...fqName], 'a list whose last name is not empty');
  if (body.type.type === 'route-target') return;
  if (name.includes(':'))
    throw badField('fq_name', name, 'a name without ":", which joins the parts of names');
}

/**
 * The object with everything that a body mentions replaced; what it does not mention stays.
 * @throws ContrailError INVALID_ARGUMENT, PERMISSION_DENIED
 */
export function applyBody(
  current: Resource,
  body: ObjectBody,
  references: ResolvedReferences,
): Resource {
  checkReadOnly(current, body);
  const fields: Record<string, unknown> = {};
  let next = current;
  for (const { name, field, spec } of body.type.properties) {
    if (!(field in body.properties) || spec.readOnly) continue;
    fields[field] = body.properties[field];
    if (spec.collection !== undefined) next = forgetPositions(next, name);
  }
  for (const [reference, given] of references)
    fields[reference.field] = given.map(({ uuid, fqName, attr }) => ({
      ...{ uuid, fqName: [...fqName] },
      ...(attr === undefined ? {} : { attr }),
    }));
  return applyMeta(withFields(next, fields), body);
}

/** Clients send back what they read, so an equal value is no change. */
function checkReadOnly(current: Resource, body: ObjectBody): void {
  const stored = fieldsOf(current);
  for (const { name, field, spec } of body.type.properties) {
    const value = body.properties[field];
    if (!spec.readOnly || value === undefined || value === 0 || value === '') continue;
    if (isDeepStrictEqual(value, stored[field])) continue;
    const isId = spec.kind === 'uint32' || spec.kind === 'uint64';
    throw new RestError(
      isId ? 403 : 400,
      `${describe(current)} ${name}: is ${String(value)}, but only the server sets it; leave it out`,
    );
  }
}

function applyMeta(resource: Resource, { meta: given }: ObjectBody): Resource {
  const meta = { ...metaOf(resource) };
  if (given['display_name'] !== undefined) {
    const text = optionalText(given, 'display_name') ?? '';
    // Without one of its own an object is shown with its name.
    meta.displayName = text === meta.fqName.at(-1) ? '' : text;
  }
  if (given['annotations'] !== undefined) {
    const wanted = keepNamespace(resource, decodeAnnotations(given['annotations']));
    meta.annotations = replaceAnnotations(meta.annotations, wanted);
  }
  if (given['id_perms'] !== undefined)
    meta.idPerms = mergeIdPerms(meta, given['id_perms']);
  if (given['perms2'] !== undefined) meta.perms2 = mergePerms2(meta, given['perms2']);
  return setMeta(resource, meta);
}

/** A whole set of annotations without the namespace leaves it as it is. */
function keepNamespace(
  resource: Resource,
  wanted: Readonly<Record<string, string>>,
): Record<string, string> {
  const stored = metaOf(resource).annotations[namespaceAnnotation];
  if (typeOf(resource) !== 'project' || stored === undefined) return { ...wanted };
  return { [namespaceAnnotation]: stored, ...wanted };
}

/**
 * A project's namespace decides who has rights in it, so only kube-manager writes it.
 * @throws ContrailError PERMISSION_DENIED
 */
export function guardNamespace(before: Resource | undefined, after: Resource): Resource {
  if (typeOf(after) !== 'project') return after;
  const stored = before && metaOf(before).annotations[namespaceAnnotation];
  if (metaOf(after).annotations[namespaceAnnotation] === stored) return after;
  throw new ContrailError(
    'PERMISSION_DENIED',
    `${describe(after)} annotations: the key "${namespaceAnnotation}" is kube-manager's; leave it as it is`,
  );
}
