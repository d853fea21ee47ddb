import { ContrailError } from '@contrail/errors';
import { specOf, typeNames } from './resource';
import type { ResourceType } from './resource';
import type { PropertySpec, ReferenceSpec } from './schema';

/*
 * How the original spells things over REST. Types have hyphens, fields have underscores, and
 * upper-case letters count: `virtual-DNS`, `virtual_DNS_data`, `virtual_DNS_refs`.
 */

/** `virtual-network`, `virtual-DNS`. */
export function restTypeName(type: ResourceType): string {
  return specOf(type).restName;
}

/** Name of the collection: always the type and an s (`network-policys`, `virtual-DNSs`). */
export function restPlural(type: ResourceType): string {
  return `${specOf(type).restName}s`;
}

const typeByRestName = new Map(
  typeNames.flatMap((type): [string, ResourceType][] => {
    const { restName } = specOf(type);
    return [
      [restName, type],
      [restName.replaceAll('-', '_'), type],
    ];
  }),
);

/** The type of a REST name, with hyphens or with underscores; upper and lower case differ. */
export function findRestType(restName: string): ResourceType | undefined {
  return typeByRestName.get(restName);
}

/** @throws ContrailError INVALID_ARGUMENT when no type has this REST name. */
export function parseRestType(restName: string): ResourceType {
  const type = findRestType(restName);
  if (type !== undefined) return type;
  throw new ContrailError(
    'INVALID_ARGUMENT',
    `type: is "${restName}", but the resource model has no such type`,
  );
}

/** Field that lists an object's references to a type: `virtual_DNS_refs`. */
export function restReferenceField(reference: ReferenceSpec): string {
  return `${restFieldStem(reference.to as ResourceType)}_refs`;
}

/** Field that lists the children of a type: `virtual_networks`. */
export function restChildrenField(child: ResourceType): string {
  return `${restFieldStem(child)}s`;
}

/** Field that lists who refers to an object: `virtual_network_back_refs`. */
export function restBackReferenceField(referrer: ResourceType): string {
  return `${restFieldStem(referrer)}_back_refs`;
}

/** Properties that the original has too; the others appear inside `annotations` over REST. */
export function restProperties(type: ResourceType): readonly PropertySpec[] {
  return specOf(type).properties.filter(({ grpcOnly }) => !grpcOnly);
}

function restFieldStem(type: ResourceType): string {
  return restTypeName(type).replaceAll('-', '_');
}
