import type { ReconcileOutcome } from '@contrail/reconcile';
import { translateNode } from '../translate/node';
import { rootKey } from '../translate/ownership';
import type { Root } from '../translate/ownership';
import { apply } from './apply';
import type { Workplace } from './workplace';

/** The VirtualRouter of a node. A node that loses its InternalIP keeps its last good state. */
export async function reconcileNode(work: Workplace, root: Root): Promise<ReconcileOutcome> {
  const node = work.kube.node(root.name);
  if (node === undefined) {
    await apply(work, rootKey(root), []);
    return 'gone';
  }
  const translation = translateNode(work.cluster, node);
  if ('complaint' in translation) {
    work.complain(translation.complaint);
    return { pending: translation.complaint.note };
  }
  await apply(work, rootKey(root), [translation.resource]);
  return 'done';
}
