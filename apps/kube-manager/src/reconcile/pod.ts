import { ContrailError } from '@contrail/errors';
import { formatAddress, tryParseAddress } from '@contrail/net';
import type { ReconcileOutcome, ReconcilePending } from '@contrail/reconcile';
import { findMessage } from '@contrail/resource-model';
import { familiesOf } from '../translate/cluster';
import type { IpFamily, ObjectReference } from '../translate/cluster';
import type { KubePod } from '../translate/kube-objects';
import { podInstanceIpUuid, translatePod } from '../translate/pod';
import type { AllocatedAddress } from '../translate/pod';
import { rootKey } from '../translate/ownership';
import type { Root } from '../translate/ownership';
import type { ComplaintSubject } from '../translate/complaint';
import type { AddressRequest } from './address-book';
import { addressNetworkOf } from './address-network';
import { apply } from './apply';
import { findNetworkedHome } from './namespace-home';
import { WaitingList } from './waiting-list';
import type { Workplace } from './workplace';

/** ipam says when addresses are free again; an exhausted network is asked after this time in any case. */
const exhaustedRetryMs = 30_000;

/** VirtualMachine, interface and addresses of a pod; they go when the pod is deleted or has finished. */
export async function reconcilePod(work: Workplace, root: Root): Promise<ReconcileOutcome> {
  const key = rootKey(root);
  const pod = work.kube.pod(root.namespace, root.name);
  if (pod === undefined || pod.finished) {
    await apply(work, key, []);
    work.reported.settled(key);
    return pod === undefined ? 'gone' : 'done';
  }
  const home = findNetworkedHome(work, pod.namespace);
  if ('sentence' in home) return work.waiting.wait(key, home.topic, home.sentence);
  if (pod.reportedAddresses.length === 0 && !work.cache.hasRoot(key) && work.reported.isIncomplete) {
    const sentence = 'waits until running pods, of which the store has lost the objects, have the addresses that they report';
    return work.waiting.wait(key, WaitingList.reportedAddresses, sentence);
  }
  const addresses = await findAddresses(work, pod, home.podNetwork);
  if ('pending' in addresses) return addresses;
  work.reported.settled(key);
  await apply(work, key, translatePod(work.cluster, pod, { ...home, network: home.podNetwork, addresses }));
  return 'done';
}

async function findAddresses(
  work: Workplace,
  pod: KubePod,
  network: ObjectReference,
): Promise<AllocatedAddress[] | ReconcilePending> {
  try {
    const families = familiesOf(work.cluster.podSubnets);
    return await Promise.all(families.map((family) => findAddress(work, pod, { network, family })));
  } catch (error) {
    if (!(error instanceof ContrailError) || error.code !== 'RESOURCE_EXHAUSTED') throw error;
    return complainExhausted(work, pod, { network, text: error.message });
  }
}

/** The stored address when there is one: it is kept for the pod's life. */
async function findAddress(
  work: Workplace,
  pod: KubePod,
  { network, family }: { readonly network: ObjectReference; readonly family: IpFamily },
): Promise<AllocatedAddress> {
  const ownerUuid = podInstanceIpUuid(work.cluster, pod.uid, family);
  const stored = work.cache.get(ownerUuid);
  const instanceIp = stored === undefined ? undefined : findMessage('instance-ip', stored);
  const address = tryParseAddress(instanceIp?.instanceIpAddress ?? '');
  const networkUuid = addressNetworkOf(work, network.uuid);
  const storedNetwork = addressNetworkOf(work, instanceIp?.virtualNetworkRefs[0]?.uuid ?? '');
  if (instanceIp !== undefined && address !== undefined && storedNetwork === networkUuid) {
    return { address, subnetUuid: instanceIp.subnetUuid };
  }
  const description = rootKey({ kind: 'Pod', namespace: pod.namespace, name: pod.name });
  const request = { networkUuid, ownerUuid, description };
  return (await reserveReported(work, pod, { request, family })) ?? work.addresses.allocate(request, family);
}

/** A pod that runs while nothing is stored of it keeps its address, unless that is outside the network or another's. */
async function reserveReported(
  work: Workplace,
  pod: KubePod,
  { request, family }: { readonly request: AddressRequest; readonly family: IpFamily },
): Promise<AllocatedAddress | undefined> {
  const reported = pod.reportedAddresses.map((text) => tryParseAddress(text));
  const address = reported.find((candidate) => candidate?.length === (family === 4 ? 4 : 16));
  if (address === undefined) return undefined;
  try {
    return await work.addresses.reserve(request, address);
  } catch (error) {
    const isRefused = error instanceof ContrailError && (error.code === 'ALREADY_EXISTS' || error.code === 'INVALID_ARGUMENT');
    if (!isRefused) throw error;
    const text = `Pod/${pod.namespace}/${pod.name} status.podIPs: is ${formatAddress(address)}, but ${error.message}`;
    const note = `${text}. The pod is given another address; delete it, so that it starts anew with that`;
    work.complain({ subject: subjectOf(pod), reason: 'AddressLost', action: 'ReserveAddress', note });
    return undefined;
  }
}

function subjectOf({ namespace, name, uid }: KubePod): ComplaintSubject {
  return { apiVersion: 'v1', kind: 'Pod', namespace, name, uid };
}

/** @param text what ipam says: network, subnets with their usage, and the remedy. */
function complainExhausted(
  work: Workplace,
  pod: KubePod,
  { network, text }: { readonly network: ObjectReference; readonly text: string },
): ReconcilePending {
  const note = `${text}. The pod gets its address as soon as one is free`;
  work.complain({ subject: subjectOf(pod), reason: 'AddressExhausted', action: 'AllocateAddress', note });
  const key = rootKey({ kind: 'Pod', namespace: pod.namespace, name: pod.name });
  work.waiting.note(key, WaitingList.address(addressNetworkOf(work, network.uuid)));
  return { pending: `waits for a free address of VirtualNetwork/${network.fqName.join(':')}`, retryAfterMs: exhaustedRetryMs };
}
