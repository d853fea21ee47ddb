import type { ObjectReference } from '../translate/cluster';
import { podServicePolicy } from '../translate/isolated-networks';
import type { Isolation } from '../translate/isolation';
import type { KubeNamespace } from '../translate/kube-objects';
import { rootKey } from '../translate/ownership';
import { findIsolation } from './namespace-home';
import type { Workplace } from './workplace';

export interface IsolatedNamespace {
  readonly namespace: KubeNamespace;
  readonly isolation: Exclude<Isolation, 'none'>;
}

type View = Pick<Workplace, 'cluster' | 'cache' | 'kube'>;

/** Namespaces with networks of their own, by name; without the one that asks. */
export function isolatedNamespaces(work: View, asking = ''): IsolatedNamespace[] {
  const found: IsolatedNamespace[] = [];
  for (const namespace of work.kube.namespaces()) {
    const isolation = namespace.name === asking ? 'none' : (findIsolation(work, namespace) ?? 'none');
    if (isolation !== 'none') found.push({ namespace, isolation });
  }
  return found.sort((a, b) => (a.namespace.name < b.namespace.name ? -1 : 1));
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
