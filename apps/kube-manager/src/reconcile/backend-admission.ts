import { metaOf, typeOf } from '@contrail/resource-model';
import type { KubeService } from '../translate/kube-objects';
import { customNetworkKey } from '../translate/move-to-network';
import { rootKey } from '../translate/ownership';
import { findIsolation } from './namespace-home';
import { WaitingList } from './waiting-list';
import type { Workplace } from './workplace';

/**
 * Keeps services from being back doors: the namespace of a backend decides who reaches it, so a service of another namespace
 * gets no path to a pod of an isolated one, by whatever slice it is named. The service is woken when the answer may change.
 *
 * @returns for each address why it is refused; undefined when it is admitted.
 */
export function backendAdmission(work: Workplace, service: KubeService): (address: string) => string | undefined {
  const key = rootKey({ kind: 'Service', namespace: service.namespace, name: service.name });
  return (address) => {
    const pods = work.cache.findByAddress(address).flatMap((resource) => {
      const { kind, namespace, name, [customNetworkKey]: chosen } = metaOf(resource).annotations;
      // The tenant's address of a pod with an alias is nobody's outside its network.
      const isAmbiguous = typeOf(resource) === 'instance-ip' && chosen !== undefined && hasAlias(work, `Pod/${namespace}/${name}`);
      return kind !== 'Pod' || namespace === undefined || name === undefined || isAmbiguous ? [] : [{ namespace, name }];
    });
    if (pods.length === 0) work.waiting.note(key, WaitingList.endpoint(address));
    for (const pod of pods) {
      if (pod.namespace === service.namespace) continue;
      work.waiting.note(key, WaitingList.isolation(pod.namespace));
      const namespace = work.kube.namespace(pod.namespace);
      const isolation = namespace === undefined ? 'none' : (findIsolation(work, namespace) ?? 'none');
      if (isolation !== 'none') return `Pod/${pod.namespace}/${pod.name} is in the isolated namespace ${pod.namespace}`;
    }
    return undefined;
  };
}

function hasAlias({ cache }: Workplace, root: string): boolean {
  return [...cache.ofRoot(root).values()].some((resource) => typeOf(resource) === 'alias-ip');
}
