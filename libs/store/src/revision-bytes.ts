import { encodeResource, readVarint, varintLength, writeVarint } from '@contrail/resource-model';
import { decodeBytes } from './keys';

/** Tag of `meta` in the message of every type, and of `revision` in Meta (resources.proto). */
const metaTag = 0x0a;
const revisionTag = 0x28;

/**
 * Protobuf of a Resource with the revision entered into its meta, without decoding it: objects are stored
 * without revision, because Redis chooses that.
 *
 * @param stored the message of its type, which begins with meta, as our encoder writes it.
 */
export function bytesWithRevision(stored: Buffer, revision: bigint): Buffer {
  const kindTag = readVarint(stored, 0);
  const kind = readVarint(stored, kindTag.end);
  const meta = readVarint(stored, kind.end + 1);
  const metaEnd = meta.end + meta.value;
  const isOurs = stored[kind.end] === metaTag && kind.end + kind.value === stored.length;
  // Another encoder may order fields otherwise.
  if (!isOurs || !(metaEnd <= stored.length)) return encodeAnew(stored, revision);
  const number = Number(revision);
  const entryLength = 1 + varintLength(number);
  const metaLength = meta.value + entryLength;
  const kindLength = 1 + varintLength(metaLength) + metaLength + (stored.length - metaEnd);
  const result = Buffer.allocUnsafe(kindTag.end + varintLength(kindLength) + kindLength);
  let at = stored.copy(result, 0, 0, kindTag.end);
  at = writeVarint(result, at, kindLength);
  result[at] = metaTag;
  at = writeVarint(result, at + 1, metaLength);
  at += stored.copy(result, at, meta.end, metaEnd);
  result[at] = revisionTag;
  at = writeVarint(result, at + 1, number);
  stored.copy(result, at, metaEnd);
  return result;
}

function encodeAnew(stored: Buffer, revision: bigint): Buffer {
  return Buffer.from(encodeResource(decodeBytes(stored, revision)));
}
