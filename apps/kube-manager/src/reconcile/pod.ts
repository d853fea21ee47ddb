import type { ReconcileOutcome } from '@contrail/reconcile';
import { aliasIpPool } from '../translate/cluster-resources';
import { networkStatusText } from '../translate/network-status';
import { rootKey } from '../translate/ownership';
import type { Root } from '../translate/ownership';
import { translatePod } from '../translate/pod';
import { apply } from './apply';
import { findNetworkedHome } from './namespace-home';
import { findPodAddresses, keepReportedAliases } from './pod-addresses';
import { findPodNetwork } from './pod-network';
import { WaitingList } from './waiting-list';
import type { Workplace } from './workplace';

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
  const place = findPodNetwork(work, pod, home);
  if ('pending' in place) {
    await keepReportedAliases(work, pod);
    work.reported.settled(key);
    return place;
  }
  const addresses = await findPodAddresses(work, pod, place);
  if ('pending' in addresses) return addresses;
  work.reported.settled(key);
  const { network, isChosen } = place;
  await apply(work, key, translatePod(work.cluster, pod, { ...home, network, isChosen, ...addresses, aliasPool: aliasIpPool(work.cluster) }));
  if (place.needsAlias) await work.networkStatus.ensure(pod, networkStatusText({ network, ...addresses }));
  return 'done';
}
