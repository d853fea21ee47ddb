import { formatAddress } from '@contrail/net';
import type { Prefix } from '@contrail/net';
import type {
  AddressType,
  DeepPartial,
  Meta,
  PolicyRuleType,
  Resource,
  VirtualNetworkPolicyType,
} from '@contrail/proto-gen/config/v1/resources';
import {
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

/**
 * What a cluster has besides its Kubernetes objects: IPAMs, Contrail network policies, the cluster pod and
 * service networks, and the attachment of the ip-fabric network.
 *
 * @param project the project of namespace `default`, which holds all of them.
 * @returns resources in dependency order.
 * Source: contrail-r21.md 2.2, steps 2 to 6.
 */
export function translateCluster(cluster: Cluster, project: ObjectReference): Resource[] {
  const make = clusterObjectMaker(cluster, project);
  const fabric = [defaultDomainName, defaultProjectName, ipFabricNetworkName];
  const pods = podNetwork(cluster);
  const services = serviceNetwork(cluster);
  const ipams = {
    pod: make.reference('network-ipam', podIpamName(cluster.name)),
    service: make.reference('network-ipam', serviceIpamName(cluster.name)),
    fabric: make.reference('network-ipam', ipFabricIpamName(cluster.name)),
  };
  const policies = {
    fabric: make.reference('network-policy', ipFabricPolicyName(cluster.name)),
    service: make.reference('network-policy', servicePolicyName(cluster.name)),
    podService: make.reference('network-policy', clusterPodServicePolicyName(cluster.name)),
  };
  return [
    make.ipam(ipams.pod, cluster.podSubnets),
    make.ipam(ipams.service, cluster.serviceSubnets),
    make.ipam(ipams.fabric, cluster.ipFabricSubnets),
    make.policy(policies.fabric, policyEnd(policies.fabric), networkEnd(fabric)),
    make.policy(policies.service, policyEnd(policies.service), networkEnd(services.fqName)),
    make.policy(policies.podService, networkEnd(pods.fqName), networkEnd(services.fqName)),
    make.network(pods, ipams.pod, [policies.fabric, policies.podService], cluster.ipFabricSnat),
    make.network(services, ipams.service, [policies.fabric, policies.service, policies.podService], false),
    toResource('virtual-network', {
      meta: { uuid: ipFabricNetworkUuid, fqName: fabric, parentType: 'project', parentUuid: defaultProjectUuid },
      networkPolicyRefs: [attach(policies.fabric)],
    }),
  ];
}

interface ClusterObjectMaker {
  reference(type: ResourceType, name: string): ObjectReference;
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
    reference: (type, name) => ({
      uuid: derivedUuid(cluster.uid, type, cluster.uid, name),
      fqName: [...projectFqName(cluster, defaultNamespace), name],
    }),
    ipam: (ipam, subnets) =>
      toResource('network-ipam', {
        meta: meta(ipam),
        ipamSubnetMethod: 'flat-subnet',
        ipamSubnets: { subnets: subnets.map((subnet) => ({ subnet: toSubnet(subnet) })) },
      }),
    policy: (policy, source, destination) =>
      toResource('network-policy', {
        meta: meta(policy),
        networkPolicyEntries: { policyRule: [passRule(policy, source, destination)] },
      }),
    network: (network, ipam, policies, fabricSnat) =>
      toResource('virtual-network', {
        meta: meta(network),
        addressAllocationMode: 'flat-subnet-only',
        virtualNetworkProperties: { forwardingMode: 'l3' },
        fabricSnat,
        networkIpamRefs: [{ uuid: ipam.uuid, fqName: [...ipam.fqName], attr: { ipamSubnets: [] } }],
        networkPolicyRefs: policies.map(attach),
      }),
  };
}

/** Every protocol and port, both ways. */
function passRule(policy: ObjectReference, source: AddressType, destination: AddressType): DeepPartial<PolicyRuleType> {
  const anyPort = [{ startPort: -1, endPort: -1 }];
  return {
    ruleUuid: derivedUuid(policy.uuid, 'policy-rule', policy.uuid),
    direction: '<>',
    protocol: 'any',
    srcAddresses: [source],
    srcPorts: anyPort,
    dstAddresses: [destination],
    dstPorts: anyPort,
    actionList: { simpleAction: 'pass' },
  };
}

/** As the end of a rule, a policy stands for every network to which it is attached. */
function policyEnd(policy: ObjectReference): AddressType {
  return { ...emptyEnd, networkPolicy: policy.fqName.join(':') };
}

function networkEnd(fqName: readonly string[]): AddressType {
  return { ...emptyEnd, virtualNetwork: fqName.join(':') };
}

const emptyEnd: AddressType = {
  subnet: undefined,
  virtualNetwork: '',
  securityGroup: '',
  networkPolicy: '',
  subnetList: [],
};

function attach(policy: ObjectReference): { uuid: string; fqName: string[]; attr: VirtualNetworkPolicyType } {
  return {
    uuid: policy.uuid,
    fqName: [...policy.fqName],
    attr: { sequence: { major: 0, minor: 0 }, timer: undefined },
  };
}

function toSubnet(prefix: Prefix): { ipPrefix: string; ipPrefixLen: number } {
  return { ipPrefix: formatAddress(prefix.address), ipPrefixLen: prefix.length };
}
