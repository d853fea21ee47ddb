import type {
  NetworkIpam,
  Resource,
  VirtualNetwork,
} from '@contrail/proto-gen/config/v1/resources';
import { describe, findMessage, metaOf, typeOf } from '@contrail/resource-model';

/** Types of the resources that hold addresses. */
export const ownerTypes: readonly string[] = ['instance-ip', 'floating-ip', 'alias-ip'];

/** What ipam reads of the resource model. */
export const watchedTypes: readonly string[] = [
  ...['virtual-network', 'network-ipam', 'floating-ip-pool', 'alias-ip-pool'],
  ...ownerTypes,
];

/** A FloatingIpPool or AliasIpPool. */
export interface NetworkPool {
  /** `FloatingIpPool/default-domain:default-project:public:pool`. */
  readonly name: string;
  /** The VirtualNetwork above it. */
  readonly networkUuid: string;
  /** Subnets of the network that it may use; empty: all. */
  readonly subnetUuids: readonly string[];
}

/** The objects of the resource model that decide about addresses. */
export class ConfigObjects {
  readonly networks = new Map<string, VirtualNetwork>();
  readonly ipams = new Map<string, NetworkIpam>();
  readonly pools = new Map<string, NetworkPool>();
  /** Objects that hold addresses, by uuid. */
  readonly owners = new Set<string>();

  put(resource: Resource): void {
    const { uuid, parentUuid } = metaOf(resource);
    const network = findMessage('virtual-network', resource);
    const ipam = findMessage('network-ipam', resource);
    if (network !== undefined) this.networks.set(uuid, network);
    if (ipam !== undefined) this.ipams.set(uuid, ipam);
    if (ownerTypes.includes(typeOf(resource))) this.owners.add(uuid);
    const floating = findMessage('floating-ip-pool', resource);
    if (floating === undefined && findMessage('alias-ip-pool', resource) === undefined) return;
    const subnetUuids = floating?.floatingIpPoolSubnets?.subnetUuid ?? [];
    this.pools.set(uuid, { name: describe(resource), networkUuid: parentUuid, subnetUuids });
  }

  remove(uuid: string): void {
    this.networks.delete(uuid);
    this.ipams.delete(uuid);
    this.pools.delete(uuid);
    this.owners.delete(uuid);
  }
}
