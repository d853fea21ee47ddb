/**
 * The vocabulary in which the resource model is declared. Each type, property, reference and
 * structure stands once, in the files beside this one; protobuf messages, validation, names,
 * references and deletion rules derive from it (tools/proto/generate-resources.ts, ../index.ts).
 *
 * Numbers are protobuf field numbers and never change: 1 meta, 10 to 99 properties, 100 on references.
 */

export type ScalarKind = 'string' | 'bool' | 'uint32' | 'uint64' | 'int32' | 'double' | 'bytes';

export interface PropertySpec {
  readonly number: number;
  /** snake_case, as in the Contrail schema and on the REST wire. */
  readonly name: string;
  /** A scalar kind, or the name of a structure in `structures`. */
  readonly kind: string;
  readonly repeated: boolean;
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
  /** Field number in `Resource.kind`; never changes. */
  readonly number: number;
  /** Types whose objects may be the parent; empty for a root without parent. */
  readonly parents: readonly string[];
  readonly properties: readonly PropertySpec[];
  readonly references: readonly ReferenceSpec[];
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

export function resourceType(
  number: number,
  name: string,
  spec: Partial<Omit<ResourceTypeSpec, 'name' | 'number' | 'message'>> & { readonly doc: string },
): ResourceTypeSpec {
  return { number, name, message: toMessageName(name), parents: [], properties: [], references: [], ...spec };
}

/** `virtual-network` -> `VirtualNetwork`. */
export function toMessageName(kebab: string): string {
  return kebab
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}
