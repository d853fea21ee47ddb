import { macFromUuid, formatMac, tryParseAddress } from '@contrail/net';
import type { Meta, Resource, VirtualNetwork } from '@contrail/proto-gen/config/v1/resources';
import { impliedUuid, wellKnownUuid } from './identity';
import type { IdSpace } from './numeric-ids';
import { findMessage, metaOf, toResource, typeOf, withFields } from './resource';
import { withDefaultPolicySet } from './derived-children';
import { completeSubnet, subnetsOf } from './subnets';
import { parseTagName, predefinedTagTypes, tagValueSpace, withTagTypeNumber } from './tags';

/** Autonomous system of automatic route targets when the global configuration names none (R21). */
export const defaultAutonomousSystem = 64512;

/** A number that an object needs from a space; the key is the same whoever asks. */
export interface IdClaim {
  readonly space: IdSpace;
  readonly key: string;
}

/**
 * Numbers that belong to an object: taken in the transaction that creates it, freed with it. That of a
 * tag depends on its type (tagValueClaim).
 */
export function idClaimsOf(resource: Resource): IdClaim[] {
  const { uuid, fqName } = metaOf(resource);
  switch (typeOf(resource)) {
    case 'tag-type':
      return predefinedTagTypes.has(fqName.at(-1) ?? '')
        ? []
        : [{ space: 'tag-type', key: `tag-type/${uuid}` }];
    case 'virtual-network':
      return [{ space: 'label', key: `virtual-network/${uuid}` }];
    case 'routing-instance':
      return [{ space: 'route-target', key: `routing-instance/${uuid}` }];
    case 'security-group':
      return [{ space: 'security-group', key: `security-group/${uuid}` }];
    default:
      return [];
  }
}

/** The number of a tag among those of its type. */
export function tagValueClaim(tag: Resource, typeNumber: number): IdClaim {
  return { space: `tag-value/${typeNumber}`, key: `tag/${metaOf(tag).uuid}` };
}

/** The numbers that a deleted object gives back. */
export function idsToFree(resource: Resource): IdClaim[] {
  const { uuid } = metaOf(resource);
  switch (typeOf(resource)) {
    case 'routing-instance':
      return [...idClaimsOf(resource), { space: 'vrf', key: uuid }];
    case 'tag': {
      const space = tagValueSpace(resource);
      return space === undefined ? [] : [{ space, key: `tag/${uuid}` }];
    }
    default:
      return idClaimsOf(resource);
  }
}

/** The object with its number in the read-only field that shows it. */
export function setNumericId(resource: Resource, id: number): Resource {
  switch (typeOf(resource)) {
    case 'virtual-network':
      return withFields(resource, { virtualNetworkNetworkId: id });
    case 'tag-type':
      return withTagTypeNumber(resource, id);
    case 'security-group': {
      const configured = findMessage('security-group', resource)?.configuredSecurityGroupId ?? 0;
      return withFields(resource, { securityGroupId: configured === 0 ? id : configured });
    }
    default:
      return resource;
  }
}

/**
 * What R21's API server fills in when a client leaves it out; depends on the object alone, so that the
 * same request always makes the same object.
 *
 * @param stored the object that is replaced: a subnet keeps its identity while its prefix stays.
 */
export function completeResource(resource: Resource, stored?: Resource): Resource {
  const kind = resource.kind;
  switch (kind?.$case) {
    case 'networkIpam': {
      const { ipamSubnets, meta } = kind.value;
      if (ipamSubnets === undefined) return resource;
      const owner = { uuid: meta?.uuid ?? '', stored: subnetsOf(stored) };
      const subnets = ipamSubnets.subnets.map((subnet) => completeSubnet(subnet, owner));
      return withFields(resource, { ipamSubnets: { subnets } });
    }
    case 'virtualNetwork':
      return withFields(resource, { networkIpamRefs: completeIpamRefs(kind.value, stored) });
    case 'tag': {
      const named = parseTagName(kind.value.meta?.fqName.at(-1) ?? '');
      return withFields(resource, {
        tagTypeName: kind.value.tagTypeName ?? named?.type,
        tagValue: kind.value.tagValue ?? named?.value,
      });
    }
    case 'project':
      return withDefaultPolicySet(resource);
    case 'virtualMachineInterface': {
      if ((kind.value.virtualMachineInterfaceMacAddresses?.macAddress.length ?? 0) > 0)
        return resource;
      const macAddress = [formatMac(macFromUuid(kind.value.meta?.uuid ?? ''))];
      return withFields(resource, { virtualMachineInterfaceMacAddresses: { macAddress } });
    }
    case 'instanceIp':
      return withFields(resource, {
        instanceIpFamily: kind.value.instanceIpFamily || familyOf(kind.value.instanceIpAddress),
      });
    case 'aliasIp':
      return withFields(resource, {
        aliasIpAddressFamily:
          kind.value.aliasIpAddressFamily || familyOf(kind.value.aliasIpAddress),
      });
    default:
      return resource;
  }
}

function completeIpamRefs(
  network: VirtualNetwork,
  stored: Resource | undefined,
): VirtualNetwork['networkIpamRefs'] {
  const owner = { uuid: network.meta?.uuid ?? '', stored: subnetsOf(stored) };
  return network.networkIpamRefs.map((reference) =>
    reference.attr === undefined
      ? reference
      : {
          ...reference,
          attr: {
            ...reference.attr,
            ipamSubnets: reference.attr.ipamSubnets.map((subnet) => completeSubnet(subnet, owner)),
          },
        },
  );
}

function familyOf(address: string): 'v4' | 'v6' | '' {
  const bytes = tryParseAddress(address);
  if (bytes === undefined) return '';
  return bytes.length === 4 ? 'v4' : 'v6';
}

/** The RouteTarget object of a number; every RoutingInstance has one of its own. */
export function automaticRouteTarget(autonomousSystem: number, number: number): Resource {
  const fqName = [`target:${autonomousSystem}:${number}`];
  return toResource('route-target', {
    meta: { uuid: wellKnownUuid('route-target', fqName), fqName },
  });
}

/** The default RoutingInstance (VRF) of a network, without its route target yet. */
export function defaultRoutingInstance(network: Meta): Resource {
  const name = network.fqName.at(-1) ?? '';
  return toResource('routing-instance', {
    meta: {
      uuid: impliedUuid(network.uuid, 'default-routing-instance'),
      fqName: [...network.fqName, name],
      parentType: 'virtual-network',
      parentUuid: network.uuid,
    },
    routingInstanceIsDefault: true,
  });
}

/** A RoutingInstance with its own route target, exported and imported. */
export function withRouteTarget(routingInstance: Resource, routeTarget: Resource): Resource {
  const message = findMessage('routing-instance', routingInstance);
  const { uuid, fqName } = metaOf(routeTarget);
  const others = message?.routeTargetRefs.filter((reference) => reference.uuid !== uuid) ?? [];
  return withFields(routingInstance, {
    routeTargetRefs: [{ uuid, fqName, attr: { importExport: '' } }, ...others],
  });
}
