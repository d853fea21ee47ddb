import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { ContrailError } from '@contrail/errors';
import { Resource } from '@contrail/proto-gen/config/v1/resources';
import type { DeepPartial, Meta } from '@contrail/proto-gen/config/v1/resources';
import { resourceTypes } from './schema';
import type { ResourceTypeSpec } from './schema';

type Kind = NonNullable<Resource['kind']>;

type KebabCase<S extends string> = S extends `${infer Head}${infer Tail}`
  ? `${Head extends Lowercase<Head> ? Head : `-${Lowercase<Head>}`}${KebabCase<Tail>}`
  : S;

type CamelCase<S extends string> = S extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : S;

/** Kebab-case name of a resource type, as in the REST path: `virtual-network`. */
export type ResourceType = KebabCase<Kind['$case']>;

/** The protobuf message of a type: `MessageOf<'virtual-network'>` is `VirtualNetwork`. */
export type MessageOf<T extends ResourceType> = Extract<Kind, { $case: CamelCase<T> }>['value'];

/** What `toResource` needs: metadata with a name, and any of the type's own fields. */
export type PartialMessage<T extends ResourceType> = DeepPartial<MessageOf<T>> & {
  readonly meta: { readonly fqName: readonly string[] };
};

const camelCaseNames = new Map<string, string>();
const camelCaseNamesMax = 2_000;
const specs = new Map<string, ResourceTypeSpec>(resourceTypes.map((spec) => [spec.name, spec]));
const typeByCase = new Map(
  resourceTypes.map((spec) => [toCamelCase(spec.name), spec.name as ResourceType]),
);

/** Every type, parents before their children. */
export const typeNames: readonly ResourceType[] = resourceTypes.map(
  (spec) => spec.name as ResourceType,
);

/** `virtual-network` or `virtual_network` -> `virtualNetwork`, the name in generated TypeScript. */
export function toCamelCase(name: string): string {
  const known = camelCaseNames.get(name);
  if (known !== undefined) return known;
  const camel = name
    .toLowerCase()
    .replaceAll(/[-_]([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  // Names come from the table; those of requests are not kept.
  if (camelCaseNames.size < camelCaseNamesMax) camelCaseNames.set(name, camel);
  return camel;
}

export function isResourceType(name: string): name is ResourceType {
  return specs.has(name);
}

/** @throws ContrailError INVALID_ARGUMENT when the model has no such type. */
export function parseResourceType(name: string): ResourceType {
  if (isResourceType(name)) return name;
  throw new ContrailError(
    'INVALID_ARGUMENT',
    `type: is "${name}", but the resource model has no such type; write one of ${typeNames.join(', ')}`,
  );
}

/** The declaration of a type: parents, properties, references. */
export function specOf(type: ResourceType): ResourceTypeSpec {
  const spec = specs.get(type);
  if (spec === undefined)
    throw new ContrailError('INTERNAL', `resource type ${type} is not declared`);
  return spec;
}

/** @throws ContrailError INVALID_ARGUMENT when the resource has no kind. */
export function typeOf(resource: Resource): ResourceType {
  const type = resource.kind && typeByCase.get(resource.kind.$case);
  if (type === undefined) {
    throw new ContrailError(
      'INVALID_ARGUMENT',
      'resource.kind: is empty; set the message of one type',
    );
  }
  return type;
}

/** @throws ContrailError INVALID_ARGUMENT when the resource has no kind or no meta. */
export function metaOf(resource: Resource): Meta {
  const meta = resource.kind?.value.meta;
  if (meta === undefined) {
    throw new ContrailError(
      'INVALID_ARGUMENT',
      `${typeOf(resource)} meta: is missing; set uuid and fq_name`,
    );
  }
  return meta;
}

/** The fields of a resource by their TypeScript names, for code that walks the table. */
export function fieldsOf(resource: Resource): Readonly<Record<string, unknown>> {
  return (resource.kind?.value ?? {}) as unknown as Readonly<Record<string, unknown>>;
}

/** The same resource with other metadata; nothing is modified. */
export function setMeta(resource: Resource, meta: Meta): Resource {
  return withFields(resource, { meta });
}

/** The same resource with some fields (TypeScript names) replaced; nothing is modified. */
export function withFields(resource: Resource, fields: Record<string, unknown>): Resource {
  if (resource.kind === undefined) return resource;
  return {
    kind: { $case: resource.kind.$case, value: { ...resource.kind.value, ...fields } } as Kind,
  };
}

/**
 * Wraps one message as a resource and fills every absent field with its empty value.
 * @param type kebab-case type. @param message needs at least `meta.fqName`.
 */
export function toResource<T extends ResourceType>(type: T, message: PartialMessage<T>): Resource {
  return Resource.fromPartial({
    kind: { $case: toCamelCase(type), value: message } as DeepPartial<Kind>,
  });
}

/** The message of a resource of the type. @throws ContrailError INTERNAL for another type. */
export function fromResource<T extends ResourceType>(type: T, resource: Resource): MessageOf<T> {
  const message = findMessage(type, resource);
  if (message === undefined) {
    throw new ContrailError(
      'INTERNAL',
      `expected a ${type}, but the resource is a ${typeOf(resource)}`,
    );
  }
  return message;
}

/** The message of a resource when it is of the type. */
export function findMessage<T extends ResourceType>(
  type: T,
  resource: Resource,
): MessageOf<T> | undefined {
  if (resource.kind === undefined || typeByCase.get(resource.kind.$case) !== type) return undefined;
  return resource.kind.value as MessageOf<T> | undefined;
}

/** `VirtualNetwork/default-domain:k8s-default:blue`, the way every error names an object. */
export function describe(resource: Resource): string {
  const type = typeOf(resource);
  const meta = resource.kind?.value.meta;
  const name = meta === undefined || meta.fqName.length === 0 ? meta?.uuid : meta.fqName.join(':');
  return `${specOf(type).message}/${name ?? ''}`;
}

/** `VirtualNetwork/default-domain:k8s-default:blue` for an object of which only the name is known. */
export function describeName(type: ResourceType, fqName: readonly string[]): string {
  return `${specOf(type).message}/${fqName.join(':')}`;
}

/** Protobuf bytes of the resource; equal resources give equal bytes. */
export function encodeResource(resource: Resource): Uint8Array {
  const meta = resource.kind?.value.meta;
  if (meta === undefined) return encodeWith(resource);
  const annotations = sortedAnnotations(meta.annotations);
  const sorted = annotations === meta.annotations ? resource : setMeta(resource, { ...meta, annotations });
  return encodeWith(sorted);
}

/** One writer for all: a new one grows to the size of each object again. */
let writer = new BinaryWriter();

function encodeWith(resource: Resource): Uint8Array {
  try {
    return Resource.encode(resource, writer).finish();
  } catch (error) {
    // What it had written when an object could not be encoded must not come before the next one.
    writer = new BinaryWriter();
    throw error;
  }
}

/** Annotations in the order in which they are encoded; the same object when they are already. */
export function sortedAnnotations(map: Record<string, string>): Record<string, string> {
  let last = '';
  let isSorted = true;
  for (const key in map) {
    if (key < last) isSorted = false;
    last = key;
  }
  if (isSorted) return map;
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** @throws Error on bytes that are no Resource. */
export function decodeResource(bytes: Uint8Array): Resource {
  return Resource.decode(bytes);
}
