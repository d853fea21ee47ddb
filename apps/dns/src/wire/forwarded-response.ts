import type { Query } from './query';
import { flagBits, headerBytes } from './query';
import { optBytes, writeOpt } from './response';
import type { UpstreamMessage } from './upstream-message';

/**
 * Another server's answer as our answer to this client: its id, its spelling of the question, its OPT record, younger TTLs.
 * Everything else stays byte by byte, so records of types that we do not know pass too.
 *
 * @param ageSeconds how long the answer was kept.
 * @param bytesMax what does not fit is left out at a record's end, with the truncation bit.
 */
export function writeForwarded(query: Query, upstream: UpstreamMessage, ageSeconds: number, bytesMax: number): Buffer {
  const frameBytes = query.edns === undefined ? 0 : optBytes;
  const { count, end, isCut } = fit(upstream, headerBytes + query.question.length, bytesMax - frameBytes);
  const message = Buffer.allocUnsafe(end + frameBytes);
  upstream.bytes.copy(message, 0, 0, end);
  message.writeUInt16BE(query.id, 0);
  message.writeUInt16BE(flagsOf(query, upstream, isCut), 2);
  const answers = Math.min(count, upstream.answerCount);
  const authority = Math.min(count - answers, upstream.authorityCount);
  message.writeUInt16BE(answers, 6);
  message.writeUInt16BE(authority, 8);
  message.writeUInt16BE(count - answers - authority + (query.edns === undefined ? 0 : 1), 10);
  message.set(query.question, headerBytes);
  if (ageSeconds > 0) {
    for (const record of upstream.records.slice(0, count)) {
      message.writeUInt32BE(Math.max(0, message.readUInt32BE(record.ttlAt) - ageSeconds), record.ttlAt);
    }
  }
  if (query.edns !== undefined) {
    writeOpt(message, end, { code: upstream.code, wantsDnssec: query.edns.wantsDnssec });
  }
  return message;
}

function flagsOf(query: Query, upstream: UpstreamMessage, isCut: boolean): number {
  const wantsAuthenticity = (query.flags & flagBits.authenticData) !== 0 || query.edns?.wantsDnssec === true;
  return (
    flagBits.response |
    flagBits.recursionAvailable |
    (query.flags & (flagBits.recursionDesired | flagBits.checkingDisabled)) |
    (isCut || upstream.isTruncated ? flagBits.truncated : 0) |
    (upstream.isAuthenticData && wantsAuthenticity ? flagBits.authenticData : 0) |
    upstream.code
  );
}

/** Leaving out additional records alone is not a truncation. */
function fit(
  upstream: UpstreamMessage,
  questionEnd: number,
  bytesMax: number,
): { readonly count: number; readonly end: number; readonly isCut: boolean } {
  const { records, answerCount, authorityCount } = upstream;
  const excess = records.findIndex((record) => record.end > bytesMax);
  const fitting = excess < 0 ? records.length : excess;
  const isCut = fitting < answerCount + authorityCount;
  const count = isCut ? Math.min(fitting, answerCount) : fitting;
  return { count, end: records[count - 1]?.end ?? questionEnd, isCut };
}
