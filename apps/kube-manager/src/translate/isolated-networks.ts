import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import {
  derivedUuid,
  ipFabricPolicyName,
  podNetworkName,
  podServicePolicyName,
  serviceNetworkName,
  servicePolicyName,
  toResource,
} from '@contrail/resource-model';
import type { ResourceType } from '@contrail/resource-model';
import { podNetwork, projectFqName, reference } from './cluster';
import type { Cluster, ObjectReference } from './cluster';
import { clusterIpams, clusterObject } from './cluster-resources';
import type { Isolation } from './isolation';
import type { KubeNamespace } from './kube-objects';
import { ownerAnnotations } from './ownership';
import { attachPolicies, networkEnd, passRule, policyRules } from './policy-rules';

/** Pod network of an isolated namespace. */
export function isolatedPodNetwork(cluster: Cluster, namespace: KubeNamespace): ObjectReference {
  return ofNamespace(cluster, namespace, 'virtual-network/pod', podNetworkName(cluster.name, namespace.name));
}

/** Service network of an isolated namespace. */
export function isolatedServiceNetwork(cluster: Cluster, namespace: KubeNamespace): ObjectReference {
  return ofNamespace(cluster, namespace, 'virtual-network/service', serviceNetworkName(cluster.name, namespace.name));
}

/** Joins the two networks of an isolated namespace; where service isolation is lifted, others with its services. */
export function podServicePolicy(cluster: Cluster, namespace: KubeNamespace): ObjectReference {
  return ofNamespace(cluster, namespace, 'network-policy', podServicePolicyName(cluster.name, namespace.name));
}

function ofNamespace(cluster: Cluster, namespace: KubeNamespace, kind: string, name: string): ObjectReference {
  return {
    uuid: derivedUuid(cluster.uid, kind, namespace.uid),
    fqName: [...projectFqName(cluster, namespace.name), name],
  };
}

export interface IsolatedSurroundings {
  readonly project: ObjectReference;
  /** Of the namespace itself. */
  readonly isolation: Isolation;
  /** Other namespaces with networks of their own. */
  readonly peers: readonly KubeNamespace[];
  /** Policies of other namespaces whose services everybody reaches. */
  readonly liftedPolicies: readonly ObjectReference[];
}

/**
 * What an isolated namespace has besides the rest: its network policy, its pod network and its service network. Both networks
 * take their addresses from the cluster's IPAMs, so that a pod keeps its address when it moves.
 *
 * @returns resources in dependency order. Source: contrail-r21.md 2.2 and 3.
 */
export function translateIsolatedNetworks(
  cluster: Cluster,
  namespace: KubeNamespace,
  around: IsolatedSurroundings,
): Resource[] {
  const pods = isolatedPodNetwork(cluster, namespace);
  const services = isolatedServiceNetwork(cluster, namespace);
  const policy = podServicePolicy(cluster, namespace);
  const fabricPolicy = clusterObject(cluster, 'network-policy', ipFabricPolicyName(cluster.name));
  const servicePolicy = clusterObject(cluster, 'network-policy', servicePolicyName(cluster.name));
  const ipams = clusterIpams(cluster);
  const clients = around.isolation === 'pods' ? [podNetwork(cluster), ...around.peers.map((peer) => isolatedPodNetwork(cluster, peer))] : [];
  const { rules, annotations } = policyRules([
    passRule(policy, [networkEnd(pods.fqName), networkEnd(services.fqName)]),
    ...clients.map((client) => passRule(policy, [networkEnd(client.fqName), networkEnd(services.fqName)], client.uuid)),
  ]);
  const make = maker(cluster, namespace, around.project);
  return [
    toResource('network-policy', {
      meta: { ...make.meta(policy), annotations: { ...make.annotations, ...annotations } },
      networkPolicyEntries: { policyRule: rules },
    }),
    make.network(pods, ipams.pod, [fabricPolicy, servicePolicy, policy, ...around.liftedPolicies]),
    make.network(services, ipams.service, [fabricPolicy, policy]),
  ];
}

interface Maker {
  readonly annotations: Record<string, string>;
  meta(object: ObjectReference): { uuid: string; fqName: string[]; parentType: ResourceType; parentUuid: string };
  network(network: ObjectReference, ipam: ObjectReference, policies: readonly ObjectReference[]): Resource;
}

function maker(cluster: Cluster, namespace: KubeNamespace, project: ObjectReference): Maker {
  const root = { kind: 'Namespace', namespace: '', name: namespace.name, uid: namespace.uid } as const;
  const own = ownerAnnotations(cluster, root, project.fqName.at(-1) ?? '');
  const meta: Maker['meta'] = (object) => ({ ...reference(object), parentType: 'project', parentUuid: project.uuid });
  return {
    annotations: own,
    meta,
    network: (network, ipam, policies) => {
      const { networkPolicyRefs, annotations } = attachPolicies(policies);
      return toResource('virtual-network', {
        // R21 writes `isolated` like this.
        meta: { ...meta(network), annotations: { ...own, isolated: 'True', ...annotations } },
        addressAllocationMode: 'flat-subnet-only',
        virtualNetworkProperties: { forwardingMode: 'l3' },
        networkIpamRefs: [{ ...reference(ipam), attr: { ipamSubnets: [] } }],
        networkPolicyRefs,
      });
    },
  };
}
