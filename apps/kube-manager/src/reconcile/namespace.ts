import type { ReconcileOutcome } from '@contrail/reconcile';
import { translateNamespace } from '../translate/namespace';
import { rootKey } from '../translate/ownership';
import type { Root } from '../translate/ownership';
import { apply } from './apply';
import { findForeignProject } from './namespace-home';
import type { Workplace } from './workplace';

/** Project and default security group. A project goes when nothing is left in it; until then this is retried. */
export async function reconcileNamespace(work: Workplace, root: Root): Promise<ReconcileOutcome> {
  const namespace = work.kube.namespace(root.name);
  if (namespace === undefined) {
    await apply(work, rootKey(root), []);
    return 'gone';
  }
  await apply(work, rootKey(root), translateNamespace(work.cluster, namespace, findForeignProject(work, namespace)));
  return 'done';
}
