import { metaOf, routeConflictKey, typeOf } from '@contrail/resource-model';
import type { ComplaintSubject } from '../translate/complaint';
import type { Workplace } from './workplace';

/**
 * Tells the Kubernetes object whose annotation made networks which of them policies join in vain, because addresses overlap.
 * @param root key of the object.
 */
export function complainRouteConflicts(work: Workplace, root: string, subject: ComplaintSubject): void {
  for (const resource of work.cache.ofRoot(root).values()) {
    const conflict = typeOf(resource) === 'virtual-network' ? (metaOf(resource).annotations[routeConflictKey] ?? '') : '';
    if (conflict !== '') work.complain({ subject, reason: 'NetworksNotJoined', action: 'JoinNetworks', note: `${nameOf(subject)}: ${conflict}` });
  }
}

function nameOf({ kind, namespace, name }: ComplaintSubject): string {
  return namespace === '' ? `${kind}/${name}` : `${kind}/${namespace}/${name}`;
}
