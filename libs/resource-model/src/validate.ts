import type { Meta, Resource } from '@contrail/proto-gen/config/v1/resources';
import { checkedProperties } from './checked-properties';
import type { CheckedProperty } from './checked-properties';
import { formatProblem, isUuid } from './formats';
import { isChildName, reservedNameProblem } from './naming-rules';
import { refsOf } from './references';
import { describe, fieldsOf, specOf, toCamelCase, typeNames, typeOf } from './resource';
import type { ResourceType } from './resource';
import type { PropertySpec, ResourceTypeSpec } from './schema';
import { ruleProblems } from './type-rules';

/** Limits that keep one object, and so one message and one log entry, bounded. */
export const limits = {
  resourceBytesMax: 262_144,
  namePartLengthMax: 512,
  fqNamePartsMax: 8,
  annotationsMax: 128,
  annotationKeyLengthMax: 317,
  annotationBytesMax: 65_536,
} as const;

type Fields = Readonly<Record<string, unknown>>;

interface ReadOnlyField {
  readonly name: string;
  /** The name in generated TypeScript. */
  readonly field: string;
}

const readOnlyByType = new Map<ResourceType, readonly ReadOnlyField[]>(
  typeNames.map((type) => [
    type,
    specOf(type)
      .properties.filter(({ readOnly }) => readOnly)
      .map(({ name }) => ({ name, field: toCamelCase(name) })),
  ]),
);

/** They separate the parts of a name in the store's indexes. */
const controlCharacter = /[\u0000-\u001f\u007f]/;

/**
 * Everything that is wrong with an object by itself: formats, ranges, values, required fields, names,
 * number of references. What needs other objects (parent and references exist) the store checks.
 *
 * @returns one text per problem, each naming object, field, cause and remedy; empty when valid.
 * @throws ContrailError INVALID_ARGUMENT when the resource has no kind or no meta.
 */
export function validateResource(resource: Resource): string[] {
  const spec = specOf(typeOf(resource));
  const fields = fieldsOf(resource);
  const meta = resource.kind?.value.meta;
  const problems = [
    ...(meta === undefined ? ['meta: is missing; set uuid and fq_name'] : metaProblems(spec, meta)),
    ...propertyProblems(checkedProperties(spec.properties), fields, ''),
    ...referenceProblems(spec, resource),
    ...ruleProblems(resource),
  ];
  if (problems.length === 0) return problems;
  const name = describe(resource);
  return problems.map((problem) => `${name} ${problem}`);
}

/** A client may leave read-only fields empty or repeat the stored value, nothing else. */
export function readOnlyProblems(resource: Resource, stored: Resource | undefined): string[] {
  const given = fieldsOf(resource);
  const kept: Fields = stored === undefined ? {} : fieldsOf(stored);
  return readOnlyFields(typeOf(resource)).flatMap(({ name, field }) => {
    const value = given[field];
    if (isEmpty(value) || value === kept[field]) return [];
    return [
      `${describe(resource)} ${name}: is ${show(value)}, but only config-api sets it` +
        `${isEmpty(kept[field]) ? '' : ` (now ${show(kept[field])})`}; leave it empty`,
    ];
  });
}

/** Properties of a type that only config-api sets. */
export function readOnlyFields(type: ResourceType): readonly ReadOnlyField[] {
  return readOnlyByType.get(type) ?? [];
}

/** What must hold between an object and its parent. */
export function parentProblems(
  resource: Resource,
  parent: { readonly type: ResourceType; readonly fqName: readonly string[] },
): string[] {
  const meta = resource.kind?.value.meta;
  if (meta === undefined || isChildName(meta.fqName, parent)) return [];
  const prefix = parent.type === 'config-root' ? '' : `${parent.fqName.join(':')}:`;
  return [
    `${describe(resource)} fq_name: does not continue the name of its parent ${parent.type} ` +
      `${parent.fqName.join(':')}; write ${prefix}${meta.fqName.at(-1) ?? '<name>'}`,
  ];
}

function metaProblems(spec: ResourceTypeSpec, meta: Meta): string[] {
  const problems: string[] = [];
  if (!isUuid(meta.uuid))
    problems.push(
      `meta.uuid: is ${show(meta.uuid)}, but it must be a lower-case UUID as in RFC 4122`,
    );
  if (meta.fqName.length === 0)
    problems.push('meta.fq_name: is empty; write the names from the root, this object last');
  if (meta.fqName.length > limits.fqNamePartsMax) {
    problems.push(
      `meta.fq_name: has ${meta.fqName.length} parts, but at most ${limits.fqNamePartsMax} are possible`,
    );
  }
  for (const [i, part] of meta.fqName.entries()) problems.push(...namePartProblems(part, i));
  const reserved = reservedNameProblem(spec.name as ResourceType, meta.fqName.at(-1) ?? '');
  if (reserved !== undefined) problems.push(`meta.fq_name: ${reserved}`);
  problems.push(...parentTypeProblems(spec, meta), ...annotationProblems(meta));
  return problems;
}

function namePartProblems(part: string, index: number): string[] {
  if (part === '') return [`meta.fq_name[${index}]: is empty; every part of a name needs text`];
  if (part.length > limits.namePartLengthMax) {
    return [
      `meta.fq_name[${index}]: has ${part.length} characters, but at most ${limits.namePartLengthMax} are allowed`,
    ];
  }
  return controlCharacter.test(part)
    ? [`meta.fq_name[${index}]: contains a control character; use printable text`]
    : [];
}

function parentTypeProblems(spec: ResourceTypeSpec, meta: Meta): string[] {
  if (spec.parents.length === 0) {
    if (meta.parentType === '' && meta.parentUuid === '') return [];
    return [
      `meta.parent_type: is ${show(meta.parentType)}, but a ${spec.name} has no parent; leave parent_type and parent_uuid empty`,
    ];
  }
  if (!spec.parents.includes(meta.parentType)) {
    return [
      `meta.parent_type: is ${show(meta.parentType)}, but the parent of a ${spec.name} is a ${spec.parents.join(' or a ')}; write that`,
    ];
  }
  if (isUuid(meta.parentUuid)) return [];
  return [
    `meta.parent_uuid: is ${show(meta.parentUuid)}, but it must be the UUID of a ${meta.parentType}`,
  ];
}

function annotationProblems(meta: Meta): string[] {
  const entries = Object.entries(meta.annotations);
  const problems: string[] = [];
  if (entries.length > limits.annotationsMax) {
    problems.push(
      `meta.annotations: has ${entries.length} keys, but at most ${limits.annotationsMax} are allowed; remove some`,
    );
  }
  const bytes = entries.reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value),
    0,
  );
  if (bytes > limits.annotationBytesMax) {
    problems.push(
      `meta.annotations: have ${bytes} bytes, but at most ${limits.annotationBytesMax} are allowed; shorten them`,
    );
  }
  for (const [key] of entries) {
    if (key === '' || key.length > limits.annotationKeyLengthMax) {
      problems.push(
        `meta.annotations: the key ${show(key)} must have 1 to ${limits.annotationKeyLengthMax} characters`,
      );
    }
  }
  return problems;
}

function propertyProblems(
  checked: readonly CheckedProperty[],
  owner: Fields,
  path: string,
): string[] {
  const problems: string[] = [];
  for (const property of checked) {
    const { required, repeated, range, name } = property.spec;
    const value = owner[property.field];
    if (required && isEmpty(value)) {
      problems.push(`${path}${name}: is missing; it is required`);
    } else if (repeated) {
      const values = Array.isArray(value) ? (value as unknown[]) : [];
      for (const [i, item] of values.entries())
        problems.push(...valueProblems(property, item, `${path}${name}[${i}]`));
    } else if (range !== undefined || !isEmpty(value)) {
      problems.push(...valueProblems(property, value, path + name));
    }
  }
  return problems;
}

function valueProblems({ spec, inside }: CheckedProperty, value: unknown, path: string): string[] {
  if (inside !== undefined) {
    if (typeof value !== 'object' || value === null) return [];
    return propertyProblems(inside, value as Fields, `${path}.`);
  }
  if (typeof value === 'string') return textProblems(spec, value, path);
  if (typeof value === 'number' && spec.range !== undefined) {
    const { min, max } = spec.range;
    const unset = value === 0 && !spec.explicit && !spec.repeated;
    if (!unset && (value < min || value > max)) {
      return [`${path}: is ${value}, but it must be ${min} to ${max}`];
    }
  }
  return [];
}

function textProblems(property: PropertySpec, value: string, path: string): string[] {
  if (value === '' && !property.repeated) return [];
  if (property.values !== undefined && !property.values.includes(value)) {
    return [`${path}: is ${show(value)}, but it must be one of ${property.values.join(', ')}`];
  }
  const problem = property.format === undefined ? undefined : formatProblem(property.format, value);
  return problem === undefined ? [] : [`${path}: is ${show(value)}, but it must be ${problem}`];
}

function referenceProblems(spec: ResourceTypeSpec, resource: Resource): string[] {
  const references = refsOf(resource);
  if (references.length === 0) return [];
  const problems: string[] = [];
  const seen = new Set<string>();
  const counts = new Map<string, number>();
  for (const { type, uuid } of references) {
    const index = counts.get(type) ?? 0;
    counts.set(type, index + 1);
    if (!isUuid(uuid))
      problems.push(
        `${refsField(type)}[${index}].uuid: is ${show(uuid)}, but it must be the UUID of a ${type}`,
      );
    if (seen.has(uuid))
      problems.push(`${refsField(type)}[${index}]: refers to ${uuid} a second time; keep one reference`);
    seen.add(uuid);
  }
  for (const { to, max } of spec.references) {
    const count = counts.get(to) ?? 0;
    if (count > max) {
      problems.push(
        `${refsField(to)}: has ${count} references, but a ${spec.name} has at most ${max}; remove the others`,
      );
    }
  }
  return problems;
}

function refsField(type: string): string {
  return `${type.replaceAll('-', '_')}_refs`;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === 0n)
    return true;
  return Array.isArray(value) && value.length === 0;
}

/** A value in an error text, cut so that a text stays readable. */
function show(value: unknown): string {
  const text = typeof value === 'string' ? `"${value}"` : String(value);
  return text.length > 120 ? `${text.slice(0, 117)}…"` : text;
}
