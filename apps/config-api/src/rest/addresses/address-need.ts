import { describe, findMessage, metaOf } from '@contrail/resource-model';
import type { ResourceType } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import type { ResourceStore } from '@contrail/store';

/** The address that an object shall have. */
export interface AddressNeed {
  readonly networkUuid: string;
  /** FloatingIpPool or AliasIpPool that gives the address; '' for none. */
  readonly poolUuid: string;
  /** Type of the object, so that ipam can see when it is gone. */
  readonly ownerType: ResourceType;
  readonly subnetUuid: string;
  /** 4 or 6; 0: any. */
  readonly family: number;
  /** '' lets ipam choose. */
  readonly address: string;
  /** Field of the message that shows the address. */
  readonly addressField: string;
  readonly description: string;
}

/** undefined for an object that has no address, or takes that of its parent. */
export async function addressNeedOf(
  store: ResourceStore,
  resource: Resource,
): Promise<AddressNeed | undefined> {
  const description = describe(resource).slice(0, 256);
  const instanceIp = findMessage('instance-ip', resource);
  if (instanceIp !== undefined) {
    const networkUuid = instanceIp.virtualNetworkRefs[0]?.uuid;
    if (networkUuid === undefined) return undefined;
    return {
      ...{ networkUuid, poolUuid: '', description, ownerType: 'instance-ip' },
      subnetUuid: instanceIp.subnetUuid ?? '',
      family: familyOf(instanceIp.instanceIpFamily),
      address: instanceIp.instanceIpAddress ?? '',
      addressField: 'instanceIpAddress',
    };
  }
  return await poolNeedOf(store, resource, description);
}

async function poolNeedOf(
  store: ResourceStore,
  resource: Resource,
  description: string,
): Promise<AddressNeed | undefined> {
  const floatingIp = findMessage('floating-ip', resource);
  const aliasIp = findMessage('alias-ip', resource);
  const { parentType, parentUuid } = metaOf(resource);
  if (parentType !== 'floating-ip-pool' && parentType !== 'alias-ip-pool') return undefined;
  const [pool] = await store.getMany([parentUuid]);
  if (pool === undefined) return undefined;
  const base = {
    ...{ networkUuid: metaOf(pool).parentUuid, poolUuid: parentUuid, subnetUuid: '', description },
  };
  if (floatingIp !== undefined)
    return {
      ...{ ...base, ownerType: 'floating-ip' },
      family: familyOf(floatingIp.floatingIpAddressFamily),
      address: floatingIp.floatingIpAddress ?? '',
      addressField: 'floatingIpAddress',
    };
  if (aliasIp === undefined) return undefined;
  return {
    ...{ ...base, ownerType: 'alias-ip' },
    family: familyOf(aliasIp.aliasIpAddressFamily),
    address: aliasIp.aliasIpAddress ?? '',
    addressField: 'aliasIpAddress',
  };
}

function familyOf(text: string | undefined): number {
  return text === 'v6' ? 6 : text === 'v4' ? 4 : 0;
}
