import type {
  IpamSubnetType,
  Meta,
  NetworkIpam,
  NetworkPolicy,
  Resource,
  VirtualNetwork,
} from '@contrail/proto-gen/config/v1/resources';
import { encodeResource, mapRefs, metaOf, setMeta, typeOf, withFields } from '@contrail/resource-model';
import type { ResourceType } from '@contrail/resource-model';
import { managedPoliciesOf, managedRulesOf, mergeManaged } from './managed-entries';

/**
 * Which fields of an existing object are ours. Others keep what a user or config-api wrote: further policies
 * on a cluster network, exclusions of a subnet, port security of one interface.
 */
interface Ownership {
  /** Always as desired. */
  readonly replace?: readonly string[];
  /** References: ours are added, others stay. */
  readonly unite?: readonly string[];
}

const ownership: Partial<Record<ResourceType, Ownership>> = {
  'network-ipam': { replace: ['ipamSubnetMethod'] },
  'virtual-network': {
    replace: ['addressAllocationMode', 'fabricSnat'],
    unite: ['networkIpamRefs'],
  },
  'network-policy': {},
  'security-group': {},
  'virtual-router': { replace: ['virtualRouterIpAddress', 'virtualRouterIpAddresses', 'kubeNodeName'] },
  'virtual-machine': { replace: ['serverType', 'hostPortMappings', 'kubeNodeName'] },
  'virtual-machine-interface': {
    replace: ['virtualMachineInterfaceDeviceOwner', 'virtualNetworkRefs', 'virtualMachineRefs'],
    unite: ['securityGroupRefs'],
  },
  'instance-ip': {
    replace: ['instanceIpAddress', 'instanceIpFamily', 'subnetUuid', 'virtualNetworkRefs', 'virtualMachineInterfaceRefs'],
  },
  'alias-ip-pool': {},
  'alias-ip': { replace: ['aliasIpAddress', 'aliasIpAddressFamily', 'projectRefs', 'virtualMachineInterfaceRefs'] },
  loadbalancer: {
    replace: [
      'loadbalancerProvider',
      'loadbalancerProperties',
      'serviceTraffic',
      'serviceApplianceSetRefs',
      'virtualMachineInterfaceRefs',
    ],
  },
  'loadbalancer-listener': { replace: ['loadbalancerListenerProperties', 'loadbalancerRefs'] },
  'loadbalancer-pool': {
    replace: [
      'loadbalancerPoolProperties',
      'loadbalancerPoolProvider',
      'serviceApplianceSetRefs',
      'loadbalancerListenerRefs',
    ],
  },
  'loadbalancer-member': { replace: ['loadbalancerMemberProperties', 'endpointConditions'] },
};

/** The object as it has to be stored: `desired` where the field is ours, `actual` elsewhere. */
export function mergeOwned(desired: Resource, actual: Resource): Resource {
  const type = typeOf(desired);
  const rule = ownership[type] ?? {};
  const wanted: Readonly<Record<string, unknown>> = { ...desired.kind?.value };
  const found: Readonly<Record<string, unknown>> = { ...actual.kind?.value };
  const fields: Record<string, unknown> = {};
  // `fabricSnat` and the like are absent where translation has no opinion (ip-fabric).
  for (const name of rule.replace ?? []) if (!isUnset(wanted[name]) || isMandatory(type, name)) fields[name] = wanted[name];
  for (const name of rule.unite ?? []) fields[name] = unite(found[name], wanted[name]);
  const special = mergeSpecial(desired, actual);
  const merged = withFields(actual, { ...fields, ...special });
  return setMeta(merged, mergeMeta(metaOf(desired), metaOf(actual)));
}

/** Whether storing `merged` would change nothing. Names inside references do not count: uuids decide. */
export function isStored(merged: Resource, actual: Resource): boolean {
  if (Buffer.compare(encodeResource(merged), encodeResource(actual)) === 0) return true;
  const plain = (resource: Resource): Resource => mapRefs(resource, ({ uuid }) => ({ uuid, fqName: [] }));
  return Buffer.compare(encodeResource(plain(merged)), encodeResource(plain(actual))) === 0;
}

/** Annotations of a LoadbalancerMember about its backend. */
const backendKeys: ReadonlySet<string> = new Set(['vm', 'vmi', 'refused']);

function mergeMeta(desired: Meta, actual: Meta): Meta {
  return {
    ...actual,
    annotations: mergeAnnotations(desired, actual),
    perms2: actual.perms2 ?? desired.perms2,
  };
}

/** What is said of a backend goes when it is not so any more; what users added stays. */
function mergeAnnotations(desired: Meta, actual: Meta): Meta['annotations'] {
  const kept = Object.entries(actual.annotations).filter(([key]) => !backendKeys.has(key));
  return { ...Object.fromEntries(kept), ...desired.annotations };
}

function mergeSpecial(desired: Resource, actual: Resource): Record<string, unknown> {
  if (desired.kind?.$case === 'networkIpam' && actual.kind?.$case === 'networkIpam') {
    return { ipamSubnets: mergeSubnets(desired.kind.value, actual.kind.value) };
  }
  if (desired.kind?.$case === 'virtualNetwork' && actual.kind?.$case === 'virtualNetwork') {
    return {
      virtualNetworkProperties: mergeNetworkProperties(desired.kind.value, actual.kind.value),
      networkPolicyRefs: mergeAttachments(desired.kind.value, actual.kind.value),
    };
  }
  if (desired.kind?.$case === 'networkPolicy' && actual.kind?.$case === 'networkPolicy') {
    return { networkPolicyEntries: mergeRules(desired.kind.value, actual.kind.value) };
  }
  return {};
}

/** Subnets as configured, each with what was stored for its prefix. */
function mergeSubnets(desired: NetworkIpam, actual: NetworkIpam): NetworkIpam['ipamSubnets'] {
  const prefixOf = ({ subnet }: IpamSubnetType): string => `${subnet?.ipPrefix}/${subnet?.ipPrefixLen}`;
  const stored = new Map((actual.ipamSubnets?.subnets ?? []).map((subnet) => [prefixOf(subnet), subnet]));
  return { subnets: (desired.ipamSubnets?.subnets ?? []).map((subnet) => stored.get(prefixOf(subnet)) ?? subnet) };
}

function mergeNetworkProperties(desired: VirtualNetwork, actual: VirtualNetwork): VirtualNetwork['virtualNetworkProperties'] {
  const wanted = desired.virtualNetworkProperties;
  const found = actual.virtualNetworkProperties;
  if (wanted === undefined || found === undefined) return found ?? wanted;
  return { ...found, forwardingMode: wanted.forwardingMode };
}

/** An administrator may have changed the sequence of an attachment of ours. */
function mergeAttachments(desired: VirtualNetwork, actual: VirtualNetwork): VirtualNetwork['networkPolicyRefs'] {
  const managed = managedPoliciesOf(actual.meta ?? { annotations: {} });
  const lists = { found: actual.networkPolicyRefs, wanted: desired.networkPolicyRefs };
  return mergeManaged(lists, { idOf: ({ uuid }) => uuid, managed, renew: false });
}

function mergeRules(desired: NetworkPolicy, actual: NetworkPolicy): NetworkPolicy['networkPolicyEntries'] {
  const managed = managedRulesOf(actual.meta ?? { annotations: {} });
  const lists = {
    found: actual.networkPolicyEntries?.policyRule ?? [],
    wanted: desired.networkPolicyEntries?.policyRule ?? [],
  };
  return { policyRule: mergeManaged(lists, { idOf: ({ ruleUuid }) => ruleUuid, managed, renew: true }) };
}

function unite(found: unknown, wanted: unknown): unknown[] {
  const present = Array.isArray(found) ? (found as { uuid: string }[]) : [];
  const ours = Array.isArray(wanted) ? (wanted as { uuid: string }[]) : [];
  const known = new Set(present.map((entry) => entry.uuid));
  return [...present, ...ours.filter((entry) => !known.has(entry.uuid))];
}

/** Lists that must become empty again when the last entry goes. */
function isMandatory(type: ResourceType, field: string): boolean {
  return type === 'virtual-machine' && field === 'hostPortMappings';
}

function isUnset(value: unknown): boolean {
  return value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
}
