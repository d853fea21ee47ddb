import { formatAddress, tryParseAddress } from '@contrail/net';
import type { Address } from '@contrail/net';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import {
  derivedUuid,
  podInstanceIpName,
  podInterfaceName,
  toResource,
  virtualMachineName,
} from '@contrail/resource-model';
import { reference } from './cluster';
import type { Cluster, IpFamily, ObjectReference } from './cluster';
import type { KubePod } from './kube-objects';
import { customNetworkKey } from './move-to-network';
import { ownerAnnotations } from './ownership';

/** An address that ipam has given to an InstanceIp. */
export interface AllocatedAddress {
  readonly address: Address;
  readonly subnetUuid: string;
}

/** What the objects of a pod are attached to. */
export interface PodSurroundings {
  readonly project: ObjectReference;
  readonly network: ObjectReference;
  readonly securityGroup: ObjectReference;
  /** The network was chosen by an annotation, and the pod stays there. */
  readonly isChosen: boolean;
  /** One for each family of the network. */
  readonly addresses: readonly AllocatedAddress[];
  /** Where the network's addresses are not unique: those by which the cluster knows the pod. */
  readonly aliases: readonly AllocatedAddress[];
  readonly aliasPool: ObjectReference;
}

/**
 * A pod: VirtualMachine (uuid = uid of the pod), its interface eth0, an InstanceIp for each family, and AliasIps.
 *
 * @returns resources in dependency order.
 */
export function translatePod(cluster: Cluster, pod: KubePod, around: PodSurroundings): Resource[] {
  const { project, network, securityGroup } = around;
  const root = { kind: 'Pod', namespace: pod.namespace, name: pod.name, uid: pod.uid } as const;
  const annotations = ownerAnnotations(cluster, root, project.fqName.at(-1) ?? '');
  const chosen = around.isChosen ? { [customNetworkKey]: network.fqName.join(':') } : {};
  const interfaceUuid = podInterfaceUuid(cluster, pod.uid);
  const eth0 = { uuid: interfaceUuid, fqName: [...project.fqName, podInterfaceName(pod.name, interfaceUuid)] };
  const machine = toResource('virtual-machine', {
    meta: {
      uuid: pod.uid,
      fqName: [virtualMachineName(cluster.name, pod.namespace, pod.name)],
      annotations: { ...annotations, labels: canonicalJson(pod.labels) },
      perms2: { owner: project.uuid, ownerAccess: 7, globalAccess: 0, share: [] },
    },
    serverType: 'container',
    kubeNodeName: pod.nodeName,
    hostPortMappings: pod.hostPorts.map((port) => ({ ...port, hostIp: hostIpOf(port.hostIp) })),
  });
  const vmi = toResource('virtual-machine-interface', {
    meta: {
      ...reference(eth0),
      parentType: 'project',
      parentUuid: project.uuid,
      annotations: { ...annotations, ...chosen, index: '0/1', network: 'default' },
    },
    portSecurityEnabled: true,
    virtualNetworkRefs: [reference(network)],
    virtualMachineRefs: [{ uuid: pod.uid, fqName: [virtualMachineName(cluster.name, pod.namespace, pod.name)] }],
    securityGroupRefs: [reference(securityGroup)],
  });
  const addresses = around.addresses.map(({ address, subnetUuid }) => {
    const family = address.length === 4 ? 4 : 6;
    const uuid = podInstanceIpUuid(cluster, pod.uid, family);
    const name = family === 4 ? podInstanceIpName(pod.name, interfaceUuid) : podInstanceIpName(pod.name, uuid);
    return toResource('instance-ip', {
      meta: { uuid, fqName: [name], annotations: { ...annotations, ...chosen } },
      instanceIpAddress: formatAddress(address),
      instanceIpFamily: family === 4 ? 'v4' : 'v6',
      subnetUuid,
      virtualNetworkRefs: [reference(network)],
      virtualMachineInterfaceRefs: [reference(eth0)],
    });
  });
  const aliases = around.aliases.map(({ address }) => {
    const uuid = podAliasIpUuid(cluster, pod.uid, address.length === 4 ? 4 : 6);
    const { uuid: parentUuid, fqName } = around.aliasPool;
    return toResource('alias-ip', {
      meta: { uuid, fqName: [...fqName, podInstanceIpName(pod.name, uuid)], parentType: 'alias-ip-pool', parentUuid, annotations },
      aliasIpAddress: formatAddress(address),
      aliasIpAddressFamily: address.length === 4 ? 'v4' : 'v6',
      projectRefs: [reference(project)],
      virtualMachineInterfaceRefs: [reference(eth0)],
    });
  });
  return [machine, vmi, ...addresses, ...aliases];
}

/** Identity of a pod's eth0. */
export function podInterfaceUuid(cluster: Cluster, podUid: string): string {
  return derivedUuid(cluster.uid, 'virtual-machine-interface', podUid, 0);
}

/** Identity of a pod's address of one family; it owns the allocation in ipam. */
export function podInstanceIpUuid(cluster: Cluster, podUid: string, family: IpFamily): string {
  return derivedUuid(cluster.uid, 'instance-ip', podUid, family === 4 ? 0 : 'v6');
}

/** Identity of a pod's alias address of one family; it owns the allocation in ipam. */
export function podAliasIpUuid(cluster: Cluster, podUid: string, family: IpFamily): string {
  return derivedUuid(cluster.uid, 'alias-ip', podUid, family === 4 ? 0 : 'v6');
}

/** `0.0.0.0` and `::` mean every address, which the model writes as empty. */
function hostIpOf(text: string): string {
  const address = tryParseAddress(text);
  return address === undefined || address.every((byte) => byte === 0) ? '' : formatAddress(address);
}

/** Equal labels give equal text. */
function canonicalJson(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))));
}
