import type { SubnetUsage } from '@contrail/proto-gen/ipam/v1/messages';
import type { Complaint } from './complaint';
import type { KubeNamespace } from './kube-objects';

/** A subnet will be exhausted before long. @param system the namespace on which the whole cluster's events are. */
export function complainFilling(subnet: SubnetUsage, system: KubeNamespace): Complaint {
  const { prefix, owner, allocated, capacity, quarantined } = subnet;
  const note =
    `${owner}: subnet ${prefix} fills up: ${allocated} of ${capacity} addresses are in use, ${quarantined} were released ` +
    'recently; add a subnet (POD_SUBNETS of kube-manager for pods), or delete what is not needed';
  const subject = { apiVersion: 'v1', kind: 'Namespace', namespace: '', name: system.name, uid: system.uid };
  return { subject, reason: 'AddressesRunningLow', action: 'AllocateAddress', note };
}
