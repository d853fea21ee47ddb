import { ContrailError } from '@contrail/errors';
import { tryParseAddress } from '@contrail/net';
import type { ReconcileOutcome, ReconcilePending } from '@contrail/reconcile';
import { findMessage } from '@contrail/resource-model';
import { familiesOf, podNetwork } from '../translate/cluster';
import type { IpFamily, ObjectReference } from '../translate/cluster';
import type { KubePod } from '../translate/kube-objects';
import { podInstanceIpUuid, translatePod } from '../translate/pod';
import type { AllocatedAddress } from '../translate/pod';
import { rootKey } from '../translate/ownership';
import type { Root } from '../translate/ownership';
import { apply } from './apply';
import { findHome } from './namespace-home';
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
    return pod === undefined ? 'gone' : 'done';
  }
  const home = findHome(work, pod.namespace);
  if ('sentence' in home) return work.waiting.wait(key, home.topic, home.sentence);
  const network = podNetwork(work.cluster);
  if (!work.cache.has(network.uuid)) {
    const sentence = `waits for VirtualNetwork/${network.fqName.join(':')}`;
    return work.waiting.wait(key, WaitingList.object(network.uuid), sentence);
  }
  const addresses = await findAddresses(work, pod, network);
  if ('pending' in addresses) return addresses;
  await apply(work, key, translatePod(work.cluster, pod, { ...home, network, addresses }));
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
  if (instanceIp !== undefined && address !== undefined && instanceIp.virtualNetworkRefs[0]?.uuid === network.uuid) {
    return { address, subnetUuid: instanceIp.subnetUuid };
  }
  const description = rootKey({ kind: 'Pod', namespace: pod.namespace, name: pod.name });
  return work.addresses.allocate({ networkUuid: network.uuid, ownerUuid, description }, family);
}

/** @param text what ipam says: network, subnets with their usage, and the remedy. */
function complainExhausted(
  work: Workplace,
  pod: KubePod,
  { network, text }: { readonly network: ObjectReference; readonly text: string },
): ReconcilePending {
  const note = `${text}. The pod gets its address as soon as one is free`;
  const subject = { apiVersion: 'v1', kind: 'Pod', namespace: pod.namespace, name: pod.name, uid: pod.uid };
  work.complain({ subject, reason: 'AddressExhausted', action: 'AllocateAddress', note });
  const key = rootKey({ kind: 'Pod', namespace: pod.namespace, name: pod.name });
  work.waiting.note(key, WaitingList.address(network.uuid));
  return { pending: `waits for a free address of VirtualNetwork/${network.fqName.join(':')}`, retryAfterMs: exhaustedRetryMs };
}
