import type { Query } from './query';
import { flagBits, headerBytes, responseCodes, skipName } from './query';
import { optBytes, writeOpt } from './response';

/** Where one record lies in a message. */
interface RecordPlace {
  /** Of the four bytes of its TTL. */
  readonly ttlAt: number;
  readonly end: number;
}

/** Another server's answer that has been checked and can be kept; the message without its OPT record. */
export interface UpstreamMessage {
  readonly bytes: Buffer;
  readonly code: number;
  readonly isTruncated: boolean;
  readonly isAuthenticData: boolean;
  /** Records of answer, authority and additional section, in the order of the message. */
  readonly records: readonly RecordPlace[];
  readonly answerCount: number;
  readonly authorityCount: number;
  /** Smallest TTL of the answer, for a negative answer of the SOA; undefined: do not keep it. */
  readonly ttl: number | undefined;
}

const optType = 41;
const soaType = 6;

/**
 * Checks an answer from the network. Any bytes may come here.
 *
 * @param query what was asked; id, question and the response bit must agree, else the message may be forged.
 * @returns undefined when it is no answer to the question.
 */
export function parseUpstream(message: Buffer, query: { readonly id: number; readonly question: Uint8Array }): UpstreamMessage | undefined {
  const questionEnd = headerBytes + query.question.length;
  if (message.length < questionEnd || message.readUInt16BE(0) !== query.id) return undefined;
  const flags = message.readUInt16BE(2);
  if ((flags & flagBits.response) === 0 || message.readUInt16BE(4) !== 1) return undefined;
  if (!isSameQuestion(message.subarray(headerBytes, questionEnd), query.question)) return undefined;
  const code = flags & 15;
  const isTruncated = (flags & flagBits.truncated) !== 0;
  const counts = [6, 8, 10].map((at) => message.readUInt16BE(at));
  const [answerCount = 0, authorityCount = 0] = counts;
  const records = findRecords(message, questionEnd, counts.reduce((sum, count) => sum + count, 0));
  if (records === undefined) return undefined;
  const firstOpt = records.findIndex((record) => record.type === optType);
  const kept = firstOpt < 0 ? records : records.slice(0, firstOpt);
  if (kept.length < answerCount + authorityCount) return undefined;
  return {
    bytes: Buffer.from(message.subarray(0, kept.at(-1)?.end ?? questionEnd)),
    code,
    isTruncated,
    isAuthenticData: (flags & flagBits.authenticData) !== 0,
    records: kept,
    answerCount,
    authorityCount,
    ttl: ttlOf(message, code, kept, { answerCount, authorityCount }),
  };
}

interface FoundRecord extends RecordPlace {
  readonly type: number;
}

function findRecords(message: Buffer, start: number, count: number): FoundRecord[] | undefined {
  const records: FoundRecord[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    const nameEnd = skipName(message, at);
    if (nameEnd === undefined || nameEnd + 10 > message.length) return undefined;
    at = nameEnd + 10 + message.readUInt16BE(nameEnd + 8);
    if (at > message.length) return undefined;
    records.push({ type: message.readUInt16BE(nameEnd), ttlAt: nameEnd + 4, end: at });
  }
  return records;
}

/** RFC 2308: a negative answer is kept as long as its SOA record and that record's minimum say. */
function ttlOf(
  message: Buffer,
  code: number,
  records: readonly FoundRecord[],
  { answerCount, authorityCount }: { readonly answerCount: number; readonly authorityCount: number },
): number | undefined {
  if (code !== responseCodes.NOERROR && code !== responseCodes.NXDOMAIN) return undefined;
  const ttls = records.slice(0, answerCount).map((record) => readTtl(message, record));
  if (ttls.length > 0 && code === responseCodes.NOERROR) return Math.min(...ttls);
  const soa = records.slice(answerCount, answerCount + authorityCount).find((record) => record.type === soaType);
  // The minimum is the last field of the SOA record.
  if (soa === undefined || soa.end - soa.ttlAt < 6 + 4) return undefined;
  return Math.min(...ttls, readTtl(message, soa), message.readUInt32BE(soa.end - 4));
}

/** RFC 2181: a TTL with the upper bit set counts as zero. */
function readTtl(message: Buffer, record: RecordPlace): number {
  const ttl = message.readUInt32BE(record.ttlAt);
  return ttl > 0x7fffffff ? 0 : ttl;
}

/** A question for another server: our own OPT record only where the client sent one. */
export function writeUpstreamQuery(query: Query, id: number): Buffer {
  const hasOpt = query.edns !== undefined;
  const message = Buffer.alloc(headerBytes + query.question.length + (hasOpt ? optBytes : 0));
  message.writeUInt16BE(id, 0);
  message.writeUInt16BE(flagBits.recursionDesired | (query.flags & (flagBits.checkingDisabled | flagBits.authenticData)), 2);
  message.writeUInt16BE(1, 4);
  message.writeUInt16BE(hasOpt ? 1 : 0, 10);
  message.set(query.question, headerBytes);
  const opt = { code: 0, wantsDnssec: query.edns?.wantsDnssec === true };
  if (hasOpt) writeOpt(message, headerBytes + query.question.length, opt);
  return message;
}

/** Names compare without case; type and class, the last four bytes, exactly. */
function isSameQuestion(a: Uint8Array, b: Uint8Array): boolean {
  const nameBytes = a.length - 4;
  return a.every((byte, i) => (i < nameBytes ? small(byte) === small(b[i] ?? 0) : byte === b[i]));
}

function small(byte: number): number {
  return byte >= 65 && byte <= 90 ? byte + 32 : byte;
}
