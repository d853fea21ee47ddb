/** The structs of bpf/layout.h that the agent reads and writes; `layout.spec.ts` compares them with BTF. */
import { address16, address4, be16, bytes, flag, mac6, struct, u16, u32, u8 } from './struct-codec';

export const vifKeyStruct = struct('vif_key', { ifindex: u32, vlan: u16, pad: u16 });

export const vifStruct = struct('vif', {
  kind: u8,
  portSecurity: flag,
  mtu: u16,
  vrf: u32,
  identity: u32,
  policy: u32,
  maxFlows: u32,
  mac: mac6,
  pad: u16,
  uuid: bytes(16),
  addressesV4: bytes(16, 4),
  reserved: bytes(4),
});

export const sourceKeyV4Struct = struct('source_key_v4', {
  prefixlen: u32,
  ifindex: u32,
  vlan: u16,
  pad: u16,
  address: address4,
});
export const sourceKeyV6Struct = struct('source_key_v6', {
  prefixlen: u32,
  ifindex: u32,
  vlan: u16,
  pad: u16,
  address: address16,
});

export const hostRouteKeyV4Struct = struct('host_route_key_v4', { vrf: u32, address: address4 });
export const hostRouteKeyV6Struct = struct('host_route_key_v6', { vrf: u32, address: address16 });

export const prefixRouteKeyV4Struct = struct('prefix_route_key_v4', {
  prefixlen: u32,
  vrf: u32,
  address: address4,
});
export const prefixRouteKeyV6Struct = struct('prefix_route_key_v6', {
  prefixlen: u32,
  vrf: u32,
  address: address16,
});

export const routeStruct = struct('route', { nextHop: u32, identity: u32, reserved: bytes(8) });

export const nextHopStruct = struct('next_hop', {
  kind: u8,
  snat: flag,
  remoteLength: u8,
  pad: u8,
  ifindex: u32,
  vlan: u16,
  memberCount: u16,
  vrf: u32,
  label: u32,
  remote: address16,
  mac: mac6,
  pad2: u16,
  reserved: bytes(20),
});

export const compositeKeyStruct = struct('composite_key', { nextHop: u32, slot: u32 });

export const labelInStruct = struct('label_in', {
  vrf: u32,
  identity: u32,
  senderVrf: u32,
  senderSpace: u32,
});
export const labelOutKeyStruct = struct('label_out_key', { vrf: u32, identity: u32 });

export const serviceKeyV4Struct = struct('service_key_v4', {
  vrf: u32,
  address: address4,
  port: be16,
  protocol: u8,
  pad: u8,
});
export const serviceKeyV6Struct = struct('service_key_v6', {
  vrf: u32,
  address: address16,
  port: be16,
  protocol: u8,
  pad: u8,
});
export const serviceStruct = struct('service', {
  id: u32,
  slotCount: u32,
  affinityTimeoutS: u32,
  flags: u32,
  reserved: bytes(16),
});

export const backendKeyStruct = struct('backend_key', { service: u32, slot: u32 });
export const backendStruct = struct('backend', {
  address: address16,
  vrf: u32,
  port: be16,
  addressLength: u8,
  pad: u8,
  reserved: bytes(8),
});

export const sourceRangeKeyV4Struct = struct('source_range_key_v4', {
  prefixlen: u32,
  service: u32,
  address: address4,
});
export const sourceRangeKeyV6Struct = struct('source_range_key_v6', {
  prefixlen: u32,
  service: u32,
  address: address16,
});

export const nodeKeyV4Struct = struct('node_key_v4', { address: address4 });
export const nodeKeyV6Struct = struct('node_key_v6', { address: address16 });
export const nodeStruct = struct('node', { self: u32, reserved: u32 });

export const policyKeyStruct = struct('policy_key', {
  prefixlen: u32,
  policy: u32,
  peerIdentity: u32,
  direction: u8,
  protocol: u8,
  port: be16,
});
export const policyVerdictStruct = struct('policy_verdict', {
  verdict: u32,
  rule: u32,
  reserved: bytes(8),
});

export const vrfStruct = struct('vrf', { maxFlows: u32, vni: u32, space: u32, reserved: u32 });
