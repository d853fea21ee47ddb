import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import type { ReconcileOutcome } from '@contrail/reconcile';
import { ipFabricNetworkUuid, metaOf, typeOf } from '@contrail/resource-model';
import { defaultNamespace } from '../translate/cluster';
import { translateCluster } from '../translate/cluster-resources';
import { rootKey } from '../translate/ownership';
import type { Root } from '../translate/ownership';
import { apply } from './apply';
import { liftedPolicies } from './isolation-peers';
import { belongsToOther, findHome } from './namespace-home';
import { WaitingList } from './waiting-list';
import type { Workplace } from './workplace';

/** IPAMs, Contrail network policies and the cluster's networks. */
export async function reconcileCluster(work: Workplace, root: Root): Promise<ReconcileOutcome> {
  const key = rootKey(root);
  const home = findHome(work, defaultNamespace);
  if ('sentence' in home) return work.waiting.wait(key, home.topic, home.sentence);
  if (!work.cache.has(ipFabricNetworkUuid)) {
    const topic = WaitingList.object(ipFabricNetworkUuid);
    return work.waiting.wait(key, topic, 'waits for the network ip-fabric, which config-api makes at its start');
  }
  const desired = translateCluster(work.cluster, home.project, liftedPolicies(work));
  for (const resource of desired) refuseForeign(work, resource);
  const own = new Set(desired.map((resource) => metaOf(resource).uuid));
  // A shared project belongs to this root as well, but is written with the namespaces.
  const kept = [...work.cache.ofRoot(key).values()].filter((resource) => !own.has(metaOf(resource).uuid));
  await apply(work, key, [...desired, ...kept.filter((resource) => typeOf(resource) === 'project')]);
  return 'done';
}

/** @throws ContrailError FAILED_PRECONDITION when the name is another cluster's or a user's. */
function refuseForeign(work: Workplace, resource: Resource): void {
  const { uuid, fqName } = metaOf(resource);
  const found = work.cache.findByName(typeOf(resource), fqName);
  if (found === undefined || metaOf(found).uuid === uuid) return;
  throw belongsToOther(work, found, metaOf(found).annotations['cluster_uid'] ?? 'of no cluster (a user made it)');
}
