import { ContrailError } from '@contrail/errors';
import { formatAddress, tryParseAddress } from '@contrail/net';
import type { ReconcilePending } from '@contrail/reconcile';
import { findMessage } from '@contrail/resource-model';
import { familiesOf, podNetwork } from '../translate/cluster';
import type { IpFamily, ObjectReference } from '../translate/cluster';
import { networkStatusKey } from '../translate/annotation-keys';
import type { KubePod } from '../translate/kube-objects';
import { statusAddresses } from '../translate/network-status';
import { podAliasIpUuid, podInstanceIpUuid } from '../translate/pod';
import type { AllocatedAddress } from '../translate/pod';
import { podKey, podSubject } from '../translate/pod-names';
import type { AddressRequest } from './address-book';
import { addressNetworkOf } from './address-network';
import type { PodNetwork } from './pod-network';
import { WaitingList } from './waiting-list';
import type { Workplace } from './workplace';

/** ipam says when addresses are free again; an exhausted network is asked after this time in any case. */
const exhaustedRetryMs = 30_000;

/** The addresses of a pod: those of its network, and the alias addresses where these are ambiguous. */
export interface PodAddresses {
  readonly addresses: readonly AllocatedAddress[];
  readonly aliases: readonly AllocatedAddress[];
}

/**
 * Stored addresses are kept for the pod's life; others come from ipam, those of the network and the alias at once: a pod with two
 * starts as soon as one with one. While the network has none left, the pod has its alias already.
 */
export async function findPodAddresses(work: Workplace, pod: KubePod, place: PodNetwork): Promise<PodAddresses | ReconcilePending> {
  const { network, families, needsAlias } = place;
  const report = needsAlias ? statusReport(pod, network) : kubernetesReport(pod);
  const [own, aliases] = await Promise.all([
    attempt(work, pod, network, () => Promise.all(families.map((family) => findAddress(work, pod, { network, family, report })))),
    needsAlias ? findAliases(work, pod) : [],
  ]);
  if ('pending' in own) return own;
  return 'pending' in aliases ? aliases : { addresses: own, aliases };
}

function findAliases(work: Workplace, pod: KubePod): Promise<AllocatedAddress[] | ReconcilePending> {
  const pool = podNetwork(work.cluster);
  return attempt(work, pod, pool, () =>
    Promise.all(familiesOf(work.cluster.podSubnets).map((family) => findAlias(work, pod, { network: pool, family, report: kubernetesReport(pod) }))),
  );
}

/**
 * A pod that runs on a network which is not there, as after a loss of the store: its alias stays its own until the network is
 * back. ipam keeps a reservation without object as long as it is asked for, which every look at the pod does.
 */
export async function keepReportedAliases(work: Workplace, pod: KubePod): Promise<void> {
  if (pod.reportedAddresses.length === 0) return;
  const networkUuid = podNetwork(work.cluster).uuid;
  for (const family of familiesOf(work.cluster.podSubnets)) {
    const ownerUuid = podAliasIpUuid(work.cluster, pod.uid, family);
    const request = { networkUuid, ownerUuid, ownerType: 'alias-ip', description: podKey(pod) } as const;
    await reserveReported(work, pod, { request, family, report: kubernetesReport(pod) });
  }
}

async function attempt(
  work: Workplace,
  pod: KubePod,
  network: ObjectReference,
  ask: () => Promise<AllocatedAddress[]>,
): Promise<AllocatedAddress[] | ReconcilePending> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof ContrailError) || error.code !== 'RESOURCE_EXHAUSTED') throw error;
    return complainExhausted(work, pod, { network, text: error.message });
  }
}

interface Wanted {
  readonly network: ObjectReference;
  readonly family: IpFamily;
  readonly report: Report;
}

/** Addresses that a running pod has, whatever is stored. */
interface Report {
  readonly addresses: readonly string[];
  /** Field of the pod that says so. */
  readonly field: string;
}

function kubernetesReport({ reportedAddresses }: KubePod): Report {
  return { addresses: reportedAddresses, field: 'status.podIPs' };
}

/** Kubernetes shows the alias; which address the network gave is what we wrote. */
function statusReport(pod: KubePod, network: ObjectReference): Report {
  const addresses = pod.reportedAddresses.length === 0 ? [] : statusAddresses(pod.networkStatus, network);
  return { addresses, field: `metadata.annotations["${networkStatusKey}"]` };
}

function findAddress(work: Workplace, pod: KubePod, wanted: Wanted): Promise<AllocatedAddress> {
  const ownerUuid = podInstanceIpUuid(work.cluster, pod.uid, wanted.family);
  const stored = work.cache.get(ownerUuid);
  const instanceIp = stored === undefined ? undefined : findMessage('instance-ip', stored);
  const address = tryParseAddress(instanceIp?.instanceIpAddress ?? '');
  const networkUuid = addressNetworkOf(work, wanted.network.uuid);
  const storedNetwork = addressNetworkOf(work, instanceIp?.virtualNetworkRefs[0]?.uuid ?? '');
  if (instanceIp !== undefined && address !== undefined && storedNetwork === networkUuid) {
    return Promise.resolve({ address, subnetUuid: instanceIp.subnetUuid });
  }
  return ask(work, pod, { request: { networkUuid, ownerUuid, description: podKey(pod) }, wanted });
}

/** Alias addresses are the cluster's, whatever network the pod is on. */
function findAlias(work: Workplace, pod: KubePod, wanted: Wanted): Promise<AllocatedAddress> {
  const ownerUuid = podAliasIpUuid(work.cluster, pod.uid, wanted.family);
  const stored = work.cache.get(ownerUuid);
  const address = tryParseAddress((stored === undefined ? undefined : findMessage('alias-ip', stored))?.aliasIpAddress ?? '');
  if (address !== undefined) return Promise.resolve({ address, subnetUuid: '' });
  const request = { networkUuid: wanted.network.uuid, ownerUuid, ownerType: 'alias-ip', description: podKey(pod) } as const;
  return ask(work, pod, { request, wanted });
}

async function ask(
  work: Workplace,
  pod: KubePod,
  { request, wanted }: { readonly request: AddressRequest; readonly wanted: Wanted },
): Promise<AllocatedAddress> {
  const { family, report } = wanted;
  const kept = await reserveReported(work, pod, { request, family, report });
  return kept ?? work.addresses.allocate(request, family);
}

/** A pod that runs while nothing is stored of it keeps its address, unless that is outside the network or another's. */
async function reserveReported(
  work: Workplace,
  pod: KubePod,
  { request, family, report }: { readonly request: AddressRequest; readonly family: IpFamily; readonly report: Report },
): Promise<AllocatedAddress | undefined> {
  const reported = report.addresses.map((text) => tryParseAddress(text));
  const address = reported.find((candidate) => candidate?.length === (family === 4 ? 4 : 16));
  if (address === undefined) return undefined;
  try {
    return await work.addresses.reserve(request, address);
  } catch (error) {
    const isRefused = error instanceof ContrailError && (error.code === 'ALREADY_EXISTS' || error.code === 'INVALID_ARGUMENT');
    if (!isRefused) throw error;
    const text = `Pod/${pod.namespace}/${pod.name} ${report.field}: is ${formatAddress(address)}, but ${error.message}`;
    const note = `${text}. The pod is given another address; delete it, so that it starts anew with that`;
    work.complain({ subject: podSubject(pod), reason: 'AddressLost', action: 'ReserveAddress', note });
    return undefined;
  }
}

/** @param text what ipam says: network, subnets with their usage, and the remedy. */
function complainExhausted(
  work: Workplace,
  pod: KubePod,
  { network, text }: { readonly network: ObjectReference; readonly text: string },
): ReconcilePending {
  const note = `${text}. The pod gets its address as soon as one is free`;
  work.complain({ subject: podSubject(pod), reason: 'AddressExhausted', action: 'AllocateAddress', note });
  work.waiting.note(podKey(pod), WaitingList.address(addressNetworkOf(work, network.uuid)));
  return { pending: `waits for a free address of VirtualNetwork/${network.fqName.join(':')}`, retryAfterMs: exhaustedRetryMs };
}
