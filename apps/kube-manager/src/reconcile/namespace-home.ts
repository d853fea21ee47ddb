import { ContrailError } from '@contrail/errors';
import { describe, metaOf } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { podNetwork, projectFqName, projectUuid, serviceNetwork } from '../translate/cluster';
import type { Cluster, ObjectReference } from '../translate/cluster';
import { isolatedPodNetwork, isolatedServiceNetwork } from '../translate/isolated-networks';
import { appliedIsolation } from '../translate/isolation';
import type { Isolation } from '../translate/isolation';
import type { KubeNamespace } from '../translate/kube-objects';
import { defaultSecurityGroup } from '../translate/namespace';
import { WaitingList } from './waiting-list';
import type { Workplace } from './workplace';

/** Project and default security group, to which the objects of a namespace are attached. */
export interface NamespaceHome {
  readonly project: ObjectReference;
  readonly securityGroup: ObjectReference;
}

/** The networks of the pods and services of a namespace; a pod may have another one of its own choice. */
export interface NamespaceNetworks {
  readonly podNetwork: ObjectReference;
  readonly serviceNetwork: ObjectReference;
}

/** What has to come first, as a topic of the waiting list and as a sentence. */
export interface Missing {
  readonly topic: string;
  readonly sentence: string;
}

/** @throws ContrailError FAILED_PRECONDITION when the project belongs to another cluster. */
export function findHome(work: Workplace, namespaceName: string): NamespaceHome | Missing {
  const namespace = work.kube.namespace(namespaceName);
  if (namespace === undefined) return unknownNamespace(namespaceName);
  const project = findProject(work, namespace);
  const securityGroup = defaultSecurityGroup(work.cluster, namespace);
  if (project === undefined || !work.cache.has(securityGroup.uuid)) {
    const name = projectFqName(work.cluster, namespaceName).join(':');
    return {
      topic: WaitingList.object(securityGroup.uuid),
      sentence: `waits for Project/${name} and SecurityGroup/${securityGroup.fqName.join(':')}`,
    };
  }
  return { project, securityGroup };
}

/** As `findHome`, with the networks by which the namespace lives now. */
export function findNetworkedHome(work: Workplace, namespaceName: string): (NamespaceHome & NamespaceNetworks) | Missing {
  const namespace = work.kube.namespace(namespaceName);
  if (namespace === undefined) return unknownNamespace(namespaceName);
  const home = findHome(work, namespaceName);
  if ('sentence' in home) return home;
  const networks = networksBy(work.cluster, namespace, findIsolation(work, namespace) ?? 'none');
  const absent = [networks.podNetwork, networks.serviceNetwork].find(({ uuid }) => !work.cache.has(uuid));
  if (absent === undefined) return { ...home, ...networks };
  return { topic: WaitingList.object(absent.uuid), sentence: `waits for VirtualNetwork/${absent.fqName.join(':')}` };
}

function unknownNamespace(name: string): Missing {
  return { topic: WaitingList.namespace(name), sentence: `waits for Namespace/${name}, which Kubernetes has not announced yet` };
}

/** By what the pods and services of a namespace live now; undefined for a namespace that is new. */
export function findIsolation(work: Pick<Workplace, 'cluster' | 'cache'>, namespace: KubeNamespace): Isolation | undefined {
  const stored = work.cache.get(defaultSecurityGroup(work.cluster, namespace).uuid);
  return stored === undefined ? undefined : appliedIsolation(metaOf(stored));
}

/** The networks on which the pods and services of a namespace are. */
export function networksBy(cluster: Cluster, namespace: KubeNamespace, isolation: Isolation): NamespaceNetworks {
  return isolation === 'none'
    ? { podNetwork: podNetwork(cluster), serviceNetwork: serviceNetwork(cluster) }
    : { podNetwork: isolatedPodNetwork(cluster, namespace), serviceNetwork: isolatedServiceNetwork(cluster, namespace) };
}

/** The project that we made for this namespace, or the one that a user made under its name. */
export function findProject(work: Workplace, namespace: KubeNamespace): ObjectReference | undefined {
  const uuid = projectUuid(work.cluster, namespace.uid);
  if (work.cache.has(uuid)) return { uuid, fqName: projectFqName(work.cluster, namespace.name) };
  return findForeignProject(work, namespace);
}

/** @throws ContrailError FAILED_PRECONDITION when the project belongs to another cluster. */
export function findForeignProject(work: Workplace, namespace: KubeNamespace): ObjectReference | undefined {
  const fqName = projectFqName(work.cluster, namespace.name);
  const found = work.cache.findByName('project', fqName);
  if (found === undefined) return undefined;
  const owner = metaOf(found).annotations['cluster_uid'];
  if (owner === work.cluster.uid) return undefined;
  if (owner !== undefined) throw belongsToOther(work, found, owner);
  return { uuid: metaOf(found).uuid, fqName };
}

/** Two clusters with one CLUSTER_NAME on one config-api would share names. */
export function belongsToOther(work: Workplace, resource: Resource, owner: string): ContrailError {
  return new ContrailError(
    'FAILED_PRECONDITION',
    `${describe(resource)}: exists and belongs to the cluster with uid ${owner}, but this cluster has uid ` +
      `${work.cluster.uid}; give each cluster a CLUSTER_NAME of its own (this one says "${work.cluster.name}")`,
  );
}
