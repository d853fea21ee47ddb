import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import {
  clusterPodServicePolicyName,
  defaultDomainName,
  defaultProjectName,
  defaultRoutingInstance,
  ipFabricNetworkName,
  ipFabricNetworkUuid,
  ipFabricPolicyName,
  metaOf,
  podIpamName,
  podNetworkName,
  serviceIpamName,
  serviceNetworkName,
  servicePolicyName,
  toResource,
} from '@contrail/resource-model';

/** A uuid that reads as what it is: type and number. */
export function testUuid(type: number, n: number): string {
  return `${type.toString(16).padStart(8, '0')}-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
}

const cluster = 'k8s';
const project = [defaultDomainName, 'k8s-default'];
const fabric = [defaultDomainName, defaultProjectName, ipFabricNetworkName];

export const uuids = {
  podIpam: testUuid(1, 1),
  serviceIpam: testUuid(1, 2),
  podNetwork: testUuid(2, 1),
  serviceNetwork: testUuid(2, 2),
  fabricPolicy: testUuid(3, 1),
  servicePolicy: testUuid(3, 2),
  podServicePolicy: testUuid(3, 3),
  vrouterConfig: testUuid(4, 1),
};

export function policy(uuid: string, name: string, ends: { from: PolicySide; to: PolicySide }): Resource {
  const any = [{ startPort: -1, endPort: -1 }];
  return toResource('network-policy', {
    meta: { uuid, fqName: [...project, name], parentType: 'project' },
    networkPolicyEntries: {
      policyRule: [
        {
          direction: '<>',
          protocol: 'any',
          srcAddresses: [ends.from],
          dstAddresses: [ends.to],
          srcPorts: any,
          dstPorts: any,
          actionList: { simpleAction: 'pass' },
        },
      ],
    },
  });
}

export type PolicySide = { virtualNetwork: string } | { networkPolicy: string };

/** A network with its routing instance. */
export function network(
  uuid: string,
  fqName: readonly string[],
  options: { vni: number; ipams?: readonly string[]; policies?: readonly string[]; fabricSnat?: boolean },
): Resource[] {
  const resource = toResource('virtual-network', {
    meta: { uuid, fqName: [...fqName], parentType: 'project' },
    virtualNetworkNetworkId: options.vni,
    fabricSnat: options.fabricSnat ?? false,
    networkIpamRefs: (options.ipams ?? []).map((ipam) => ({ uuid: ipam, attr: {} })),
    networkPolicyRefs: (options.policies ?? []).map((policyUuid) => ({ uuid: policyUuid, attr: {} })),
  });
  return [resource, defaultRoutingInstance(metaOf(resource))];
}

export function ipam(uuid: string, name: string, subnet: { prefix: string; length: number }): Resource {
  return toResource('network-ipam', {
    meta: { uuid, fqName: [...project, name], parentType: 'project' },
    ipamSubnetMethod: 'flat-subnet',
    ipamSubnets: { subnets: [{ subnet: { ipPrefix: subnet.prefix, ipPrefixLen: subnet.length } }] },
  });
}

/** What kube-manager makes when it starts (R21 §2.2), in default mode. */
export function clusterResources(): Resource[] {
  const fabricPolicyName = [...project, ipFabricPolicyName(cluster)].join(':');
  const servicePolicy = [...project, servicePolicyName(cluster)].join(':');
  const podNetwork = [...project, podNetworkName(cluster)];
  const serviceNetwork = [...project, serviceNetworkName(cluster)];
  return [
    ipam(uuids.podIpam, podIpamName(cluster), { prefix: '10.32.0.0', length: 12 }),
    ipam(uuids.serviceIpam, serviceIpamName(cluster), { prefix: '10.96.0.0', length: 16 }),
    policy(uuids.fabricPolicy, ipFabricPolicyName(cluster), {
      from: { networkPolicy: fabricPolicyName },
      to: { virtualNetwork: fabric.join(':') },
    }),
    policy(uuids.servicePolicy, servicePolicyName(cluster), {
      from: { networkPolicy: servicePolicy },
      to: { virtualNetwork: serviceNetwork.join(':') },
    }),
    policy(uuids.podServicePolicy, clusterPodServicePolicyName(cluster), {
      from: { virtualNetwork: podNetwork.join(':') },
      to: { virtualNetwork: serviceNetwork.join(':') },
    }),
    ...network(ipFabricNetworkUuid, fabric, { vni: 1, policies: [uuids.fabricPolicy] }),
    ...network(uuids.podNetwork, podNetwork, {
      vni: 2,
      ipams: [uuids.podIpam],
      policies: [uuids.fabricPolicy, uuids.podServicePolicy],
      fabricSnat: true,
    }),
    ...network(uuids.serviceNetwork, serviceNetwork, {
      vni: 3,
      ipams: [uuids.serviceIpam],
      policies: [uuids.fabricPolicy, uuids.servicePolicy, uuids.podServicePolicy],
    }),
    toResource('global-vrouter-config', {
      meta: { uuid: uuids.vrouterConfig, fqName: ['default-global-system-config', 'default-global-vrouter-config'] },
      flowAgingTimeoutList: { flowAgingTimeout: [{ protocol: 'udp', timeoutInSeconds: 180 }] },
    }),
  ];
}

export function nodeResource(n: number): Resource {
  return toResource('virtual-router', {
    meta: { uuid: testUuid(5, n), fqName: ['default-global-system-config', `node${n}`] },
    virtualRouterIpAddress: `192.0.2.${n}`,
    virtualRouterIpAddresses: [`192.0.2.${n}`],
  });
}

export interface TestPod {
  readonly n: number;
  readonly node: string;
  readonly address: string;
  readonly networkUuid?: string;
  /** A second address, unique in the cluster. */
  readonly alias?: string;
}

export const podUuids = {
  machine: (n: number) => testUuid(6, n),
  interface: (n: number) => testUuid(7, n),
  instanceIp: (n: number) => testUuid(8, n),
  aliasIp: (n: number) => testUuid(15, n),
};

/** The objects of one pod with one interface. */
export function podResources({ n, node, address, networkUuid = uuids.podNetwork, alias }: TestPod): Resource[] {
  return [
    toResource('virtual-machine', {
      meta: { uuid: podUuids.machine(n), fqName: [`k8s__default__pod-${n}`] },
      serverType: 'container',
      kubeNodeName: node,
      hostPortMappings: n === 1 ? [{ protocol: 'TCP', hostPort: 8080, containerPort: 80 }] : [],
    }),
    toResource('virtual-machine-interface', {
      meta: {
        uuid: podUuids.interface(n),
        fqName: [...project, `pod-${n}__${podUuids.interface(n)}`],
        parentType: 'project',
        annotations: { namespace: 'default', name: `pod-${n}` },
      },
      virtualNetworkRefs: [{ uuid: networkUuid }],
      virtualMachineRefs: [{ uuid: podUuids.machine(n) }],
    }),
    toResource('instance-ip', {
      meta: { uuid: podUuids.instanceIp(n), fqName: [`pod-${n}__${podUuids.interface(n)}`] },
      instanceIpAddress: address,
      virtualNetworkRefs: [{ uuid: networkUuid }],
      virtualMachineInterfaceRefs: [{ uuid: podUuids.interface(n) }],
    }),
    ...(alias === undefined ? [] : [aliasResource(n, alias)]),
  ];
}

function aliasResource(n: number, alias: string): Resource {
  return toResource('alias-ip', {
    meta: { uuid: podUuids.aliasIp(n), fqName: [...project, 'pods', 'aliases', `pod-${n}`], parentType: 'alias-ip-pool' },
    aliasIpAddress: alias,
    virtualMachineInterfaceRefs: [{ uuid: podUuids.interface(n) }],
  });
}

export interface TestMember {
  readonly address: string;
  /** Number of the pod behind it; absent for an endpoint that is a node. */
  readonly pod?: number;
  readonly node?: string;
  readonly ready?: boolean;
  /** Why it takes no part. */
  readonly refused?: string;
}

export interface TestService {
  readonly n: number;
  readonly clusterIp: string;
  readonly port: number;
  readonly targetPort: number;
  readonly members: readonly TestMember[];
  /** Of the cluster IP; the cluster's service network unless it says otherwise. */
  readonly networkUuid?: string;
  /** "namespace/name"; one in `default` unless it says otherwise. */
  readonly name?: string;
}

/** The objects of one ClusterIP service with one TCP port. */
export function serviceResources(service: TestService): Resource[] {
  const { n, clusterIp, port, targetPort, members, networkUuid = uuids.serviceNetwork, name = `default/svc-${n}` } = service;
  const [kubeNamespace = '', kubeName = ''] = name.split('/');
  const [lb, vmi, iip, listener, pool] = [9, 10, 11, 12, 13].map((type) => testUuid(type, n)) as [
    string, string, string, string, string,
  ];
  const named = (name: string): string[] => [...project, `svc-${n}-${name}`];
  return [
    toResource('virtual-machine-interface', {
      meta: { uuid: vmi, fqName: named('vmi') },
      virtualMachineInterfaceDeviceOwner: 'K8S:LOADBALANCER',
      virtualNetworkRefs: [{ uuid: networkUuid }],
    }),
    toResource('instance-ip', {
      meta: { uuid: iip, fqName: [`svc-${n}__${iip}`] },
      instanceIpAddress: clusterIp,
      virtualMachineInterfaceRefs: [{ uuid: vmi }],
    }),
    toResource('loadbalancer', {
      meta: { uuid: lb, fqName: named('lb'), annotations: { namespace: kubeNamespace, name: kubeName } },
      loadbalancerProvider: 'native',
      virtualMachineInterfaceRefs: [{ uuid: vmi }],
    }),
    toResource('loadbalancer-listener', {
      meta: { uuid: listener, fqName: named('listener'), annotations: { portName: 'http' } },
      loadbalancerListenerProperties: { protocol: 'TCP', protocolPort: port },
      loadbalancerRefs: [{ uuid: lb }],
    }),
    toResource('loadbalancer-pool', {
      meta: { uuid: pool, fqName: named('pool') },
      loadbalancerListenerRefs: [{ uuid: listener }],
    }),
    ...members.map((member, i) => memberResource(pool, { uuid: testUuid(14, n * 100 + i), targetPort }, member)),
  ];
}

function memberResource(pool: string, own: { uuid: string; targetPort: number }, member: TestMember): Resource {
  const { address, pod, node = '', ready = true, refused } = member;
  const annotations: Record<string, string> = refused === undefined ? {} : { refused };
  if (pod !== undefined) Object.assign(annotations, { vmi: podUuids.interface(pod), vm: podUuids.machine(pod) });
  return toResource('loadbalancer-member', {
    meta: { uuid: own.uuid, fqName: [pool, own.uuid], parentType: 'loadbalancer-pool', parentUuid: pool, annotations },
    loadbalancerMemberProperties: { address, protocolPort: own.targetPort },
    endpointConditions: { ready, serving: ready, terminating: false, nodeName: node },
  });
}
