import { formatAddress } from '@contrail/net';
import { findMessage, metaOf } from '@contrail/resource-model';
import { becomes } from './world';
import type { World } from './world';

/** What config-api has of an empty cluster, by name. */
export const clusterNames = [
  'alias-ip-pool/k8s-default-alias-pool',
  'network-ipam/k8s-ip-fabric-ipam',
  'network-ipam/k8s-pod-ipam',
  'network-ipam/k8s-service-ipam',
  'network-policy/k8s-default-ip-fabric-np',
  'network-policy/k8s-default-pod-service-np',
  'network-policy/k8s-default-service-np',
  'project/k8s-default',
  'project/k8s-kube-system',
  'security-group/k8s-default-default-sg',
  'security-group/k8s-kube-system-default-sg',
  'virtual-network/k8s-default-pod-network',
  'virtual-network/k8s-default-service-network',
];

/** Objects besides those of an empty cluster, by name, and that ipam holds exactly the addresses that they have. */
export async function namesBecome(world: World, names: readonly string[]): Promise<void> {
  await becomes(() => world.names(), [...clusterNames, ...names].sort());
  await becomes(() => addressDifference(world), []);
}

/** Owner and address, where ipam and the stored InstanceIps disagree. */
function addressDifference(world: World): string[] {
  const held = world.ipam.held.map(({ address, ownerUuid }) => `${ownerUuid} ${formatAddress(address)}`);
  const stored = world.config.ofType('instance-ip').map((resource) => {
    return `${metaOf(resource).uuid} ${findMessage('instance-ip', resource)?.instanceIpAddress}`;
  });
  return [...held.filter((line) => !stored.includes(line)), ...stored.filter((line) => !held.includes(line))];
}
