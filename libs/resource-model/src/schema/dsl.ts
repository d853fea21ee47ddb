/**
 * The vocabulary in which the resource model is declared. Each type, property, reference and
 * structure stands once, in the files beside this one; protobuf messages, validation, names,
 * references and deletion rules derive from it (tools/proto/generate-resources.ts, ../index.ts).
 *
 * Numbers are protobuf field numbers and never change: 1 meta, 10 to 99 properties, 100 on references.
 */

export type ScalarKind = 'string' | 'bool' | 'uint32' | 'uint64' | 'int32' | 'double' | 'bytes';

/**
 * A structure whose one repeated field is element-addressable over REST (prop-collection-get and
 * -update): `list` elements have a position, `map` elements are named by a field of their own.
 */
export type CollectionSpec =
  | { readonly kind: 'list'; readonly element: string }
  | { readonly kind: 'map'; readonly element: string; readonly key: string };

export interface PropertySpec {
  readonly number: number;
  /** snake_case, as in the Contrail schema and on the REST wire. */
  readonly name: string;
  /** A scalar kind, or the name of a structure in `structures`. */
  readonly kind: string;
  readonly repeated: boolean;
  /** True when absent and empty (0, '') differ and both are kept; always so for bool. */
  readonly explicit: boolean;
  /** Of a number that is not explicit: 0 is a value, not its absence, and REST shows it. */
  readonly zeroCounts: boolean;
  readonly collection: CollectionSpec | undefined;
  /** What clients of the original send when their user says nothing; config-api does not add it. */
  readonly initial: string | number | boolean | undefined;
  /** Allowed values of a string; undefined means any. */
  readonly values: readonly string[] | undefined;
  /** Text form that a string must have when it is not empty. */
  readonly format: PropertyFormat | undefined;
  readonly range: { readonly min: number; readonly max: number } | undefined;
  readonly required: boolean;
  /** Set by config-api only; a client's value is refused unless it equals the stored one. */
  readonly readOnly: boolean;
  /** Not in the original schema: gRPC only, and inside `annotations` over REST. */
  readonly grpcOnly: boolean;
  /** Stored and served, but no part of this product acts on it yet. */
  readonly storedOnly: boolean;
  readonly doc: string;
}

export type PropertyFormat = 'ip' | 'ipv4' | 'cidr-address' | 'mac' | 'uuid' | 'route-target' | 'fq-name';

export interface StructureSpec {
  readonly name: string;
  readonly fields: readonly PropertySpec[];
}

export interface ReferenceSpec {
  readonly number: number;
  /** Kebab-case type of the target. */
  readonly to: string;
  /** Structure carried by each reference; undefined for none. */
  readonly attr: string | undefined;
  /** A weak reference does not keep its target from being deleted (R21 `ref_relax_for_delete`). */
  readonly weak: boolean;
  readonly max: number;
}

export interface ResourceTypeSpec {
  /** Kebab-case, as in the REST path: `virtual-network`. */
  readonly name: string;
  /** Protobuf message: `VirtualNetwork`. */
  readonly message: string;
  /** As the original spells it over REST: `virtual-DNS` for `virtual-dns`. */
  readonly restName: string;
  /** Field number in `Resource.kind`; never changes. */
  readonly number: number;
  /** Types whose objects may be the parent; empty for a root without parent. */
  readonly parents: readonly string[];
  /** Types of parents that take such children with them when they are deleted. */
  readonly derivedFrom: readonly string[];
  readonly properties: readonly PropertySpec[];
  readonly references: readonly ReferenceSpec[];
  /** REST types of the original to which it may refer there, but which this product does not have. */
  readonly unservedReferences: readonly string[];
  readonly doc: string;
}

type PropertyOptions = Partial<Omit<PropertySpec, 'number' | 'name' | 'kind'>>;

export function property(
  number: number,
  name: string,
  kind: string,
  options: PropertyOptions = {},
): PropertySpec {
  return {
    number,
    name,
    kind,
    repeated: false,
    explicit: kind === 'bool',
    zeroCounts: false,
    collection: undefined,
    initial: undefined,
    values: undefined,
    format: undefined,
    range: undefined,
    required: false,
    readOnly: false,
    grpcOnly: false,
    storedOnly: false,
    doc: '',
    ...options,
  };
}

/** A scalar property of which absent and empty differ. */
export function explicit(
  number: number,
  name: string,
  kind: ScalarKind,
  options: PropertyOptions = {},
): PropertySpec {
  return property(number, name, kind, { ...options, explicit: true });
}

export function structure(name: string, fields: readonly PropertySpec[]): StructureSpec {
  return { name, fields };
}

export function reference(
  number: number,
  to: string,
  options: Partial<Omit<ReferenceSpec, 'number' | 'to'>> = {},
): ReferenceSpec {
  return { number, to, attr: undefined, weak: false, max: Number.POSITIVE_INFINITY, ...options };
}

/** Every object may carry tags; the number is the same in all types. */
const tagReference = reference(199, 'tag');

export function resourceType(
  number: number,
  name: string,
  spec: Partial<Omit<ResourceTypeSpec, 'name' | 'number' | 'message'>> & { readonly doc: string },
): ResourceTypeSpec {
  return {
    number,
    name,
    message: toMessageName(name),
    restName: name,
    parents: [],
    derivedFrom: [],
    properties: [],
    unservedReferences: [],
    ...spec,
    references: [...(spec.references ?? []), tagReference],
  };
}

/** `virtual-network` -> `VirtualNetwork`. */
export function toMessageName(kebab: string): string {
  return kebab
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}
