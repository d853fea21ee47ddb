import { addressKey } from '@contrail/net';
import type { NextHopKind, NextHopValue } from '../datapath/port';

const empty = {
  ifindex: 0,
  vlan: 0,
  remote: undefined,
  vrf: 0,
  label: 0,
  mac: new Uint8Array(6),
  snat: false,
  memberCount: 0,
};

/** A next hop of a kind, with zeros for what the kind does not use. */
export function nextHop(
  kind: NextHopKind,
  fields: Partial<Omit<NextHopValue, 'kind'>> = {},
): NextHopValue {
  return { ...empty, ...fields, kind };
}

/** Equal content, equal text: next hops are shared by content and keep their number by it. */
export function nextHopText(value: NextHopValue): string {
  return [
    value.kind,
    value.ifindex,
    value.vlan,
    value.remote ? addressKey(value.remote) : '',
    value.vrf,
    value.label,
    Buffer.from(value.mac).toString('hex'),
    value.snat ? 'snat' : '',
  ].join('|');
}
