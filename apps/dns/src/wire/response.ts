import type { BrokenQuery, Query } from './query';
import { badVersion, flagBits, headerBytes, responseCodes } from './query';

/** What a response says, as encoded records. May be used for many responses to questions with the same name. */
export interface ResponseParts {
  readonly code: number;
  readonly isAuthoritative: boolean;
  readonly answers: readonly Uint8Array[];
  readonly authority: readonly Uint8Array[];
  readonly additional: readonly Uint8Array[];
}

export interface ResponseLimits {
  /** Bytes that the whole message may have. */
  readonly bytesMax: number;
  readonly isRecursionAvailable: boolean;
  /** Which answer comes first: addresses take turns, so that clients which use the first one spread. */
  readonly firstAnswer?: number;
}

/** Bytes of a datagram without EDNS. */
export const plainPayloadBytes = 512;
/** What we send and say we take in a datagram: fits into every path without fragments. */
export const ednsPayloadBytes = 1232;
export const optBytes = 11;

export function emptyParts(code: number, isAuthoritative = false): ResponseParts {
  return { code, isAuthoritative, answers: [], authority: [], additional: [] };
}

/** How long a datagram to this client may be. */
export function datagramBytesMax(query: Query): number {
  if (query.edns === undefined) return plainPayloadBytes;
  return Math.min(ednsPayloadBytes, Math.max(plainPayloadBytes, query.edns.payloadBytes));
}

/** Writes a response. What does not fit is left out: additional records silently, others with the truncation bit. */
export function writeResponse(query: Query, parts: ResponseParts, limits: ResponseLimits): Buffer {
  const { kept, bytes, isTruncated } = fit(query, parts, limits.bytesMax);
  const message = Buffer.allocUnsafe(bytes);
  const flags =
    flagBits.response |
    (query.opcode << 11) |
    (parts.isAuthoritative ? flagBits.authoritative : 0) |
    (isTruncated ? flagBits.truncated : 0) |
    (query.flags & (flagBits.recursionDesired | flagBits.checkingDisabled)) |
    (limits.isRecursionAvailable ? flagBits.recursionAvailable : 0) |
    (parts.code & 15);
  writeHeader(message, query.id, flags, [
    1,
    kept.answers.length,
    kept.authority.length,
    kept.additional.length + (query.edns === undefined ? 0 : 1),
  ]);
  message.set(query.question, headerBytes);
  let at = headerBytes + query.question.length;
  const first = limits.firstAnswer ?? 0;
  for (let i = 0; i < kept.answers.length; i++) at = put(message, at, kept.answers[(first + i) % kept.answers.length]);
  for (const record of kept.authority) at = put(message, at, record);
  for (const record of kept.additional) at = put(message, at, record);
  if (query.edns !== undefined) writeOpt(message, at, { code: parts.code, wantsDnssec: query.edns.wantsDnssec });
  return message;
}

/** The answer to a message that has no readable question. */
export function writeFormatError(query: BrokenQuery): Buffer {
  const message = Buffer.alloc(headerBytes);
  const kept = query.flags & (0x7800 | flagBits.recursionDesired);
  writeHeader(message, query.id, flagBits.response | kept | responseCodes.FORMERR, [0, 0, 0, 0]);
  return message;
}

/** The answer to a version of EDNS that does not exist yet. */
export function writeBadVersion(query: Query, limits: ResponseLimits): Buffer {
  return writeResponse(query, emptyParts(badVersion), limits);
}

/** Our OPT record, the last of a message. */
export function writeOpt(
  message: Buffer,
  at: number,
  { code, wantsDnssec }: { readonly code: number; readonly wantsDnssec: boolean },
): void {
  message[at] = 0;
  message.writeUInt16BE(41, at + 1);
  message.writeUInt16BE(ednsPayloadBytes, at + 3);
  message[at + 5] = code >> 4;
  message[at + 6] = 0;
  message.writeUInt16BE(wantsDnssec ? 0x8000 : 0, at + 7);
  message.writeUInt16BE(0, at + 9);
}

function writeHeader(message: Buffer, id: number, flags: number, counts: readonly [number, number, number, number]): void {
  message.writeUInt16BE(id, 0);
  message.writeUInt16BE(flags, 2);
  counts.forEach((count, i) => message.writeUInt16BE(count, 4 + 2 * i));
}

interface Fitting {
  readonly kept: Pick<ResponseParts, 'answers' | 'authority' | 'additional'>;
  readonly bytes: number;
  readonly isTruncated: boolean;
}

function fit(query: Query, parts: ResponseParts, bytesMax: number): Fitting {
  const frame = headerBytes + query.question.length + (query.edns === undefined ? 0 : optBytes);
  const needed = frame + bytesOf(parts.answers) + bytesOf(parts.authority);
  const whole = needed + bytesOf(parts.additional);
  if (whole <= bytesMax) return { kept: parts, bytes: whole, isTruncated: false };
  if (needed <= bytesMax) {
    const additional = prefixThatFits(parts.additional, bytesMax - needed);
    return { kept: { ...parts, additional }, bytes: needed + bytesOf(additional), isTruncated: false };
  }
  const answers = prefixThatFits(parts.answers, bytesMax - frame);
  return { kept: { answers, authority: [], additional: [] }, bytes: frame + bytesOf(answers), isTruncated: true };
}

function prefixThatFits(records: readonly Uint8Array[], bytesMax: number): readonly Uint8Array[] {
  let bytes = 0;
  const end = records.findIndex((record) => (bytes += record.length) > bytesMax);
  return end < 0 ? records : records.slice(0, end);
}

function bytesOf(records: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const record of records) bytes += record.length;
  return bytes;
}

function put(message: Buffer, at: number, record: Uint8Array | undefined): number {
  if (record === undefined) return at;
  message.set(record, at);
  return at + record.length;
}
