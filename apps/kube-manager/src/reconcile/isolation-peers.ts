import { findMessage } from '@contrail/resource-model';
import { podNetwork } from '../translate/cluster';
import type { ObjectReference } from '../translate/cluster';
import { isolatedPodNetwork, podServicePolicy } from '../translate/isolated-networks';
import type { Isolation } from '../translate/isolation';
import type { KubeNamespace } from '../translate/kube-objects';
import { rootKey } from '../translate/ownership';
import { findIsolation } from './namespace-home';
import type { Workplace } from './workplace';

export interface IsolatedNamespace {
  readonly namespace: KubeNamespace;
  readonly isolation: Exclude<Isolation, 'none'>;
}

type View = Pick<Workplace, 'cluster' | 'cache' | 'kube' | 'coming'>;

/** Namespaces that have, or are about to have, networks of their own, by name; without the one that asks. */
export function isolatedNamespaces(work: View, asking = ''): IsolatedNamespace[] {
  const found: IsolatedNamespace[] = [];
  for (const namespace of work.kube.namespaces()) {
    const isolation = namespace.name === asking ? 'none' : isolationFor(work, namespace);
    if (isolation !== 'none') found.push({ namespace, isolation });
  }
  return found.sort((a, b) => (a.namespace.name < b.namespace.name ? -1 : 1));
}

/** What the networks of others have to be joined with: all that the state of now and the coming one need. */
function isolationFor(work: View, namespace: KubeNamespace): Isolation {
  const applied = findIsolation(work, namespace) ?? 'none';
  const coming = work.coming.of(namespace.name);
  return coming === 'pods' || applied === 'none' ? coming : applied;
}

/** Policies of namespaces whose services everybody reaches: every pod network is attached to them. */
export function liftedPolicies(work: View, asking = ''): ObjectReference[] {
  return isolatedNamespaces(work, asking)
    .filter(({ isolation }) => isolation === 'pods')
    .map(({ namespace }) => podServicePolicy(work.cluster, namespace))
    .filter(({ uuid }) => work.cache.has(uuid));
}

/** Whoever's attachments or rules depend on which namespaces are isolated. */
export function wakePeers(work: View & Pick<Workplace, 'enqueue'>, asking: string): void {
  work.enqueue(rootKey({ kind: 'Cluster', namespace: '', name: work.cluster.name }));
  for (const { namespace } of isolatedNamespaces(work, asking)) {
    work.enqueue(rootKey({ kind: 'Namespace', namespace: '', name: namespace.name }));
  }
}

/**
 * Whether the networks of others are joined with those of a namespace as its new isolation needs it: clients with its services
 * when these are open to everybody, its pods with the open services of others.
 */
export function areOthersReady(work: View, asking: KubeNamespace, isolation: Isolation): boolean {
  if (isolation === 'none') return true;
  const peers = isolatedNamespaces(work, asking.name);
  const own = podServicePolicy(work.cluster, asking);
  const clients = [podNetwork(work.cluster), ...peers.map(({ namespace }) => isolatedPodNetwork(work.cluster, namespace))];
  const areAttached = clients.every(({ uuid }) => !work.cache.has(uuid) || policiesOf(work, uuid).has(own.uuid));
  const name = isolatedPodNetwork(work.cluster, asking).fqName.join(':');
  const open = peers.filter((peer) => peer.isolation === 'pods').map(({ namespace }) => podServicePolicy(work.cluster, namespace));
  const areNamed = open.every(({ uuid }) => !work.cache.has(uuid) || clientsOf(work, uuid).has(name));
  return areNamed && (isolation === 'full' || areAttached);
}

/** Policies that are attached to a network. */
export function policiesOf({ cache }: Pick<View, 'cache'>, networkUuid: string): Set<string> {
  const network = cache.get(networkUuid);
  const refs = network === undefined ? undefined : findMessage('virtual-network', network)?.networkPolicyRefs;
  return new Set(refs?.map(({ uuid }) => uuid));
}

/** Networks from which a policy has rules. */
function clientsOf({ cache }: Pick<View, 'cache'>, policyUuid: string): Set<string> {
  const policy = cache.get(policyUuid);
  const rules = policy === undefined ? undefined : findMessage('network-policy', policy)?.networkPolicyEntries?.policyRule;
  return new Set(rules?.flatMap(({ srcAddresses }) => srcAddresses.map(({ virtualNetwork }) => virtualNetwork)));
}
