import { ContrailError } from '@contrail/errors';
import { fieldsOf, isUuid, toResource } from '@contrail/resource-model';
import type { PartialMessage, ResourceType } from '@contrail/resource-model';
import { decodeStructure, decodeValue } from './decode-value';
import { badField, isJsonObject, optionalText, textList } from './json';
import type { Json, JsonObject } from './json';
import type { RestReference, RestType } from './rest-types';

/** A reference as a client names it: by uuid, by name, or both. */
export interface GivenReference {
  readonly uuid: string;
  readonly fqName: readonly string[];
  readonly attr: unknown;
}

/** What a client says about an object, checked for form. Absent members are not mentioned. */
export interface ObjectBody {
  readonly type: RestType;
  readonly uuid: string | undefined;
  readonly fqName: readonly string[] | undefined;
  readonly name: string | undefined;
  readonly parentType: string | undefined;
  readonly parentUuid: string | undefined;
  /** Members that another part decodes: display_name, annotations, id_perms, perms2. */
  readonly meta: JsonObject;
  /** Complete values of properties by field name of the message; what is null has its empty value. */
  readonly properties: Readonly<Record<string, unknown>>;
  readonly references: ReadonlyMap<RestReference, readonly GivenReference[]>;
}

const metaMembers = ['display_name', 'annotations', 'id_perms', 'perms2'];

/**
 * Reads `{"virtual-network": {…}}`. Unknown members of the object are ignored: clients send objects
 * back as they read them, links included.
 *
 * @throws ContrailError INVALID_ARGUMENT that names the field, the value and what it must be.
 */
export function decodeBody(type: RestType, body: Json): ObjectBody {
  const object = isJsonObject(body) ? body[type.name] : undefined;
  if (!isJsonObject(object)) throw badField('body', body, `an object with the member ${type.name}`);
  const fqName = object['fq_name'] ?? undefined;
  return {
    type,
    uuid: uuidMember(object, 'uuid'),
    fqName: fqName === undefined ? undefined : decodeName('fq_name', fqName),
    name: optionalText(object, 'name'),
    parentType: optionalText(object, 'parent_type'),
    parentUuid: uuidMember(object, 'parent_uuid'),
    meta: Object.fromEntries(
      metaMembers.flatMap((name) => {
        const value = object[name];
        return value === undefined ? [] : [[name, value]];
      }),
    ),
    properties: decodeProperties(type, object),
    references: decodeReferences(type, object),
  };
}

/** A name as list, or joined by colons as some clients write it. */
export function decodeName(field: string, value: Json): string[] {
  const parts = typeof value === 'string' ? value.split(':') : textList(field, value);
  if (parts.length === 0) throw badField(field, value, 'a list of names from the root');
  return parts;
}

/** The properties of a message, each filled completely so that stored objects are canonical. */
function decodeProperties(type: RestType, object: JsonObject): Record<string, unknown> {
  const decoded: Record<string, unknown> = {};
  const named: string[] = [];
  for (const { name, field, spec } of type.properties) {
    const value = object[name];
    if (value === undefined) continue;
    named.push(field);
    decoded[field] = decodeValue(spec, value, name);
  }
  return pick(fillMessage(type.type, decoded), named);
}

function decodeReferences(
  type: RestType,
  object: JsonObject,
): ReadonlyMap<RestReference, readonly GivenReference[]> {
  const found = new Map<RestReference, readonly GivenReference[]>();
  for (const reference of type.references) {
    const value = object[reference.name];
    if (value === undefined) continue;
    if (value !== null && !Array.isArray(value)) throw badField(reference.name, value, 'a list');
    const items = (value ?? []) as readonly Json[];
    const given = items.map((item, i) => decodeReference(reference, item, `${reference.name}[${i}]`));
    found.set(reference, fillReferences(type, reference, given));
  }
  return found;
}

function decodeReference(reference: RestReference, item: Json, path: string): GivenReference {
  if (!isJsonObject(item)) throw badField(path, item, 'an object with to or uuid');
  const uuid = uuidMember(item, 'uuid', path);
  const to = item['to'] ?? null;
  const fqName = to === null ? [] : decodeName(`${path}.to`, to);
  if (uuid === undefined && fqName.length === 0) {
    throw badField(path, item, 'a reference with the uuid, or with the name in "to"');
  }
  return { uuid: uuid ?? '', fqName, attr: decodeAttribute(reference, item['attr'] ?? null, path) };
}

/** The attribute of a reference. @throws ContrailError INVALID_ARGUMENT */
export function decodeAttribute({ spec }: RestReference, attr: Json, path: string): unknown {
  if (attr === null) return undefined;
  if (spec.attr !== undefined) return decodeStructure(spec.attr, attr, `${path}.attr`);
  // Some clients send an empty attribute where the type has none.
  if (isJsonObject(attr) && Object.keys(attr).length === 0) return undefined;
  throw badField(`${path}.attr`, attr, 'null; this reference has no attribute');
}

/** The same references with complete attributes. */
export function fillReferences(
  type: RestType,
  reference: RestReference,
  given: readonly GivenReference[],
): readonly GivenReference[] {
  const raw = given.map(({ uuid, fqName, attr }) => ({
    uuid,
    fqName,
    ...(attr === undefined ? {} : { attr }),
  }));
  const filled = fillMessage(type.type, { [reference.field]: raw })[reference.field];
  return filled as readonly GivenReference[];
}

/** All fields of a message with its empty values where nothing is given. */
export function fillMessage(
  type: ResourceType,
  fields: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const message = { ...fields, meta: { fqName: [] } } as unknown as PartialMessage<typeof type>;
  return fieldsOf(toResource(type, message));
}

function pick(
  fields: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, fields[name]]));
}

/** A uuid in any case. @throws ContrailError INVALID_ARGUMENT */
export function uuidMember(body: JsonObject, name: string, path = ''): string | undefined {
  const text = optionalText(body, name)?.toLowerCase();
  if (text === undefined || text === '') return undefined;
  if (isUuid(text)) return text;
  throw new ContrailError(
    'INVALID_ARGUMENT',
    `${path === '' ? '' : `${path}.`}${name}: is ${JSON.stringify(text.slice(0, 60))}, but it must be a UUID as in RFC 4122`,
  );
}
