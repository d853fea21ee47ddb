import type { Pod } from 'kubernetes-types/core/v1';
import type { Meta, Resource } from '@contrail/proto-gen/config/v1/resources';
import type { ConfigServiceClient } from '@contrail/proto-gen/config/v1/config_service';
import type { IpamServiceClient } from '@contrail/proto-gen/ipam/v1/ipam_service';
import { formatAddress } from '@contrail/net';
import { kubeKinds } from '@contrail/kube';
import type { KubeClient } from '@contrail/kube';
import { callUnary } from '@contrail/rpc';
import { listAll } from '../config-api/list-all';
import type { AddressFacts, AllocationFacts, InterfaceFacts, NodeFacts, ObjectFacts, PodFacts, World } from './compare-objects';

const pageSize = 1000;

export interface WorldSources {
  readonly kubernetes: KubeClient;
  readonly configApi: ConfigServiceClient;
  readonly ipam: IpamServiceClient;
}

/** Everything that a pod leads to, from its sources; nodes are given. */
export async function readWorld({ kubernetes, configApi, ipam }: WorldSources, nodes: readonly NodeFacts[]): Promise<World> {
  // Derived objects before what they derive from: what is made meanwhile is not taken for a leftover.
  const allocations = await readAllocations(ipam);
  const instanceIps = await listAll(configApi, 'instance-ip');
  const aliases = await listAll(configApi, 'alias-ip');
  const interfaces = await listAll(configApi, 'virtual-machine-interface');
  const machines = await listAll(configApi, 'virtual-machine');
  const pods = await readPods(kubernetes);
  const system = await kubernetes.get(kubeKinds.namespaces, { name: 'kube-system' });
  const clusterUid = system.metadata?.uid ?? '';
  return {
    pods,
    machines: machines.flatMap(({ kind }) => (kind?.$case === 'virtualMachine' ? toFacts(kind.value.meta, clusterUid) : [])),
    interfaces: interfaces.flatMap(({ kind }) => (kind?.$case === 'virtualMachineInterface' ? toInterface(kind.value, clusterUid) : [])),
    instanceIps: instanceIps.flatMap(({ kind }) => (kind?.$case === 'instanceIp' ? toInstanceIp(kind.value, clusterUid) : [])),
    aliases: aliases.flatMap(({ kind }) => (kind?.$case === 'aliasIp' ? toAlias(kind.value, clusterUid) : [])),
    allocations,
    nodes,
  };
}

type ResourceOf<Case extends string> = Extract<NonNullable<Resource['kind']>, { $case: Case }>['value'];

/** @returns nothing for what this cluster's pods did not lead to. */
function toFacts(meta: Meta | undefined, clusterUid: string): ObjectFacts[] {
  if (!meta || meta.annotations['cluster_uid'] !== clusterUid || meta.annotations['kind'] !== 'Pod') return [];
  return [{ uuid: meta.uuid, name: meta.fqName.join(':'), podUid: meta.annotations['k8s_uuid'] ?? '' }];
}

function toInterface(vmi: ResourceOf<'virtualMachineInterface'>, clusterUid: string): InterfaceFacts[] {
  return toFacts(vmi.meta, clusterUid).map((facts) => ({ ...facts, machines: vmi.virtualMachineRefs.map(({ uuid }) => uuid) }));
}

function toInstanceIp(ip: ResourceOf<'instanceIp'>, clusterUid: string): AddressFacts[] {
  const interfaces = ip.virtualMachineInterfaceRefs.map(({ uuid }) => uuid);
  return toFacts(ip.meta, clusterUid).map((facts) => ({ ...facts, address: ip.instanceIpAddress, interfaces }));
}

function toAlias(ip: ResourceOf<'aliasIp'>, clusterUid: string): AddressFacts[] {
  const interfaces = ip.virtualMachineInterfaceRefs.map(({ uuid }) => uuid);
  return toFacts(ip.meta, clusterUid).map((facts) => ({ ...facts, address: ip.aliasIpAddress, interfaces }));
}

async function readAllocations(client: IpamServiceClient): Promise<AllocationFacts[]> {
  const found: AllocationFacts[] = [];
  let pageToken = '';
  do {
    const page = await callUnary(client, 'list', { virtualNetworkUuid: '', pageToken });
    for (const { address, ownerUuid, description } of page.allocations) found.push({ address: formatAddress(address), owner: ownerUuid, description });
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return found;
}

async function readPods(kubernetes: KubeClient): Promise<PodFacts[]> {
  const found: PodFacts[] = [];
  let continueToken = '';
  do {
    const page = await kubernetes.list(kubeKinds.pods, { limit: pageSize, continueToken });
    found.push(...page.items.map(toPod));
    ({ continueToken } = page);
  } while (continueToken !== '');
  return found;
}

function toPod({ metadata, spec, status }: Pod): PodFacts {
  return {
    uid: metadata?.uid ?? '',
    name: `${metadata?.namespace}/${metadata?.name}`,
    node: spec?.nodeName ?? '',
    hostNetwork: spec?.hostNetwork === true,
    phase: status?.phase ?? 'Pending',
    deleting: metadata?.deletionTimestamp !== undefined,
    addresses: (status?.podIPs ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip])),
  };
}
