/** Numbers, addresses and rows that every node of the lab has. */
import type { NextHopValue, ServiceValue } from '../port';

export const podVrf = 1;
export const fabricVrf = 2;
export const hostIdentity = 1;
export const podIdentity = 10;
export const allowAll = 1;
export const gateway = '198.51.100.1';
/** What the tunnel's headers take of the underlay's MTU. */
export const overhead = 50;

export const baseNextHop: NextHopValue = {
  kind: 'discard',
  ifindex: 0,
  vlan: 0,
  remote: undefined,
  vrf: 0,
  label: 0,
  mac: new Uint8Array(6),
  snat: false,
  memberCount: 0,
};

export const baseService: ServiceValue = {
  id: 0,
  slotCount: 0,
  affinityTimeoutS: 0,
  hasSourceRanges: false,
  external: false,
  internalLocalOnly: false,
  externalLocalOnly: false,
  hostPort: false,
};

/** Next hops that every node has; pods' come after. */
export const hops = { receive: 1, gateway: 2, fabric: 3, discard: 4, tunnelPods: 5, tunnelNode: 6 };
