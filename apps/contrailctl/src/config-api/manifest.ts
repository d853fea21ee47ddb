import { ContrailError } from '@contrail/errors';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import {
  fieldsOf,
  findStructure,
  metaOf,
  parseResourceType,
  referenceField,
  specOf,
  toCamelCase,
  toResource,
  typeOf,
} from '@contrail/resource-model';
import type { PropertySpec, ResourceType } from '@contrail/resource-model';

/*
 * Objects as people read and write them: `type`, `fq_name`, the fields of the resource model in snake_case, and
 * references as lists of `to`, `uuid` and `attr`. What `get -o yaml` prints `apply -f` takes.
 */

export type Manifest = Readonly<Record<string, unknown>>;

/** A manifest as an object to store. */
export interface ParsedManifest {
  readonly resource: Resource;
  /** Fields that the manifest names, as paths of an update mask. */
  readonly paths: readonly string[];
  /** 0 when the manifest has none. */
  readonly revision: bigint;
}

const identityFields = ['type', 'uuid', 'fq_name', 'name', 'parent_type', 'parent_uuid', 'revision'];
const metaFields: Readonly<Record<string, string>> = {
  display_name: 'displayName',
  annotations: 'annotations',
  id_perms: 'idPerms',
  perms2: 'perms2',
};

/** Every field that is set. */
export function toManifest(resource: Resource): Record<string, unknown> {
  const type = typeOf(resource);
  const meta = metaOf(resource);
  const fields = fieldsOf(resource);
  const manifest: Record<string, unknown> = { type, fq_name: meta.fqName, uuid: meta.uuid };
  if (meta.parentType !== '') manifest['parent_type'] = meta.parentType;
  if (meta.revision !== 0n) manifest['revision'] = Number(meta.revision);
  if (meta.displayName !== '' && meta.displayName !== meta.fqName.at(-1)) manifest['display_name'] = meta.displayName;
  if (Object.keys(meta.annotations).length > 0) manifest['annotations'] = meta.annotations;
  for (const property of specOf(type).properties) put(manifest, property.name, plainOf(property, fields[toCamelCase(property.name)]));
  for (const reference of specOf(type).references) {
    const found = (fields[referenceField(reference)] ?? []) as readonly Reference[];
    if (found.length === 0) continue;
    manifest[referenceName(reference.to)] = found.map(({ uuid, fqName, attr }) => {
      const text = reference.attr === undefined ? undefined : plainStructure(reference.attr, attr);
      return { to: fqName, uuid, ...(text === undefined ? {} : { attr: text }) };
    });
  }
  put(manifest, 'id_perms', plainStructure('IdPermsType', meta.idPerms));
  put(manifest, 'perms2', plainStructure('PermType2', meta.perms2));
  return manifest;
}

interface Reference {
  readonly uuid: string;
  readonly fqName: readonly string[];
  readonly attr?: unknown;
}

/** @throws ContrailError INVALID_ARGUMENT that names the field and what belongs there; `where` is the file. */
export function fromManifest(value: unknown, where: string): ParsedManifest {
  const manifest = asRecord(value, where);
  if (typeof manifest['type'] !== 'string') throw invalid(`${where} type`, 'is missing', 'write type: virtual-network');
  const type = parseResourceType(manifest['type']);
  const fqName = fqNameOf(manifest, where);
  const here = `${where} ${specOf(type).message}/${fqName.join(':')}`;
  const fields: Record<string, unknown> = {};
  const meta: Record<string, unknown> = {
    fqName,
    uuid: textOf(manifest['uuid'], `${here} uuid`),
    parentType: textOf(manifest['parent_type'], `${here} parent_type`),
    parentUuid: textOf(manifest['parent_uuid'], `${here} parent_uuid`),
  };
  const paths: string[] = [];
  for (const [name, given] of Object.entries(manifest)) {
    if (identityFields.includes(name)) continue;
    const metaField = metaFields[name];
    if (metaField !== undefined) {
      meta[metaField] = metaValue(name, given, here);
      paths.push(`meta.${name}`);
      continue;
    }
    const [field, parsed] = fieldValue(type, { name, given }, here);
    fields[field] = parsed;
    paths.push(name);
  }
  const resource = toResource(type, { ...fields, meta } as Parameters<typeof toResource<ResourceType>>[1]);
  return { resource, paths, revision: revisionOf(manifest['revision'], here) };
}

function metaValue(name: string, given: unknown, here: string): unknown {
  const path = `${here} ${name}`;
  switch (name) {
    case 'id_perms':
      return parseStructure('IdPermsType', given, path);
    case 'perms2':
      return parseStructure('PermType2', given, path);
    case 'annotations':
      return Object.fromEntries(Object.entries(asRecord(given, path)).map(([key, text]) => [key, textOf(text, `${path}.${key}`)]));
    default:
      return textOf(given, path);
  }
}

function fieldValue(type: ResourceType, { name, given }: { name: string; given: unknown }, here: string): [string, unknown] {
  const { properties, references } = specOf(type);
  const property = properties.find((candidate) => candidate.name === name);
  if (property !== undefined) return [toCamelCase(name), parseProperty(property, given, `${here} ${name}`)];
  const reference = references.find(({ to }) => referenceName(to) === name);
  if (reference === undefined) {
    const known = [...properties.map((candidate) => candidate.name), ...references.map(({ to }) => referenceName(to))];
    throw invalid(`${here} ${name}`, `is no field of ${type}`, `write one of ${known.join(', ')}`);
  }
  const list = asList(given, `${here} ${name}`);
  const parsed = list.map((entry, i) => parseReference(entry, reference.attr, `${here} ${name}[${i}]`));
  return [referenceField(reference), parsed];
}

/** A name, or `to`, `uuid` and `attr`. */
function parseReference(given: unknown, attr: string | undefined, path: string): Reference {
  if (typeof given === 'string') return { uuid: '', fqName: given.split(':') };
  const entry = asRecord(given, path);
  const unknown = Object.keys(entry).find((name) => !['to', 'uuid', 'attr', 'href'].includes(name));
  if (unknown !== undefined) throw invalid(`${path}.${unknown}`, 'is unknown', 'a reference has to, uuid and attr');
  const to = entry['to'] === undefined ? [] : nameParts(entry['to'], `${path}.to`);
  const uuid = textOf(entry['uuid'], `${path}.uuid`);
  if (to.length === 0 && uuid === '') throw invalid(path, 'names no object', 'set to or uuid');
  if (attr === undefined) return { uuid, fqName: to };
  return { uuid, fqName: to, attr: parseStructure(attr, entry['attr'] ?? {}, `${path}.attr`) };
}

function parseProperty(property: PropertySpec, given: unknown, path: string): unknown {
  if (!property.repeated) return parseValue(property, given, path);
  return asList(given, path).map((entry, i) => parseValue(property, entry, `${path}[${i}]`));
}

function parseValue({ kind }: PropertySpec, given: unknown, path: string): unknown {
  switch (kind) {
    case 'string':
      return textOf(given, path);
    case 'bool':
      if (typeof given === 'boolean') return given;
      throw invalid(path, `is ${shown(given)}`, 'write true or false');
    case 'uint64':
      return typeof given === 'string' && /^\d{1,20}$/.test(given) ? BigInt(given) : BigInt(wholeNumber(given, path));
    case 'uint32':
    case 'int32':
      return wholeNumber(given, path);
    case 'double':
      if (typeof given === 'number') return given;
      throw invalid(path, `is ${shown(given)}`, 'write a number');
    case 'bytes':
      return Buffer.from(textOf(given, path), 'base64');
    default:
      return parseStructure(kind, given, path);
  }
}

function parseStructure(kind: string, given: unknown, path: string): Record<string, unknown> {
  const fields = findStructure(kind)?.fields ?? [];
  const parsed = Object.entries(asRecord(given, path)).map(([name, value]): [string, unknown] => {
    const field = fields.find((candidate) => candidate.name === name);
    if (field !== undefined) return [toCamelCase(name), parseProperty(field, value, `${path}.${name}`)];
    throw invalid(`${path}.${name}`, 'is unknown', `write one of ${fields.map((candidate) => candidate.name).join(', ')}`);
  });
  return Object.fromEntries(parsed);
}

/** Undefined for what is not set. */
function plainOf(property: PropertySpec, value: unknown): unknown {
  if (property.repeated) {
    const list = (value ?? []) as readonly unknown[];
    return list.length === 0 ? undefined : list.map((entry) => plainValue(property.kind, entry));
  }
  const isEmpty = value === '' || value === 0 || value === 0n;
  const counts = property.explicit || (property.zeroCounts && value === 0);
  return isEmpty && !counts ? undefined : plainValue(property.kind, value);
}

function plainValue(kind: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString();
  if (value instanceof Uint8Array) return value.length === 0 ? undefined : Buffer.from(value).toString('base64');
  return findStructure(kind) === undefined ? value : plainStructure(kind, value);
}

function plainStructure(kind: string, value: unknown): Record<string, unknown> | undefined {
  if (value === undefined) return undefined;
  const fields = value as Readonly<Record<string, unknown>>;
  const plain: Record<string, unknown> = {};
  for (const field of findStructure(kind)?.fields ?? []) put(plain, field.name, plainOf(field, fields[toCamelCase(field.name)]));
  return Object.keys(plain).length === 0 ? undefined : plain;
}

function put(target: Record<string, unknown>, name: string, value: unknown): void {
  if (value !== undefined) target[name] = value;
}

/** `virtual-network` -> `virtual_network_refs`. */
function referenceName(type: string): string {
  return `${type.replaceAll('-', '_')}_refs`;
}

function fqNameOf(manifest: Manifest, where: string): string[] {
  const given = manifest['fq_name'] ?? manifest['name'];
  if (given === undefined) throw invalid(`${where} fq_name`, 'is missing', 'write fq_name: [default-domain, default-project, blue]');
  return nameParts(given, `${where} fq_name`);
}

/** Parts of a name: a list, or one text with colons. */
function nameParts(given: unknown, path: string): string[] {
  if (typeof given === 'string') return given.split(':');
  return asList(given, path).map((part, i) => textOf(part, `${path}[${i}]`));
}

function revisionOf(given: unknown, here: string): bigint {
  return given === undefined ? 0n : BigInt(wholeNumber(given, `${here} revision`));
}

function wholeNumber(given: unknown, path: string): number {
  const value = typeof given === 'string' && /^-?\d+$/.test(given) ? Number(given) : given;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw invalid(path, `is ${shown(given)}`, 'write a whole number');
}

function textOf(given: unknown, path: string): string {
  if (given === undefined || given === null) return '';
  if (typeof given === 'string') return given;
  if (typeof given === 'number' || typeof given === 'boolean') return String(given);
  throw invalid(path, `is ${shown(given)}`, 'write a text');
}

function asRecord(given: unknown, path: string): Manifest {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given as Manifest;
  throw invalid(path, `is ${shown(given)}`, 'write fields and values');
}

function asList(given: unknown, path: string): readonly unknown[] {
  if (Array.isArray(given)) return given;
  throw invalid(path, `is ${shown(given)}`, 'write a list');
}

function shown(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value);
}

function invalid(path: string, problem: string, remedy: string): ContrailError {
  return new ContrailError('INVALID_ARGUMENT', `${path}: ${problem}; ${remedy}`);
}
