import type {
  NetworkIpam,
  Resource,
  VirtualNetwork,
} from '@contrail/proto-gen/config/v1/resources';
import { describe, findMessage, isResourceType, metaOf, typeOf } from '@contrail/resource-model';
import { subnetsOfPool } from '../translate/network-subnets';

/** Types of the resources that hold addresses. */
export const ownerTypes: readonly string[] = ['instance-ip', 'floating-ip', 'alias-ip'];
const poolTypes: readonly string[] = ['floating-ip-pool', 'alias-ip-pool'];

/** What ipam reads of the resource model. */
export const watchedTypes: readonly string[] = [
  ...['virtual-network', 'network-ipam'],
  ...poolTypes,
  ...ownerTypes,
].filter(isResourceType);

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
    const type = typeOf(resource);
    if (ownerTypes.includes(type)) this.owners.add(uuid);
    if (!poolTypes.includes(type)) return;
    const subnetUuids = subnetsOfPool(resource);
    this.pools.set(uuid, { name: describe(resource), networkUuid: parentUuid, subnetUuids });
  }

  remove(uuid: string): void {
    this.networks.delete(uuid);
    this.ipams.delete(uuid);
    this.pools.delete(uuid);
    this.owners.delete(uuid);
  }
}
