import { Direction, Verdict } from '@contrail/proto-gen/control/v1/messages';
import type {
  Backend,
  Batch,
  Entry,
  EntryKey,
  GlobalConfig,
  Interface,
  InterfaceAddress,
  Path,
  PolicyTable,
  Service,
} from '@contrail/proto-gen/control/v1/messages';
import { macFromUuid, parseAddress, parsePrefix } from '@contrail/net';

/** Entries as control sends them, with documentation addresses; tests change what they look at. */
export const fabricVrf = 1;
export const podVrf = 5;
export const policyId = 3;

export function bytes(text: string): Buffer {
  return Buffer.from(parseAddress(text));
}

export function prefix(text: string): { address: Buffer; length: number } {
  const { address, length } = parsePrefix(text);
  return { address: Buffer.from(address), length };
}

export function vmiUuid(n: number): string {
  return `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
}

export function globalEntry(fields: Partial<GlobalConfig> = {}): Entry {
  const value: GlobalConfig = {
    clusterName: 'k8s',
    hostPrefixes: [prefix('10.32.0.0/12')],
    snatPortMin: 61000,
    snatPortMax: 65535,
    fabricVrf,
    hostIdentity: 2,
    flowTimeouts: [],
    hairpinAddressV4: bytes('10.47.255.254'),
    hairpinAddressV6: Buffer.alloc(0),
    ...fields,
  };
  return { kind: { $case: 'global', value } };
}

export function nodeEntry(name: string, ...addresses: string[]): Entry {
  return { kind: { $case: 'node', value: { name, uuid: `uuid-${name}`, addresses: addresses.map(bytes) } } };
}

export function vrfEntry(id: number, ...gateways: string[]): Entry {
  return {
    kind: {
      $case: 'vrf',
      value: {
        id,
        name: `default-domain:k8s-default:net-${id}:net-${id}`,
        virtualNetworkUuid: vmiUuid(0xf00 + id),
        virtualNetworkName: `net-${id}`,
        vni: 1000 + id,
        maxFlows: 0,
        gatewayAddresses: gateways.map(bytes),
        tenant: false,
        addressSpace: Buffer.alloc(0),
      },
    },
  };
}

export function labelEntry(label: number, vrf: number, identity: number): Entry {
  return { kind: { $case: 'label', value: { label, vrf, identity, senderVrf: vrf, senderAddressSpace: Buffer.alloc(0) } } };
}

export function policyEntry(id: number, fields: Partial<PolicyTable> = {}): Entry {
  const value: PolicyTable = {
    id,
    name: `policy-${id}`,
    rules: [],
    defaultIngress: Verdict.VERDICT_PASS,
    defaultEgress: Verdict.VERDICT_PASS,
    ...fields,
  };
  return { kind: { $case: 'policy', value } };
}

export function denyRule(port: number, ruleId: number): PolicyTable['rules'][number] {
  return {
    direction: Direction.DIRECTION_INGRESS,
    peerIdentity: 0,
    protocol: 6,
    port,
    portPrefixLength: 16,
    verdict: Verdict.VERDICT_DENY,
    ruleId,
    ruleName: `rule-${ruleId}`,
  };
}

export function podAddress(text: string, fields: Partial<InterfaceAddress> = {}): InterfaceAddress {
  const gateway = bytes('10.47.255.254');
  return { address: bytes(text), gateway, prefixLength: 12, alias: false, dnsServer: Buffer.alloc(0), ...fields };
}

export function interfaceValue(n: number, fields: Partial<Interface> = {}): Interface {
  const uuid = vmiUuid(n);
  return {
    uuid,
    node: 'node1',
    vrf: podVrf,
    identity: 40,
    policy: policyId,
    mac: Buffer.from(macFromUuid(uuid)),
    addresses: [podAddress(`10.32.${n >> 8}.${n & 255}`)],
    allowedSources: [],
    portSecurity: true,
    maxFlows: 0,
    podUid: `pod-uid-${n}`,
    podNamespace: 'default',
    podName: `web-${n}`,
    containerInterface: 'eth0',
    hostPorts: [],
    vlan: 0,
    parentUuid: '',
    networkPrefixes: [],
    ...fields,
  };
}

export function interfaceEntry(n: number, fields: Partial<Interface> = {}): Entry {
  return { kind: { $case: 'interface', value: interfaceValue(n, fields) } };
}

export function routeEntry(vrf: number, text: string, ...paths: Path[]): Entry {
  return { kind: { $case: 'route', value: { key: { vrf, prefix: prefix(text) }, paths, identity: 0 } } };
}

/** Path to interface n on a node. */
export function interfacePath(node: string, n: number, preference = 0): Path {
  const mac = Buffer.from(macFromUuid(vmiUuid(n)));
  const value = { node, interfaceUuid: vmiUuid(n), vrf: podVrf, mac };
  return { nextHop: { $case: 'interface', value }, preference };
}

export function nodePath(node: string): Path {
  return { nextHop: { $case: 'node', value: { node } }, preference: 0 };
}

export function fabricPath(): Path {
  return { nextHop: { $case: 'fabric', value: { snat: true } }, preference: 0 };
}

export function backend(n: number, fields: Partial<Backend> = {}): Backend {
  return {
    memberUuid: vmiUuid(0xb00 + n),
    address: bytes(`10.32.0.${n}`),
    port: 8080,
    vrf: podVrf,
    node: 'node1',
    ready: true,
    serving: true,
    terminating: false,
    ...fields,
  };
}

export function serviceEntry(address: string, backends: Backend[], fields: Partial<Service> = {}): Entry {
  const value: Service = {
    key: { vrf: podVrf, address: bytes(address), protocol: 6, port: 80 },
    loadbalancerUuid: vmiUuid(0xc00),
    listenerUuid: vmiUuid(0xc01),
    name: 'default/web:http',
    backends,
    affinityTimeoutS: 0,
    sourceRanges: [],
    internalLocalOnly: false,
    externalLocalOnly: false,
    external: false,
    ...fields,
  };
  return { kind: { $case: 'service', value } };
}

/** The key that removes an entry. */
export function keyOf(entry: Entry): EntryKey {
  const kind = entry.kind;
  switch (kind?.$case) {
    case 'node':
      return { kind: { $case: 'node', value: kind.value.name } };
    case 'vrf':
      return { kind: { $case: 'vrf', value: kind.value.id } };
    case 'label':
      return { kind: { $case: 'label', value: kind.value.label } };
    case 'interface':
      return { kind: { $case: 'interface', value: kind.value.uuid } };
    case 'route':
      return { kind: kind.value.key && { $case: 'route', value: kind.value.key } };
    case 'service':
      return { kind: kind.value.key && { $case: 'service', value: kind.value.key } };
    case 'policy':
      return { kind: { $case: 'policy', value: kind.value.id } };
    case 'identity':
      return { kind: { $case: 'identity', value: kind.value.id } };
    case 'global':
    case undefined:
      return { kind: undefined };
  }
}

export function batch(revision: number, entries: Entry[], removals: EntryKey[] = []): Batch {
  return { revision: BigInt(revision), entries, removals, traced: [], sequence: BigInt(revision) };
}
