import { IpamSubnetType } from '@contrail/proto-gen/config/v1/resources';
import type { DeepPartial, PolicyRuleType, Resource } from '@contrail/proto-gen/config/v1/resources';
import { defaultDomainName, podNetworkName, podServicePolicyName, serviceNetworkName, toResource, withFields } from '@contrail/resource-model';
import { network, testUuid, uuids } from './cluster';

/** A rule as `red > blue tcp 80`: ends are fq_names, `any`, `local`, prefixes, or `policy:` and a fq_name. */
export function policyRule(
  text: string,
  { verdict = 'pass', ports = [-1, -1] }: { readonly verdict?: 'pass' | 'deny'; readonly ports?: readonly [number, number] } = {},
): DeepPartial<PolicyRuleType> {
  const [source = '', direction = '', destination = '', protocol = 'any', port] = text.split(' ');
  const [startPort, endPort] = port === undefined ? ports : [Number(port), Number(port)];
  return {
    direction,
    protocol,
    srcAddresses: [toAddress(source)],
    srcPorts: [{ startPort: -1, endPort: -1 }],
    dstAddresses: [toAddress(destination)],
    dstPorts: [{ startPort, endPort }],
    actionList: { simpleAction: verdict },
  };
}

/** `name@prefix` limits a network to a prefix. */
function toAddress(text: string): NonNullable<DeepPartial<PolicyRuleType>['srcAddresses']>[number] {
  if (text.startsWith('policy:')) return { networkPolicy: text.slice('policy:'.length) };
  const [name = '', prefix] = text.includes('/') && !text.includes('@') ? ['', text] : text.split('@');
  const [ipPrefix = '', length] = prefix?.split('/') ?? [];
  return { virtualNetwork: name, ...(prefix === undefined ? {} : { subnet: { ipPrefix, ipPrefixLen: Number(length) } }) };
}

export function networkPolicy(
  uuid: string,
  fqName: readonly string[],
  policyRules: readonly DeepPartial<PolicyRuleType>[],
): Resource {
  return toResource('network-policy', {
    meta: { uuid, fqName: [...fqName], parentType: 'project' },
    networkPolicyEntries: { policyRule: [...policyRules] },
  });
}

/** A network with subnets of its own. */
export function customNetwork(
  n: number,
  { prefix, length, policies = [] }: { readonly prefix: string; readonly length: number; readonly policies?: readonly string[] },
): Resource[] {
  const fields = {
    networkIpamRefs: [{ uuid: testUuid(1, 100), fqName: [], attr: { ipamSubnets: [IpamSubnetType.fromPartial({ subnet: { ipPrefix: prefix, ipPrefixLen: length } })], hostRoutes: undefined } }],
    networkPolicyRefs: policies.map((policy, minor) => ({ uuid: policy, fqName: [], attr: { sequence: { major: 0, minor }, timer: undefined } })),
  };
  const withSubnet = (resource: Resource): Resource =>
    resource.kind?.$case === 'virtualNetwork' ? withFields(resource, fields) : resource;
  return network(customUuid(n), customName(n), { vni: 100 + n }).map(withSubnet);
}

export function customUuid(n: number): string {
  return testUuid(2, 100 + n);
}

export function customName(n: number): string[] {
  return [defaultDomainName, 'k8s-default', `custom-${n}`];
}

export interface TestNamespace {
  readonly n: number;
  readonly name: string;
  /** Its services are for everybody. */
  readonly isLifted: boolean;
}

export function namespaceUuids({ n }: Pick<TestNamespace, 'n'>): { pods: string; services: string; policy: string } {
  return { pods: testUuid(2, 200 + n), services: testUuid(2, 300 + n), policy: testUuid(3, 200 + n) };
}

/** What kube-manager makes of isolated namespaces, and attaches to the cluster pod network for them (R21 §2.2). */
export function isolatedNamespaces(cluster: readonly Resource[], namespaces: readonly TestNamespace[]): Resource[] {
  const lifted = namespaces.filter(({ isLifted }) => isLifted).map((namespace) => namespaceUuids(namespace).policy);
  const own = namespaces.flatMap((namespace) => isolatedNamespace(namespace, { namespaces, lifted }));
  return [...cluster.map((resource) => withPolicies(resource, lifted)), ...own];
}

function isolatedNamespace(
  namespace: TestNamespace,
  { namespaces, lifted }: { readonly namespaces: readonly TestNamespace[]; readonly lifted: readonly string[] },
): Resource[] {
  const { pods, services, policy } = namespaceUuids(namespace);
  const others = namespaces.filter(({ n }) => n !== namespace.n).map(podsOf);
  const clients = namespace.isLifted ? [clusterPods, ...others] : [];
  const serviceName = nameOf(namespace.name, serviceNetworkName(cluster, namespace.name));
  const policyName = [defaultDomainName, `${cluster}-${namespace.name}`, podServicePolicyName(cluster, namespace.name)];
  const everybody = [policy, ...lifted.filter((uuid) => uuid !== policy)];
  return [
    networkPolicy(policy, policyName, [podsOf(namespace), ...clients].map((client) => policyRule(`${client} <> ${serviceName}`))),
    ...network(pods, podsOf(namespace).split(':'), {
      vni: 200 + namespace.n,
      ipams: [uuids.podIpam],
      policies: [uuids.fabricPolicy, uuids.servicePolicy, ...everybody],
    }),
    ...network(services, serviceName.split(':'), {
      vni: 300 + namespace.n,
      ipams: [uuids.serviceIpam],
      policies: [uuids.fabricPolicy, policy],
    }),
  ];
}

const cluster = 'k8s';
const clusterPods = nameOf('default', podNetworkName(cluster));

function podsOf({ name }: TestNamespace): string {
  return nameOf(name, podNetworkName(cluster, name));
}

function nameOf(namespace: string, network: string): string {
  return [defaultDomainName, `${cluster}-${namespace}`, network].join(':');
}

function withPolicies(resource: Resource, policies: readonly string[]): Resource {
  if (resource.kind?.$case !== 'virtualNetwork' || resource.kind.value.meta?.uuid !== uuids.podNetwork) return resource;
  const refs = policies.map((uuid) => ({ uuid, fqName: [], attr: undefined }));
  return withFields(resource, { networkPolicyRefs: [...resource.kind.value.networkPolicyRefs, ...refs] });
}
