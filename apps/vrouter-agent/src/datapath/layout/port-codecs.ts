/** Keys and values of the port as the structs of bpf/layout.h. Pure. */
import type {
  BackendValue,
  HostRouteKey,
  IpPrefix,
  LabelInValue,
  NextHopKind,
  NextHopValue,
  NodeValue,
  PolicyDirection,
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
import { convert } from './struct-codec';
import * as structs from './table-structs';

const noBytes = (length: number): Uint8Array => new Uint8Array(length);

/** Bits before the address in an LPM key (two words, or one). */
const twoWords = 64;
const oneWord = 32;

/** VIF_ADDRESSES of layout.h. */
const vifAddresses = 4;

/** Up to the first that is 0. */
function splitAddresses(raw: Uint8Array): Uint8Array[] {
  const all = Array.from({ length: vifAddresses }, (_, i) => raw.slice(4 * i, 4 * i + 4));
  const end = all.findIndex((address) => address.every((byte) => byte === 0));
  return end < 0 ? all : all.slice(0, end);
}

const prefixOf = (raw: { prefixlen: number; address: Uint8Array }, before: number): IpPrefix => ({
  address: raw.address,
  length: raw.prefixlen - before,
});

export const vifKey = convert(
  structs.vifKeyStruct,
  (key: VifKey) => ({ ifindex: key.ifindex, vlan: key.vlan, pad: 0 }),
  (raw): VifKey => ({ ifindex: raw.ifindex, vlan: raw.vlan }),
);

export const vifValue = convert(
  structs.vifStruct,
  (value: VifValue) => ({
    ...value,
    kind: value.kind === 'pod' ? 0 : 1,
    pad: 0,
    addressesV4: Buffer.concat(value.addressesV4.slice(0, vifAddresses)),
    reserved: noBytes(4),
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
    addressesV4: splitAddresses(raw.addressesV4),
  }),
);

export const sourceKey = (
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

export const hostRouteKey = (raw: Codec<{ vrf: number; address: Uint8Array }>): Codec<HostRouteKey> => raw;

export const prefixRouteKey = (
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

export const routeValue = convert(
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
const nextHopKinds: readonly NextHopKind[] = [
  'encap',
  'tunnel',
  'composite',
  'receive',
  'gateway',
  'fabric',
  'discard',
];

export const nextHopValue = convert(
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

export const labelInValue = convert(
  structs.labelInStruct,
  (value: LabelInValue) => value,
  (raw): LabelInValue => raw,
);

export const serviceKey = (
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

export const serviceValue = convert(
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

export const backendValue = convert(
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

export const sourceRangeKey = (
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

export const nodeValue = convert(
  structs.nodeStruct,
  (value: NodeValue) => ({ self: value.self ? 1 : 0, reserved: 0 }),
  (raw): NodeValue => ({ self: raw.self !== 0 }),
);

/** Bits of policy, peer identity and direction; with the protocol; the port's bits follow. */
const policyBits = { anyProtocol: 72, protocol: 80 } as const;

/** In the order of `enum policy_direction`. */
const policyDirections: readonly PolicyDirection[] = ['ingress', 'egress', 'egress-to-service'];

export const policyKey = convert(
  structs.policyKeyStruct,
  (key: PolicyKey) => ({
    prefixlen: key.protocol === 0 ? policyBits.anyProtocol : policyBits.protocol + key.portLength,
    policy: key.policy,
    peerIdentity: key.peerIdentity,
    direction: policyDirections.indexOf(key.direction),
    protocol: key.protocol,
    port: key.port,
  }),
  (raw): PolicyKey => ({
    policy: raw.policy,
    direction: policyDirections[raw.direction] ?? 'ingress',
    peerIdentity: raw.peerIdentity,
    protocol: raw.prefixlen >= policyBits.protocol ? raw.protocol : 0,
    port: raw.prefixlen >= policyBits.protocol ? raw.port : 0,
    portLength: Math.max(0, raw.prefixlen - policyBits.protocol),
  }),
);

export const policyValue = convert(
  structs.policyVerdictStruct,
  (value: PolicyValue) => ({
    verdict: value.verdict === 'pass' ? 1 : 0,
    rule: value.rule,
    reserved: noBytes(8),
  }),
  (raw): PolicyValue => ({ verdict: raw.verdict === 1 ? 'pass' : 'deny', rule: raw.rule }),
);

export const vrfValue = convert(
  structs.vrfStruct,
  (value: VrfValue) => ({ ...value, reserved: 0 }),
  (raw): VrfValue => ({ maxFlows: raw.maxFlows, vni: raw.vni, space: raw.space }),
);
