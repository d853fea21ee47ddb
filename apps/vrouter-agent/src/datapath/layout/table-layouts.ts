/**
 * How each table of the port is kept in eBPF maps: names, structs, and the split by address family.
 * Pure; the kernel's tables and the in-memory ones both use it, so keys compare alike in tests.
 */
import type {
  BackendKey,
  BackendValue,
  CompositeKey,
  HostRouteKey,
  IpPrefix,
  LabelInValue,
  LabelOutKey,
  NextHopKind,
  NextHopValue,
  NodeKey,
  NodeValue,
  PolicyKey,
  PolicyValue,
  PrefixRouteKey,
  RouteValue,
  ServiceKey,
  ServiceValue,
  SourceKey,
  SourceRangeKey,
  VifKey,
  VifValue,
  VrfValue,
} from '../port';
import type { Codec } from './struct-codec';
import { convert, presentCodec, wordCodec } from './struct-codec';
import * as structs from './table-structs';

/** One eBPF map of a table; tables keyed by address have one for each family. */
export interface MapLayout<K> {
  readonly map: string;
  readonly key: Codec<K>;
}

export interface TableLayout<K, V> {
  readonly name: string;
  readonly value: Codec<V>;
  readonly maps: readonly MapLayout<K>[];
  /** Index into `maps`. */
  mapOf(key: K): number;
}

const noBytes = (length: number): Uint8Array => new Uint8Array(length);

function single<K, V>(
  name: string,
  map: string,
  key: Codec<K>,
  value: Codec<V>,
): TableLayout<K, V> {
  return { name, value, maps: [{ map, key }], mapOf: () => 0 };
}

interface Families<K, V> {
  readonly name: string;
  readonly map: string;
  readonly v4: Codec<K>;
  readonly v6: Codec<K>;
  readonly value: Codec<V>;
  readonly addressOf: (key: K) => Uint8Array;
}

function byFamily<K, V>(options: Families<K, V>): TableLayout<K, V> {
  return {
    name: options.name,
    value: options.value,
    maps: [
      { map: `${options.map}_v4`, key: options.v4 },
      { map: `${options.map}_v6`, key: options.v6 },
    ],
    mapOf: (key) => (options.addressOf(key).length === 4 ? 0 : 1),
  };
}

/** Bits before the address in an LPM key (two words, or one). */
const twoWords = 64;
const oneWord = 32;

const prefixOf = (raw: { prefixlen: number; address: Uint8Array }, before: number): IpPrefix => ({
  address: raw.address,
  length: raw.prefixlen - before,
});

const vifKey = convert(
  structs.vifKeyStruct,
  (key: VifKey) => ({ ifindex: key.ifindex, vlan: key.vlan, pad: 0 }),
  (raw): VifKey => ({ ifindex: raw.ifindex, vlan: raw.vlan }),
);

const vifValue = convert(
  structs.vifStruct,
  (value: VifValue) => ({
    ...value,
    kind: value.kind === 'pod' ? 0 : 1,
    pad: 0,
    reserved: noBytes(20),
  }),
  (raw): VifValue => ({
    kind: raw.kind === 0 ? 'pod' : 'host',
    vrf: raw.vrf,
    identity: raw.identity,
    policy: raw.policy,
    portSecurity: raw.portSecurity,
    mac: raw.mac,
    mtu: raw.mtu,
    maxFlows: raw.maxFlows,
    uuid: raw.uuid,
  }),
);

const sourceKey = (
  raw: Codec<{
    prefixlen: number;
    ifindex: number;
    vlan: number;
    pad: number;
    address: Uint8Array;
  }>,
): Codec<SourceKey> =>
  convert(
    raw,
    (key) => ({
      prefixlen: twoWords + key.prefix.length,
      ifindex: key.ifindex,
      vlan: key.vlan,
      pad: 0,
      address: key.prefix.address,
    }),
    (value) => ({ ifindex: value.ifindex, vlan: value.vlan, prefix: prefixOf(value, twoWords) }),
  );

const hostRouteKey = (raw: Codec<{ vrf: number; address: Uint8Array }>): Codec<HostRouteKey> => raw;

const prefixRouteKey = (
  raw: Codec<{ prefixlen: number; vrf: number; address: Uint8Array }>,
): Codec<PrefixRouteKey> =>
  convert(
    raw,
    (key) => ({
      prefixlen: oneWord + key.prefix.length,
      vrf: key.vrf,
      address: key.prefix.address,
    }),
    (value) => ({ vrf: value.vrf, prefix: prefixOf(value, oneWord) }),
  );

const routeValue = convert(
  structs.routeStruct,
  (value: RouteValue) => ({
    nextHop: value.nextHop,
    identity: value.identity ?? 0,
    reserved: noBytes(8),
  }),
  (raw): RouteValue =>
    raw.identity === 0
      ? { nextHop: raw.nextHop }
      : { nextHop: raw.nextHop, identity: raw.identity },
);

/** Order of `enum next_hop_kind` in bpf/layout.h; 0 is no kind. */
export const nextHopKinds: readonly NextHopKind[] = [
  'encap',
  'tunnel',
  'composite',
  'receive',
  'gateway',
  'fabric',
  'discard',
];

const nextHopValue = convert(
  structs.nextHopStruct,
  (value: NextHopValue) => ({
    kind: nextHopKinds.indexOf(value.kind) + 1,
    snat: value.snat,
    remoteLength: value.remote?.length ?? 0,
    pad: 0,
    ifindex: value.ifindex,
    vlan: value.vlan,
    memberCount: value.memberCount,
    vrf: value.vrf,
    label: value.label,
    remote: value.remote ?? noBytes(16),
    mac: value.mac,
    pad2: 0,
    reserved: noBytes(20),
  }),
  (raw): NextHopValue => ({
    kind: nextHopKinds[raw.kind - 1] ?? 'discard',
    ifindex: raw.ifindex,
    vlan: raw.vlan,
    remote: raw.remoteLength === 0 ? undefined : raw.remote.slice(0, raw.remoteLength),
    vrf: raw.vrf,
    label: raw.label,
    mac: raw.mac,
    snat: raw.snat,
    memberCount: raw.memberCount,
  }),
);

const labelInValue = convert(
  structs.labelInStruct,
  (value: LabelInValue) => ({ ...value, reserved: 0 }),
  (raw): LabelInValue => ({ vrf: raw.vrf, identity: raw.identity, senderVrf: raw.senderVrf }),
);

const serviceKey = (
  raw: Codec<{
    vrf: number;
    address: Uint8Array;
    port: number;
    protocol: number;
    pad: number;
  }>,
): Codec<ServiceKey> =>
  convert(
    raw,
    (key) => ({ ...key, pad: 0 }),
    (value) => ({
      vrf: value.vrf,
      address: value.address,
      protocol: value.protocol,
      port: value.port,
    }),
  );

/** Bits of `service.flags`, as in bpf/layout.h. */
const serviceFlags = {
  hasSourceRanges: 1,
  external: 2,
  internalLocalOnly: 4,
  externalLocalOnly: 8,
  hostPort: 16,
} as const;

const serviceValue = convert(
  structs.serviceStruct,
  (value: ServiceValue) => ({
    id: value.id,
    slotCount: value.slotCount,
    affinityTimeoutS: value.affinityTimeoutS,
    flags: (value.hasSourceRanges ? serviceFlags.hasSourceRanges : 0) |
      (value.external ? serviceFlags.external : 0) |
      (value.internalLocalOnly ? serviceFlags.internalLocalOnly : 0) |
      (value.externalLocalOnly ? serviceFlags.externalLocalOnly : 0) |
      (value.hostPort ? serviceFlags.hostPort : 0),
    reserved: noBytes(16),
  }),
  (raw): ServiceValue => ({
    id: raw.id,
    slotCount: raw.slotCount,
    affinityTimeoutS: raw.affinityTimeoutS,
    hasSourceRanges: (raw.flags & serviceFlags.hasSourceRanges) !== 0,
    external: (raw.flags & serviceFlags.external) !== 0,
    internalLocalOnly: (raw.flags & serviceFlags.internalLocalOnly) !== 0,
    externalLocalOnly: (raw.flags & serviceFlags.externalLocalOnly) !== 0,
    hostPort: (raw.flags & serviceFlags.hostPort) !== 0,
  }),
);

const backendValue = convert(
  structs.backendStruct,
  (value: BackendValue) => ({
    address: value.address,
    vrf: value.vrf,
    port: value.port,
    addressLength: value.address.length,
    pad: 0,
    reserved: noBytes(8),
  }),
  (raw): BackendValue => ({
    address: raw.address.slice(0, raw.addressLength),
    port: raw.port,
    vrf: raw.vrf,
  }),
);

const sourceRangeKey = (
  raw: Codec<{ prefixlen: number; service: number; address: Uint8Array }>,
): Codec<SourceRangeKey> =>
  convert(
    raw,
    (key) => ({
      prefixlen: oneWord + key.prefix.length,
      service: key.service,
      address: key.prefix.address,
    }),
    (value) => ({ service: value.service, prefix: prefixOf(value, oneWord) }),
  );

const nodeValue = convert(
  structs.nodeStruct,
  (value: NodeValue) => ({ self: value.self ? 1 : 0, reserved: 0 }),
  (raw): NodeValue => ({ self: raw.self !== 0 }),
);

/** Bits of policy, peer identity and direction; with the protocol; the port's bits follow. */
const policyBits = { anyProtocol: 72, protocol: 80 } as const;

const policyKey = convert(
  structs.policyKeyStruct,
  (key: PolicyKey) => ({
    prefixlen: key.protocol === 0 ? policyBits.anyProtocol : policyBits.protocol + key.portLength,
    policy: key.policy,
    peerIdentity: key.peerIdentity,
    direction: key.direction === 'ingress' ? 0 : 1,
    protocol: key.protocol,
    port: key.port,
  }),
  (raw): PolicyKey => ({
    policy: raw.policy,
    direction: raw.direction === 0 ? 'ingress' : 'egress',
    peerIdentity: raw.peerIdentity,
    protocol: raw.prefixlen >= policyBits.protocol ? raw.protocol : 0,
    port: raw.prefixlen >= policyBits.protocol ? raw.port : 0,
    portLength: Math.max(0, raw.prefixlen - policyBits.protocol),
  }),
);

const policyValue = convert(
  structs.policyVerdictStruct,
  (value: PolicyValue) => ({
    verdict: value.verdict === 'pass' ? 1 : 0,
    rule: value.rule,
    reserved: noBytes(8),
  }),
  (raw): PolicyValue => ({ verdict: raw.verdict === 1 ? 'pass' : 'deny', rule: raw.rule }),
);

const vrfValue = convert(
  structs.vrfStruct,
  (value: VrfValue) => ({ ...value, reserved: noBytes(8) }),
  (raw): VrfValue => ({ maxFlows: raw.maxFlows, vni: raw.vni }),
);

/** Every table of the port. */
export const tableLayouts = {
  vifs: single<VifKey, VifValue>('vifs', 'vifs', vifKey, vifValue),
  sources: byFamily<SourceKey, true>({
    name: 'sources',
    map: 'sources',
    v4: sourceKey(structs.sourceKeyV4Struct),
    v6: sourceKey(structs.sourceKeyV6Struct),
    value: presentCodec,
    addressOf: (key) => key.prefix.address,
  }),
  hostRoutes: byFamily<HostRouteKey, RouteValue>({
    name: 'hostRoutes',
    map: 'host_routes',
    v4: hostRouteKey(structs.hostRouteKeyV4Struct),
    v6: hostRouteKey(structs.hostRouteKeyV6Struct),
    value: routeValue,
    addressOf: (key) => key.address,
  }),
  prefixRoutes: byFamily<PrefixRouteKey, RouteValue>({
    name: 'prefixRoutes',
    map: 'prefix_routes',
    v4: prefixRouteKey(structs.prefixRouteKeyV4Struct),
    v6: prefixRouteKey(structs.prefixRouteKeyV6Struct),
    value: routeValue,
    addressOf: (key) => key.prefix.address,
  }),
  nextHops: single<number, NextHopValue>('nextHops', 'next_hops', wordCodec, nextHopValue),
  composites: single<CompositeKey, RouteValue>(
    'composites',
    'composites',
    structs.compositeKeyStruct,
    routeValue,
  ),
  labelsIn: single<number, LabelInValue>('labelsIn', 'labels_in', wordCodec, labelInValue),
  labelsOut: single<LabelOutKey, number>(
    'labelsOut',
    'labels_out',
    structs.labelOutKeyStruct,
    wordCodec,
  ),
  services: byFamily<ServiceKey, ServiceValue>({
    name: 'services',
    map: 'services',
    v4: serviceKey(structs.serviceKeyV4Struct),
    v6: serviceKey(structs.serviceKeyV6Struct),
    value: serviceValue,
    addressOf: (key) => key.address,
  }),
  backends: single<BackendKey, BackendValue>(
    'backends',
    'backends',
    structs.backendKeyStruct,
    backendValue,
  ),
  sourceRanges: byFamily<SourceRangeKey, true>({
    name: 'sourceRanges',
    map: 'source_ranges',
    v4: sourceRangeKey(structs.sourceRangeKeyV4Struct),
    v6: sourceRangeKey(structs.sourceRangeKeyV6Struct),
    value: presentCodec,
    addressOf: (key) => key.prefix.address,
  }),
  nodes: byFamily<NodeKey, NodeValue>({
    name: 'nodes',
    map: 'nodes',
    v4: structs.nodeKeyV4Struct,
    v6: structs.nodeKeyV6Struct,
    value: nodeValue,
    addressOf: (key) => key.address,
  }),
  policies: single<PolicyKey, PolicyValue>('policies', 'policies', policyKey, policyValue),
  vrfs: single<number, VrfValue>('vrfs', 'vrfs', wordCodec, vrfValue),
} as const;
