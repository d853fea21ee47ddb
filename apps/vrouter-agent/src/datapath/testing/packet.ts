/** Frames for walks through the programs: built with right checksums, taken apart and verified. */
import { formatAddress, formatMac, parseAddress } from '@contrail/net';

export interface Frame {
  readonly sourceMac: Uint8Array;
  readonly destinationMac?: Uint8Array;
  readonly source: string;
  readonly destination: string;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  /** TCP flags as in the header; SYN when left out. */
  readonly flags?: number;
  /** ICMP type; echo request when left out. The source port is the identifier. */
  readonly type?: number;
  readonly code?: number;
  /** The second word's last half of ICMP: sequence number, or MTU. */
  readonly sequence?: number;
  readonly payload?: Buffer;
  /** UDP without checksum. */
  readonly zeroChecksum?: boolean;
}

export const tcpFlags = { fin: 1, syn: 2, rst: 4, ack: 16 } as const;

const gatewayMac = Buffer.from('00005e000100', 'hex');
const numbers = { tcp: 6, udp: 17, icmp: 1 } as const;

function sum(...parts: Buffer[]): number {
  let total = 0;
  for (const part of parts) {
    for (let i = 0; i < part.length; i += 2) {
      total += (part[i] ?? 0) * 256 + (part[i + 1] ?? 0);
    }
  }
  while (total > 0xffff) {
    total = (total & 0xffff) + (total >>> 16);
  }
  return total;
}

const checksum = (...parts: Buffer[]): number => ~sum(...parts) & 0xffff;

function pseudoHeader(addresses: Buffer, protocol: number, length: number): Buffer {
  const rest = Buffer.alloc(4);
  rest.writeUInt8(protocol, 1);
  rest.writeUInt16BE(length, 2);
  return Buffer.concat([addresses, rest]);
}

function transport(frame: Frame, addresses: Buffer): Buffer {
  const payload = frame.payload ?? Buffer.alloc(0);
  const { protocol, sourcePort = 0, destinationPort = 0 } = frame;
  const header = Buffer.alloc(protocol === 'tcp' ? 20 : 8);
  const checksumOffset = { tcp: 16, udp: 6, icmp: 2 }[protocol];
  if (protocol === 'icmp') {
    header.writeUInt8(frame.type ?? 8, 0);
    header.writeUInt8(frame.code ?? 0, 1);
    header.writeUInt16BE(frame.sequence ?? 0, 6);
    header.writeUInt16BE(sourcePort, 4);
  } else {
    header.writeUInt16BE(sourcePort, 0);
    header.writeUInt16BE(destinationPort, 2);
  }
  if (protocol === 'tcp') {
    header.writeUInt32BE(1000, 4);
    header.writeUInt8(0x50, 12);
    header.writeUInt8(frame.flags ?? tcpFlags.syn, 13);
  } else if (protocol === 'udp') {
    header.writeUInt16BE(8 + payload.length, 4);
  }
  const segment = Buffer.concat([header, payload]);
  if (frame.zeroChecksum !== true) {
    const before = protocol === 'icmp'
      ? []
      : [pseudoHeader(addresses, numbers[protocol], segment.length)];
    segment.writeUInt16BE(checksum(...before, segment), checksumOffset);
  }
  return segment;
}

export function buildFrame(frame: Frame): Buffer {
  const addresses = Buffer.concat([parseAddress(frame.source), parseAddress(frame.destination)]);
  const segment = transport(frame, addresses);
  const ip = Buffer.alloc(20);
  ip.writeUInt8(0x45, 0);
  ip.writeUInt16BE(20 + segment.length, 2);
  ip.writeUInt8(64, 8);
  ip.writeUInt8(numbers[frame.protocol], 9);
  addresses.copy(ip, 12);
  ip.writeUInt16BE(checksum(ip), 10);
  return Buffer.concat([
    Buffer.from(frame.destinationMac ?? gatewayMac),
    Buffer.from(frame.sourceMac),
    Buffer.from('0800', 'hex'),
    ip,
    segment,
  ]);
}

/** Identification of fragments that `fragmentsOf` makes. */
export const fragmentId = 0x1234;

/** A copy of the frame with other bytes in the fragment fields of its IP header. */
export function withFragmentField(
  frame: Buffer,
  options: { offset: number; more?: boolean; dontFragment?: boolean; id?: number },
): Buffer {
  const copy = Buffer.from(frame);
  const { offset, more = false, dontFragment = false, id = fragmentId } = options;
  copy.writeUInt16BE(id, 18);
  copy.writeUInt16BE((dontFragment ? 0x4000 : 0) | (more ? 0x2000 : 0) | (offset / 8), 20);
  copy.writeUInt16BE(0, 24);
  copy.writeUInt16BE(checksum(copy.subarray(14, 34)), 24);
  return copy;
}

/** The fragments of a packet, each with at most `size` bytes (a multiple of 8) behind its IP header. */
export function fragmentsOf(frame: Frame, size: number, id = fragmentId): Buffer[] {
  const whole = buildFrame(frame);
  const fragments: Buffer[] = [];
  for (let offset = 0; 34 + offset < whole.length; offset += size) {
    const part = Buffer.concat([whole.subarray(0, 34), whole.subarray(34 + offset, 34 + offset + size)]);
    part.writeUInt16BE(part.length - 14, 16);
    fragments.push(withFragmentField(part, { offset, more: 34 + offset + size < whole.length, id }));
  }
  return fragments;
}

/** What a receiver makes of fragments that came in order. @throws Error when their headers differ. */
export function reassemble(fragments: readonly Buffer[]): Buffer {
  const [first] = fragments;
  if (first === undefined) throw new Error('no fragment');
  let end = 0;
  for (const fragment of fragments) {
    const offset = (fragment.readUInt16BE(20) & 0x1fff) * 8;
    const isWhole = sum(fragment.subarray(14, 34)) === 0xffff;
    const isSame = fragment.subarray(26, 34).equals(first.subarray(26, 34)) &&
      fragment.readUInt16BE(18) === first.readUInt16BE(18);
    if (offset !== end || !isWhole || !isSame) throw new Error('not a fragment of this packet');
    end += fragment.length - 34;
  }
  const whole = Buffer.concat([
    first.subarray(0, 34),
    ...fragments.map((fragment) => fragment.subarray(34)),
  ]);
  whole.writeUInt16BE(whole.length - 14, 16);
  return withFragmentField(whole, { offset: 0 });
}

export interface Seen {
  readonly sourceMac: string;
  readonly destinationMac: string;
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  readonly ttl: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Of TCP; 0 for others, and where a quoted header ends before them. */
  readonly flags: number;
  /** Bytes after the IP header. */
  readonly segment: Buffer;
  /** IP's and the transport's; a UDP checksum of zero counts as right. */
  readonly checksumsAreRight: boolean;
}

export function readFrame(frame: Buffer): Seen {
  const ip = frame.subarray(14, 34);
  const segment = frame.subarray(34, 14 + ip.readUInt16BE(2));
  const protocol = ip.readUInt8(9);
  const pseudo = pseudoHeader(Buffer.from(ip.subarray(12, 20)), protocol, segment.length);
  const hasNoChecksum = protocol === 17 && segment.readUInt16BE(6) === 0;
  const transportSum = protocol === 1 ? sum(segment) : sum(pseudo, segment);
  return {
    destinationMac: formatMac(frame.subarray(0, 6)),
    sourceMac: formatMac(frame.subarray(6, 12)),
    source: formatAddress(ip.subarray(12, 16)),
    destination: formatAddress(ip.subarray(16, 20)),
    protocol,
    ttl: ip.readUInt8(8),
    sourcePort: protocol === 1 ? segment.readUInt16BE(4) : segment.readUInt16BE(0),
    destinationPort: protocol === 1 ? 0 : segment.readUInt16BE(2),
    flags: protocol === 6 && segment.length > 13 ? segment.readUInt8(13) : 0,
    segment,
    checksumsAreRight: sum(ip) === 0xffff && (hasNoChecksum || transportSum === 0xffff),
  };
}

export function buildArpRequest(options: {
  senderMac: Uint8Array;
  sender: string;
  target: string;
}): Buffer {
  return Buffer.concat([
    Buffer.alloc(6, 0xff),
    Buffer.from(options.senderMac),
    Buffer.from('08060001080006040001', 'hex'),
    Buffer.from(options.senderMac),
    Buffer.from(parseAddress(options.sender)),
    Buffer.alloc(6),
    Buffer.from(parseAddress(options.target)),
  ]);
}
