import { ContrailError } from '@contrail/errors';
import type { ReconcileOutcome, ReconcilePending } from '@contrail/reconcile';
import { findMessage, metaOf, typeOf } from '@contrail/resource-model';
import { projectFqName, projectUuid, serviceNetwork } from '../translate/cluster';
import { podServicePolicy, translateIsolatedNetworks } from '../translate/isolated-networks';
import { subjectOf, wantedIsolation } from '../translate/isolation';
import type { Isolation } from '../translate/isolation';
import type { KubeNamespace } from '../translate/kube-objects';
import { defaultSecurityGroup, translateNamespace } from '../translate/namespace';
import { wantedNetwork } from '../translate/namespace-network';
import type { NamespaceNetwork, WantedNetwork } from '../translate/namespace-network';
import { rootKey } from '../translate/ownership';
import type { Root } from '../translate/ownership';
import { apply } from './apply';
import { areOthersReady, isolatedNamespaces, liftedPolicies, wakePeers } from './isolation-peers';
import { findForeignProject, findIsolation } from './namespace-home';
import { complainRouteConflicts } from './route-conflicts';
import { isInUse, switchIsolation } from './switch-isolation';
import { WaitingList } from './waiting-list';
import type { Workplace } from './workplace';

/** Other namespaces join their networks within this time. */
const joinMs = 25;
/** Other namespaces detach within this time from a policy that goes. */
const detachMs = 100;

/**
 * Project, default security group, and the networks of an isolated namespace. Isolating makes the networks first and moves
 * the pods and services then; the way back is the reverse. What is still used stays, and its removal is retried.
 */
export async function reconcileNamespace(work: Workplace, root: Root): Promise<ReconcileOutcome> {
  const namespace = work.kube.namespace(root.name);
  if (namespace === undefined) {
    work.coming.forget(root.name);
    const hasPolicy = [...work.cache.ofRoot(rootKey(root)).values()].some((resource) => typeOf(resource) === 'network-policy');
    if (hasPolicy) wakePeers(work, root.name);
    await apply(work, rootKey(root), []);
    return 'gone';
  }
  const before = whatPeersSee(work, namespace);
  const applied = findIsolation(work, namespace);
  const { isolation: wanted, complaints } = wantedIsolation(namespace, applied);
  const { network, complaints: aboutNetwork } = findWantedNetwork(work, namespace);
  for (const complaint of [...complaints, ...aboutNetwork]) work.complain(complaint);
  // It was called off.
  if ((applied ?? wanted) === wanted && work.coming.forget(namespace.name)) wakePeers(work, namespace.name);
  const missing = await ensure(work, namespace, { applied: applied ?? wanted, wanted, network });
  if (missing !== undefined) return missing;
  if (applied !== undefined && applied !== wanted) {
    const waits = waitForOthers(work, namespace, wanted);
    if (waits !== undefined) return waits;
    const revision = await switchIsolation(work, namespace, wanted);
    work.coming.forget(namespace.name);
    work.isolationStatus.begin(namespace, wanted, revision);
  }
  if (whatPeersSee(work, namespace) !== before) wakePeers(work, namespace.name);
  work.isolationStatus.ensure(namespace, wanted);
  complainRouteConflicts(work, rootKey(root), subjectOf(namespace));
  // The networks are empty now.
  const hasLeft = applied !== undefined && applied !== wanted && wanted === 'none';
  return (hasLeft ? await ensure(work, namespace, { applied: wanted, wanted, network }) : undefined) ?? 'done';
}

/** Make before break: whom the namespace reaches, and who reaches it, is joined with its new networks before it moves. */
function waitForOthers(work: Workplace, namespace: KubeNamespace, wanted: Isolation): ReconcilePending | undefined {
  const isNews = work.coming.announce(namespace.name, wanted);
  if (areOthersReady(work, namespace, wanted)) return undefined;
  if (isNews) wakePeers(work, namespace.name);
  else if (work.coming.hasWaitedEnough(namespace.name)) return undefined;
  return { pending: 'waits until the networks of other namespaces are joined with its own', retryAfterMs: joinMs };
}

interface Steps {
  readonly applied: Isolation;
  readonly wanted: Isolation;
  readonly network: NamespaceNetwork;
}

function findWantedNetwork(work: Workplace, namespace: KubeNamespace): WantedNetwork {
  const stored = work.cache.get(defaultSecurityGroup(work.cluster, namespace).uuid);
  const hasPods = work.kube.pods().some((pod) => pod.namespace === namespace.name && !pod.finished);
  return wantedNetwork(namespace, stored === undefined ? undefined : metaOf(stored), hasPods);
}

/** Everything but the switch itself. */
async function ensure(work: Workplace, namespace: KubeNamespace, { applied, wanted, network }: Steps): Promise<ReconcilePending | undefined> {
  const key = rootKey({ kind: 'Namespace', namespace: '', name: namespace.name });
  const { cluster } = work;
  const existing = findForeignProject(work, namespace);
  const desired = translateNamespace(cluster, namespace, { existing, isolation: applied, network });
  if (applied === 'none' && wanted === 'none') {
    const policy = podServicePolicy(cluster, namespace);
    if (work.cache.has(policy.uuid) && isInUse(work, namespace)) {
      return { pending: 'waits until nothing uses the networks that it had while it was isolated', retryAfterMs: detachMs };
    }
    await applyWithoutNetworks(work, namespace, () => apply(work, key, desired));
    return undefined;
  }
  const last = serviceNetwork(cluster);
  if (!work.cache.has(last.uuid)) {
    return work.waiting.wait(key, WaitingList.object(last.uuid), `waits for VirtualNetwork/${last.fqName.join(':')}`);
  }
  const networks = translateIsolatedNetworks(cluster, namespace, {
    project: existing ?? { uuid: projectUuid(cluster, namespace.uid), fqName: projectFqName(cluster, namespace.name) },
    isolation: wanted === 'none' ? applied : wanted,
    peers: isolatedNamespaces(work, namespace.name).map((peer) => peer.namespace),
    liftedPolicies: liftedPolicies(work, namespace.name),
  });
  await apply(work, key, [...desired, ...networks]);
  return undefined;
}

/** @throws ContrailError what config-api says; when somebody else keeps a network from going, an event says so. */
async function applyWithoutNetworks(work: Workplace, namespace: KubeNamespace, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    const isHeld = error instanceof ContrailError && error.code === 'FAILED_PRECONDITION';
    if (isHeld && work.cache.has(podServicePolicy(work.cluster, namespace).uuid) && !isInUse(work, namespace)) {
      work.complain({
        subject: subjectOf(namespace),
        reason: 'NetworkInUse',
        action: 'RemoveNetwork',
        note:
          `Namespace/${namespace.name}: is not isolated any more, but its networks are kept, because something else uses them: ` +
          `${error.message}. Remove that reference; the networks go by themselves then`,
      });
    }
    throw error;
  }
}

/** Whether the namespace is isolated and its services are open decides about networks of others. */
function whatPeersSee(work: Workplace, namespace: KubeNamespace): string {
  const stored = work.cache.get(podServicePolicy(work.cluster, namespace).uuid);
  const policy = stored === undefined ? undefined : findMessage('network-policy', stored);
  return `${policy !== undefined} ${findIsolation(work, namespace) ?? 'none'}`;
}
