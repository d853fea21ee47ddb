import { formatPrefix } from '@contrail/net';
import type { SubnetUsage } from '@contrail/proto-gen/ipam/v1/messages';
import { capacityOf, layoutOf } from '@contrail/store';
import type { PoolUsage } from '@contrail/store';
import type { NetworkSubnet } from '../translate/network-subnets';

const uint64Max = 2n ** 64n - 1n;

export function toSubnetUsage({ subnet, owner }: NetworkSubnet, usage: PoolUsage | undefined): SubnetUsage {
  const capacity = capacityOf(layoutOf(subnet));
  return {
    subnetUuid: subnet.uuid,
    prefix: formatPrefix(subnet.prefix),
    capacity: capacity > uint64Max ? uint64Max : capacity,
    allocated: BigInt(usage?.allocated ?? 0),
    quarantined: BigInt(usage?.quarantined ?? 0),
    owner,
  };
}

/** Held addresses by capacity; 1 for a subnet that has none to give. */
export function usageRatio({ capacity, allocated }: SubnetUsage): number {
  return capacity === 0n ? 1 : Number(allocated) / Number(capacity);
}
