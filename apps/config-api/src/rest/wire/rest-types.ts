import {
  childTypesOf,
  referenceField,
  restBackReferenceField,
  restChildrenField,
  restPlural,
  restReferenceField,
  restTypeName,
  specOf,
  toCamelCase,
  typeNames,
} from '@contrail/resource-model';
import type {
  PropertySpec,
  ReferenceSpec,
  ResourceType,
  ResourceTypeSpec,
} from '@contrail/resource-model';

/** A property as clients see it. */
export interface RestProperty {
  /** On the wire: `security_group_entries`. */
  readonly name: string;
  /** In the message: `securityGroupEntries`. */
  readonly field: string;
  readonly spec: PropertySpec;
}

export interface RestReference {
  /** On the wire: `network_ipam_refs`. */
  readonly name: string;
  /** In the message: `networkIpamRefs`. */
  readonly field: string;
  readonly spec: ReferenceSpec;
  readonly to: ResourceType;
}

/** A type as clients of the REST API see it. */
export interface RestType {
  readonly type: ResourceType;
  readonly spec: ResourceTypeSpec;
  /** In paths and bodies: `virtual-network`. */
  readonly name: string;
  /** Path of the collection, and its name in lists: `virtual-networks`. */
  readonly plural: string;
  /** Field of the parent that lists objects of this type: `virtual_networks`. */
  readonly childrenField: string;
  /** Field of an object that lists who of this type refers to it: `virtual_network_back_refs`. */
  readonly backRefsField: string;
  /** Without those that only gRPC shows. */
  readonly properties: readonly RestProperty[];
  readonly grpcOnly: readonly RestProperty[];
  readonly references: readonly RestReference[];
}

const restTypes: readonly RestType[] = typeNames.map(toRestType);
const byType = new Map(restTypes.map((type) => [type.type, type]));
const byName = new Map(restTypes.map((type) => [type.name, type]));
const byPlural = new Map(restTypes.map((type) => [type.plural, type]));

export function allRestTypes(): readonly RestType[] {
  return restTypes;
}

export function restTypeOf(type: ResourceType): RestType {
  const found = byType.get(type);
  if (found === undefined) throw new Error(`type ${type} has no REST name`);
  return found;
}

/** `virtual-network`; case counts. */
export function findRestType(name: string): RestType | undefined {
  return byName.get(name);
}

/** `virtual-network` or `virtual_network`, as clients name types in bodies. */
export function findTypeInBody(name: string): RestType | undefined {
  return byName.get(name.replaceAll('_', '-'));
}

/** `virtual-networks`. */
export function findCollection(plural: string): RestType | undefined {
  return byPlural.get(plural);
}

/** Types whose objects may be children. */
export function childrenOf(type: RestType): readonly RestType[] {
  return childTypesOf(type.type).map(restTypeOf);
}

function toRestType(type: ResourceType): RestType {
  const spec = specOf(type);
  const properties = spec.properties.map(toRestProperty);
  return {
    type,
    spec,
    name: restTypeName(type),
    plural: restPlural(type),
    childrenField: restChildrenField(type),
    backRefsField: restBackReferenceField(type),
    properties: properties.filter((property) => !property.spec.grpcOnly),
    grpcOnly: properties.filter((property) => property.spec.grpcOnly),
    references: spec.references.map((reference) => ({
      name: restReferenceField(reference),
      field: referenceField(reference),
      spec: reference,
      to: reference.to as ResourceType,
    })),
  };
}

export function toRestProperty(spec: PropertySpec): RestProperty {
  return { name: spec.name, field: toCamelCase(spec.name), spec };
}
