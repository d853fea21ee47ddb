import { any } from './policy-set';
import type { Direction } from './policy-set';
import { portPrefixContains } from './port-prefix';
import type { PortPrefix } from './port-prefix';

/** What one row of a verdict table matches. */
export interface MatchKey {
  readonly direction: Direction;
  /** `any` for every peer. */
  readonly peerIdentity: number;
  /** `any` for every IP protocol. */
  readonly protocol: number;
  readonly ports: PortPrefix;
}

export interface Packet {
  readonly direction: Direction;
  readonly peerIdentity: number;
  readonly protocol: number;
  /** Port on the receiving side; 0 for protocols without ports. */
  readonly port: number;
}

export function matches(key: MatchKey, packet: Packet): boolean {
  return (
    key.direction === packet.direction &&
    (key.peerIdentity === any || key.peerIdentity === packet.peerIdentity) &&
    (key.protocol === any || key.protocol === packet.protocol) &&
    portPrefixContains(key.ports, packet.port)
  );
}

/** What both keys match: again one key, because each part is a tree of ever smaller sets; undefined for nothing. */
export function intersect(a: MatchKey, b: MatchKey): MatchKey | undefined {
  const peerIdentity = narrower(a.peerIdentity, b.peerIdentity);
  const protocol = narrower(a.protocol, b.protocol);
  const [wide, narrow] = a.ports.length <= b.ports.length ? [a.ports, b.ports] : [b.ports, a.ports];
  if (a.direction !== b.direction || peerIdentity === undefined || protocol === undefined) return undefined;
  if (!portPrefixContains(wide, narrow.port)) return undefined;
  return { direction: a.direction, peerIdentity, protocol, ports: narrow };
}

function narrower(a: number, b: number): number | undefined {
  if (a === any) return b;
  return b === any || a === b ? a : undefined;
}

/** Whether everything that `inner` matches is matched by `outer`. */
export function covers(outer: MatchKey, inner: MatchKey): boolean {
  const common = intersect(outer, inner);
  return common !== undefined && keyText(common) === keyText(inner);
}

/** Equal keys, equal text. */
export function keyText(key: MatchKey): string {
  return `${key.direction}/${key.peerIdentity}/${key.protocol}/${key.ports.port}/${key.ports.length}`;
}

export function matchesEverything(key: MatchKey): boolean {
  return key.peerIdentity === any && key.protocol === any && key.ports.length === 0;
}
