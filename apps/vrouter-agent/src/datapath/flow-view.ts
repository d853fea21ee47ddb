/** Flow records in the words of the port. Pure. */
import { formatAddress } from '@contrail/net';
import {
  flowEnded,
  flowFlags,
  flowInWork,
  type flowKeyV4Struct,
  type flowValueV4Struct,
  tcpSeen,
} from './layout/flow-structs';
import { firstVrfZone, type Flow } from './port';

export type FlowKey = ReturnType<typeof flowKeyV4Struct.decode>;
export type FlowValue = ReturnType<typeof flowValueV4Struct.decode>;

/** The highest bit of the VNI says that packets answer: VNI_ANSWER of bpf/layout.h. */
const labelMask = 0x7f_ffff;

/** Flow times count units of 2^20 ns and wrap at 2^32. */
const unitNs = 1_048_576;

export function flowNow(monotonicNs: bigint): number {
  return Number(BigInt.asUintN(32, monotonicNs >> 20n));
}

/** An ended record waits to be deleted; it forwards nothing and is nobody's. */
export function isLive({ generation }: FlowValue): boolean {
  return generation !== flowEnded && generation !== flowInWork;
}

const has = (value: FlowValue, flag: number): boolean => (value.flags & flag) !== 0;

/** Key of the record that belongs to this one; undefined when one record serves both directions. */
export function peerKeyOf(key: FlowKey, value: FlowValue): FlowKey | undefined {
  if (!has(value, flowFlags.peer)) {
    return undefined;
  }
  const isSwapped = has(value, flowFlags.peerSwap);
  return {
    zone: value.peerZone,
    vlan: value.peerVlan,
    protocol: key.protocol,
    pad: 0,
    localPort: isSwapped ? value.natDport : value.natSport,
    remotePort: isSwapped ? value.natSport : value.natDport,
    local: isSwapped ? value.natDst : value.natSrc,
    remote: isSwapped ? value.natSrc : value.natDst,
    remoteVrf: value.peerZone >= firstVrfZone ? value.remoteVrf : 0,
  };
}

const kindNames = [
  'none',
  'encap',
  'tunnel',
  'composite',
  'receive',
  'gateway',
  'fabric',
  'discard',
  'loopback',
] as const;

function actionOf(value: FlowValue): string {
  const kind = kindNames[value.kind] ?? `kind ${value.kind}`;
  if (kind === 'tunnel') {
    return `tunnel ${formatAddress(value.remote.slice(0, 4))} label ${value.label & labelMask}`;
  }
  if (kind === 'encap') {
    return value.oifVlan === 0 ? `encap ${value.oif}` : `encap ${value.oif} vlan ${value.oifVlan}`;
  }
  return kind;
}

function translationOf(value: FlowValue): string {
  if (!has(value, flowFlags.rewrite)) {
    return '';
  }
  const source = `${formatAddress(value.natSrc)}:${value.natSport}`;
  return `${source} > ${formatAddress(value.natDst)}:${value.natDport}`;
}

/** Empty for other protocols. `one` and `other` are TCP_SEEN_… of the two directions. */
export function tcpStateOf(protocol: number, one: number, other: number): string {
  if (protocol !== 6) {
    return '';
  }
  const any = one | other;
  if ((any & tcpSeen.rst) !== 0 || (one & other & tcpSeen.fin) !== 0) {
    return 'closing';
  }
  if ((any & tcpSeen.fin) !== 0) {
    return 'half-closed';
  }
  return one !== 0 && other !== 0 && (any & tcpSeen.ack) !== 0 ? 'established' : 'half-open';
}

interface Direction {
  readonly packets: bigint;
  readonly bytes: bigint;
  readonly last: number;
  readonly tcp: number;
}

const sent = (value: FlowValue): Direction => ({
  packets: value.packetsOut,
  bytes: value.bytesOut,
  last: value.lastOut,
  tcp: value.tcpOut,
});
const received = (value: FlowValue): Direction => ({
  packets: value.packetsIn,
  bytes: value.bytesIn,
  last: value.lastIn,
  tcp: value.tcpIn,
});

/** A record with a peer counts one direction; the peer counts the other. */
export function directionsOf(
  value: FlowValue,
  peer: FlowValue | undefined,
): { out: Direction; in: Direction } {
  if (peer === undefined || has(value, flowFlags.both)) {
    return { out: sent(value), in: received(value) };
  }
  const other = has(peer, flowFlags.out) ? sent(peer) : received(peer);
  return has(value, flowFlags.out)
    ? { out: sent(value), in: other }
    : { out: other, in: received(value) };
}

/** Time since either direction was last used, in units of flow times; 0 at most recent. */
export function idleUnitsOf(
  value: FlowValue,
  peer: FlowValue | undefined,
  nowUnits: number,
): number {
  const { out, in: back } = directionsOf(value, peer);
  const idle = [out.last, back.last]
    .filter((last) => last !== 0)
    .map((last) => Math.max(0, (nowUnits - last) | 0));
  return Math.min(...idle, 0x7fff_ffff);
}

/** Without the mark of a tuple that another connection has (`VLAN_OTHER_SIDE` of the programs). */
export function vlanOf(key: FlowKey): number {
  return key.vlan & 0x7fff;
}

/** @param nowUnits `flowNow` of the moment at which the record was read. */
export function toFlow(
  key: FlowKey,
  value: FlowValue,
  peer: FlowValue | undefined,
  nowUnits: number,
): Flow {
  const both = directionsOf(value, peer);
  return {
    zone: key.zone,
    vlan: vlanOf(key),
    protocol: key.protocol,
    localAddress: key.local,
    localPort: key.localPort,
    remoteAddress: key.remote,
    remotePort: key.remotePort,
    verdict: value.verdict === 1 ? 'pass' : 'drop',
    rule: value.rule,
    generation: value.generation,
    action: actionOf(value),
    translation: translationOf(value),
    packetsOut: both.out.packets,
    bytesOut: both.out.bytes,
    packetsIn: both.in.packets,
    bytesIn: both.in.bytes,
    idleMs: Math.round((idleUnitsOf(value, peer, nowUnits) * unitNs) / 1e6),
    tcpState: tcpStateOf(key.protocol, both.out.tcp, both.in.tcp),
  };
}
