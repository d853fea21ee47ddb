import type { WireName } from '../zone/domain-name';
import { nameLengthMax } from '../zone/domain-name';

/** Bits of the second 16-bit word of a message. */
export const flagBits = { response: 0x8000, authoritative: 0x0400, truncated: 0x0200, recursionDesired: 0x0100, recursionAvailable: 0x0080, authenticData: 0x0020, checkingDisabled: 0x0010 } as const;

export const responseCodes = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;
/** An extended code: its upper bits stand in the OPT record. */
export const badVersion = 16;

export const headerBytes = 12;
export const classInternet = 1;
const optType = 41;

/** What the OPT record of a question says (RFC 6891). */
export interface Edns {
  /** Bytes of a datagram that the client takes. */
  readonly payloadBytes: number;
  readonly version: number;
  readonly wantsDnssec: boolean;
}

export interface Query {
  readonly id: number;
  /** As the client sent them. */
  readonly flags: number;
  readonly opcode: number;
  readonly name: WireName;
  readonly type: number;
  readonly class: number;
  /** Name, type and class as the client wrote them; answers repeat these bytes. */
  readonly question: Uint8Array;
  readonly edns: Edns | undefined;
}

/** A message that is a question, but not one that can be understood. */
export interface BrokenQuery {
  readonly id: number;
  readonly flags: number;
  readonly broken: string;
}

/**
 * Reads a question. Any bytes may come here.
 *
 * @returns undefined for what must not be answered at all: too short for a header, or an answer itself (answering these
 *   would let two servers talk for ever).
 */
export function parseQuery(message: Buffer): Query | BrokenQuery | undefined {
  if (message.length < headerBytes) return undefined;
  const id = message.readUInt16BE(0);
  const flags = message.readUInt16BE(2);
  if ((flags & flagBits.response) !== 0) return undefined;
  const broken = (why: string): BrokenQuery => ({ id, flags, broken: why });
  const opcode = (flags >> 11) & 15;
  if (message.readUInt16BE(4) !== 1) return broken('it has not exactly one question');
  const nameEnd = endOfPlainName(message, headerBytes);
  if (nameEnd === undefined || nameEnd + 4 > message.length) return broken('its question is not whole');
  const edns = readEdns(message, nameEnd + 4);
  if (edns === 'broken') return broken('its records are not whole, or it has two OPT records');
  return {
    id,
    flags,
    opcode,
    name: readName(message, headerBytes, nameEnd),
    type: message.readUInt16BE(nameEnd),
    class: message.readUInt16BE(nameEnd + 2),
    question: message.subarray(headerBytes, nameEnd + 4),
    edns,
  };
}

/** The end of a name without compression pointers, which a question never needs. */
function endOfPlainName(message: Buffer, start: number): number | undefined {
  for (let at = start; at < message.length && at - start < nameLengthMax; ) {
    const length = message[at] ?? 0;
    if (length === 0) return at + 1;
    if (length > 63) return undefined;
    at += 1 + length;
  }
  return undefined;
}

/** Length bytes are below the letters, so the whole name can be made small at once. */
function readName(message: Buffer, start: number, end: number): WireName {
  for (let at = start; at < end; at++) {
    const byte = message[at] ?? 0;
    if (byte < 65 || byte > 90) continue;
    const small = Buffer.from(message.subarray(start, end));
    for (let i = at - start; i < small.length; i++) {
      const letter = small[i] ?? 0;
      if (letter >= 65 && letter <= 90) small[i] = letter + 32;
    }
    return small.toString('latin1') as WireName;
  }
  return message.toString('latin1', start, end) as WireName;
}

/**
 * The end of a name that may end in a compression pointer; the pointer is not followed.
 *
 * @returns undefined when the message ends before it.
 */
export function skipName(message: Buffer, start: number): number | undefined {
  for (let at = start; at < message.length; ) {
    const length = message[at] ?? 0;
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2 <= message.length ? at + 2 : undefined;
    if (length > 63) return undefined;
    at += 1 + length;
  }
  return undefined;
}

function readEdns(message: Buffer, start: number): Edns | undefined | 'broken' {
  const count = message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10);
  let edns: Edns | undefined;
  let at = start;
  for (let i = 0; i < count; i++) {
    const nameEnd = skipName(message, at);
    if (nameEnd === undefined || nameEnd + 10 > message.length) return 'broken';
    const end = nameEnd + 10 + message.readUInt16BE(nameEnd + 8);
    if (end > message.length) return 'broken';
    if (message.readUInt16BE(nameEnd) === optType) {
      if (edns !== undefined || nameEnd !== at + 1) return 'broken';
      edns = {
        payloadBytes: message.readUInt16BE(nameEnd + 2),
        version: message[nameEnd + 5] ?? 0,
        wantsDnssec: ((message[nameEnd + 6] ?? 0) & 0x80) !== 0,
      };
    }
    at = end;
  }
  return edns;
}
