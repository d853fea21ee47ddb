/** Structs that the programs write: flows, drop counts, events; and the globals they read. */
import { address16, address4, be16, bytes, flag, mac6, struct, u16, u32, u64, u8 } from './struct-codec';

export const flowKeyV4Struct = struct('flow_key_v4', {
  zone: u32,
  vlan: u16,
  protocol: u8,
  pad: u8,
  localPort: be16,
  remotePort: be16,
  local: address4,
  remote: address4,
  remoteVrf: u32,
});

export const flowValueV4Struct = struct('flow_value_v4', {
  generation: u32,
  flags: u16,
  verdict: u8,
  kind: u8,
  oif: u32,
  label: u32,
  remote: address16,
  dmac: mac6,
  vifMac: mac6,
  oifVlan: u16,
  pad: u16,
  natSrc: address4,
  natDst: address4,
  natSport: be16,
  natDport: be16,
  lastOut: u32,
  packetsOut: u64,
  bytesOut: u64,
  tcpOut: u8,
  padOut: bytes(3),
  peerZone: u32,
  peerVlan: u16,
  padPeer: u16,
  vrf: u32,
  toVrf: u32,
  service: u32,
  remoteIdentity: u32,
  rule: u32,
  reservedOut: bytes(8),
  inLabel: u32,
  lastIn: u32,
  packetsIn: u64,
  bytesIn: u64,
  tcpIn: u8,
  padIn: bytes(3),
  remoteVrf: u32,
  remoteSpace: u32,
  owner: bytes(8, 4),
  reserved: bytes(20),
});

/** FLOW_ENDED and FLOW_IN_WORK of bpf/flow_layout.h: values of `generation` that are none. */
export const flowEnded = 0;
export const flowInWork = 0xffff_ffff;

export const ownerStruct = struct('owner', { scope: u32, id: u32 });
export const usageStruct = struct('usage', {
  state: u64,
  stateBefore: u64,
  seen: u32,
  pad: u32,
});

/** OWNER_… of bpf/flow_layout.h. */
export const ownerScopes = {
  vif: 0x0100_0000,
  remote: 0x0200_0000,
  underlay: 0x0300_0000,
  vrf: 0x0400_0000,
} as const;

/** FLOW_… of bpf/flow_layout.h. */
export const flowFlags = {
  out: 1,
  in: 2,
  both: 4,
  rewrite: 8,
  forward: 16,
  peer: 32,
  peerSwap: 64,
  fromNode: 128,
  anyMac: 256,
  self: 512,
  snat: 1024,
  alone: 2048,
  vrfCounted: 4096,
  toService: 8192,
} as const;

/** TCP_SEEN_… of bpf/flow_layout.h. */
export const tcpSeen = { syn: 1, ack: 2, fin: 4, rst: 8 } as const;

export const globalsStruct = struct('globals', {
  nodeAddress: address4,
  nodeAddressV6: address16,
  uplinkIfindex: u32,
  tunnelIfindex: u32,
  hostIfindex: u32,
  fabricVrf: u32,
  hostIdentity: u32,
  snatPortMin: u16,
  snatPortMax: u16,
  hairpinAddress: address4,
  hairpinAddressV6: address16,
  generation: u32,
  tcpEstablishedS: u32,
  tcpHalfOpenS: u32,
  tcpClosingS: u32,
  udpS: u32,
  udpStreamS: u32,
  icmpS: u32,
  uplinkMtu: u16,
  tunnelMtu: u16,
  epoch: u32,
  reserved: bytes(24),
});

export const dropKeyStruct = struct('drop_key', { reason: u32, vrf: u32 });
export const dropCountStruct = struct('drop_count', { packets: u64, bytes: u64 });

export const dropEventStruct = struct('drop_event', {
  timeNs: u64,
  reason: u32,
  vrf: u32,
  ifindex: u32,
  rule: u32,
  source: address16,
  destination: address16,
  sourcePort: be16,
  destinationPort: be16,
  protocol: u8,
  addressLength: u8,
  pad: u16,
});

export const sweepStruct = struct('sweep', {
  command: u32,
  zone: u32,
  vlan: u16,
  port: be16,
  address: address4,
  protocol: u8,
  recount: flag,
  graceMs: u16,
  vrf: u32,
  kept: u32,
  removed: u32,
});

/** SWEEP_… of bpf/flow_layout.h. */
export const sweepCommands = { expired: 0, zone: 1, backend: 2 } as const;
