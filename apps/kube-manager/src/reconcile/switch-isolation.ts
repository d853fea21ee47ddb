import { ContrailError } from '@contrail/errors';
import type { Operation } from '@contrail/proto-gen/config/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { metaOf } from '@contrail/resource-model';
import { podNetwork } from '../translate/cluster';
import { isolatedPodNetwork, isolatedServiceNetwork, podServicePolicy } from '../translate/isolated-networks';
import type { Isolation } from '../translate/isolation';
import type { KubeNamespace } from '../translate/kube-objects';
import { moveToNetwork, networkOf, setIsolation } from '../translate/move-to-network';
import { defaultSecurityGroup } from '../translate/namespace';
import { rootKey } from '../translate/ownership';
import { isolatedNamespaces, policiesOf } from './isolation-peers';
import { networksBy } from './namespace-home';
import { WaitingList } from './waiting-list';
import type { Workplace } from './workplace';

/**
 * Moves every pod and service of a namespace to the networks that belong to its new isolation, and notes that on its
 * security group: in one transaction, so that no two of its pods are ever on different networks (beyond 5000
 * operations in several). A pass of a pod that read the old state meanwhile is repeated.
 *
 * @returns revision of the store with the new state.
 */
export async function switchIsolation(work: Workplace, namespace: KubeNamespace, isolation: Isolation): Promise<bigint> {
  const securityGroup = work.cache.get(defaultSecurityGroup(work.cluster, namespace).uuid);
  if (securityGroup === undefined) {
    throw new ContrailError('ABORTED', `Namespace/${namespace.name}: its security group was removed; it is made again`);
  }
  const networks = networksBy(work.cluster, namespace, isolation);
  const moved = [...resourcesOf(work, namespace, 'Pod')].flatMap((resource) => moveToNetwork(resource, networks.podNetwork) ?? []);
  const services = [...resourcesOf(work, namespace, 'Service')].flatMap(
    (resource) => moveToNetwork(resource, networks.serviceNetwork) ?? [],
  );
  // In several transactions: pods on a network of their own reach services of the cluster's network, never the reverse.
  const inOrder = isolation === 'none' ? [...services, ...moved] : [...moved, ...services];
  const operations = [setIsolation(securityGroup, isolation), ...inOrder].map(toUpdate);
  const revision = await work.writer.writeWhole(operations);
  work.log.info('a namespace was switched', { namespace: namespace.name, isolation, operations: operations.length, revision: String(revision) });
  for (const { name } of work.kube.pods().filter((pod) => pod.namespace === namespace.name)) {
    work.enqueue(rootKey({ kind: 'Pod', namespace: namespace.name, name }));
  }
  for (const { name } of work.kube.services().filter((service) => service.namespace === namespace.name)) {
    work.enqueue(rootKey({ kind: 'Service', namespace: namespace.name, name }));
  }
  work.waiting.cameTrue(WaitingList.isolation(namespace.name));
  return revision;
}

function toUpdate(resource: Resource): Operation {
  const expectedRevision = metaOf(resource).revision;
  return { kind: { $case: 'update', value: { resource, updateMask: undefined, expectedRevision } }, traceparent: '' };
}

function* resourcesOf({ cache }: Workplace, { name }: KubeNamespace, kind: 'Pod' | 'Service'): Generator<Resource> {
  const prefix = `${kind}/${name}/`;
  for (const root of [...cache.roots()]) if (root.startsWith(prefix)) yield* cache.ofRoot(root).values();
}

/** Whether objects of ours still refer to the networks or to the policy of a namespace. */
export function isInUse(work: Workplace, namespace: KubeNamespace): boolean {
  const { cluster } = work;
  const networks = new Set([isolatedPodNetwork(cluster, namespace).uuid, isolatedServiceNetwork(cluster, namespace).uuid]);
  for (const kind of ['Pod', 'Service'] as const) {
    for (const resource of resourcesOf(work, namespace, kind)) if (networks.has(networkOf(resource) ?? '')) return true;
  }
  const policy = podServicePolicy(cluster, namespace).uuid;
  const peers = [podNetwork(cluster), ...isolatedNamespaces(work, namespace.name).map((peer) => isolatedPodNetwork(cluster, peer.namespace))];
  return peers.some(({ uuid }) => policiesOf(work, uuid).has(policy));
}
