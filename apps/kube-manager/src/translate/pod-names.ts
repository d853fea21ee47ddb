import type { ComplaintSubject } from './complaint';
import type { KubePod } from './kube-objects';
import { rootKey } from './ownership';

/** The pod in an event. */
export function podSubject({ namespace, name, uid }: KubePod): ComplaintSubject {
  return { apiVersion: 'v1', kind: 'Pod', namespace, name, uid };
}

/** The pod as the root of the objects that are made for it. */
export function podKey({ namespace, name }: Pick<KubePod, 'namespace' | 'name'>): string {
  return rootKey({ kind: 'Pod', namespace, name });
}
