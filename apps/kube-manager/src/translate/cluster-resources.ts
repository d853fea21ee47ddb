import { formatAddress } from '@contrail/net';
import type { Prefix } from '@contrail/net';
import type { AddressType, DeepPartial, Meta, Resource } from '@contrail/proto-gen/config/v1/resources';
import {
  aliasIpPoolName,
  clusterPodServicePolicyName,
  defaultDomainName,
  defaultProjectName,
  defaultProjectUuid,
  derivedUuid,
  ipFabricIpamName,
  ipFabricNetworkName,
  ipFabricNetworkUuid,
  ipFabricPolicyName,
  podIpamName,
  serviceIpamName,
  servicePolicyName,
  toResource,
} from '@contrail/resource-model';
import type { ResourceType } from '@contrail/resource-model';
import { defaultNamespace, podNetwork, projectFqName, serviceNetwork } from './cluster';
import type { Cluster, ObjectReference } from './cluster';
import { ownerAnnotations } from './ownership';
import { attachPolicies, networkEnd, passRule, policyEnd, policyRules } from './policy-rules';

/**
 * What a cluster has besides its Kubernetes objects: IPAMs, Contrail network policies, the cluster pod and
 * service networks, and the attachment of the ip-fabric network.
 *
 * @param project the project of namespace `default`, which holds all of them.
 * @param liftedPolicies policies of isolated namespaces whose services everybody reaches: the cluster's pods do by them.
 * @returns resources in dependency order.
 * Source: contrail-r21.md 2.2, steps 2 to 6.
 */
export function translateCluster(
  cluster: Cluster,
  project: ObjectReference,
  liftedPolicies: readonly ObjectReference[] = [],
): Resource[] {
  const make = clusterObjectMaker(cluster, project);
  const fabric = [defaultDomainName, defaultProjectName, ipFabricNetworkName];
  const pods = podNetwork(cluster);
  const services = serviceNetwork(cluster);
  const ipams = clusterIpams(cluster);
  const policies = {
    fabric: clusterObject(cluster, 'network-policy', ipFabricPolicyName(cluster.name)),
    service: clusterObject(cluster, 'network-policy', servicePolicyName(cluster.name)),
    podService: clusterObject(cluster, 'network-policy', clusterPodServicePolicyName(cluster.name)),
  };
  return [
    make.ipam(ipams.pod, cluster.podSubnets),
    make.ipam(ipams.service, cluster.serviceSubnets),
    make.ipam(ipams.fabric, cluster.ipFabricSubnets),
    make.policy(policies.fabric, policyEnd(policies.fabric), networkEnd(fabric)),
    make.policy(policies.service, policyEnd(policies.service), networkEnd(services.fqName)),
    make.policy(policies.podService, networkEnd(pods.fqName), networkEnd(services.fqName)),
    make.network(pods, ipams.pod, [policies.fabric, policies.podService, ...liftedPolicies], cluster.ipFabricSnat),
    toResource('alias-ip-pool', { meta: { ...make.meta(aliasIpPool(cluster)), parentType: 'virtual-network', parentUuid: pods.uuid } }),
    make.network(services, ipams.service, [policies.fabric, policies.service, policies.podService], false),
    toResource('virtual-network', {
      meta: { uuid: ipFabricNetworkUuid, fqName: fabric, parentType: 'project', parentUuid: defaultProjectUuid },
      networkPolicyRefs: attachPolicies([policies.fabric]).networkPolicyRefs,
    }),
  ];
}

/** An object of the cluster itself, by its name. */
export function clusterObject(cluster: Cluster, type: ResourceType, name: string): ObjectReference {
  return {
    uuid: derivedUuid(cluster.uid, type, cluster.uid, name),
    fqName: [...projectFqName(cluster, defaultNamespace), name],
  };
}

/** IPAMs of the cluster: pods, services, and the underlay. */
export function clusterIpams(cluster: Cluster): Record<'pod' | 'service' | 'fabric', ObjectReference> {
  return {
    pod: clusterObject(cluster, 'network-ipam', podIpamName(cluster.name)),
    service: clusterObject(cluster, 'network-ipam', serviceIpamName(cluster.name)),
    fabric: clusterObject(cluster, 'network-ipam', ipFabricIpamName(cluster.name)),
  };
}

/** Alias addresses of pods on custom networks come from here: from the cluster's pod IPAM. */
export function aliasIpPool(cluster: Cluster): ObjectReference {
  const network = podNetwork(cluster);
  const name = aliasIpPoolName(cluster.name);
  return { uuid: derivedUuid(cluster.uid, 'alias-ip-pool', cluster.uid, name), fqName: [...network.fqName, name] };
}

interface ClusterObjectMaker {
  meta(object: ObjectReference): DeepPartial<Meta> & { fqName: string[] };
  ipam(ipam: ObjectReference, subnets: readonly Prefix[]): Resource;
  policy(policy: ObjectReference, source: AddressType, destination: AddressType): Resource;
  network(
    network: ObjectReference,
    ipam: ObjectReference,
    policies: readonly ObjectReference[],
    fabricSnat: boolean,
  ): Resource;
}

function clusterObjectMaker(cluster: Cluster, project: ObjectReference): ClusterObjectMaker {
  const root = { kind: 'Cluster', namespace: '', name: cluster.name, uid: cluster.uid } as const;
  const annotations = ownerAnnotations(cluster, root, project.fqName.at(-1) ?? '');
  const meta = ({ uuid, fqName }: ObjectReference): DeepPartial<Meta> & { fqName: string[] } => ({
    uuid,
    fqName: [...fqName],
    parentType: 'project',
    parentUuid: project.uuid,
    annotations,
  });
  return {
    meta,
    ipam: (ipam, subnets) =>
      toResource('network-ipam', {
        meta: meta(ipam),
        ipamSubnetMethod: 'flat-subnet',
        ipamSubnets: { subnets: subnets.map((subnet) => ({ subnet: toSubnet(subnet) })) },
      }),
    policy: (policy, source, destination) => {
      const managed = policyRules([passRule(policy, [source, destination])]);
      return toResource('network-policy', {
        meta: { ...meta(policy), annotations: { ...annotations, ...managed.annotations } },
        networkPolicyEntries: { policyRule: managed.rules },
      });
    },
    network: (network, ipam, policies, fabricSnat) => {
      const attached = attachPolicies(policies);
      return toResource('virtual-network', {
        meta: { ...meta(network), annotations: { ...annotations, ...attached.annotations } },
        addressAllocationMode: 'flat-subnet-only',
        virtualNetworkProperties: { forwardingMode: 'l3' },
        fabricSnat,
        networkIpamRefs: [{ uuid: ipam.uuid, fqName: [...ipam.fqName], attr: { ipamSubnets: [] } }],
        networkPolicyRefs: attached.networkPolicyRefs,
      });
    },
  };
}

function toSubnet(prefix: Prefix): { ipPrefix: string; ipPrefixLen: number } {
  return { ipPrefix: formatAddress(prefix.address), ipPrefixLen: prefix.length };
}
