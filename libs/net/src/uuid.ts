import { createHash } from 'node:crypto';
import { ContrailError } from '@contrail/errors';

/** 16 bytes. @throws ContrailError INVALID_ARGUMENT */
export function parseUuid(text: string): Uint8Array {
  if (!/^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/.test(text)) {
    throw new ContrailError('INVALID_ARGUMENT', `"${text}" is not a UUID; write it as in RFC 4122`);
  }
  return new Uint8Array(Buffer.from(text.replaceAll('-', ''), 'hex'));
}

/** Lower case, as in RFC 4122. */
export function formatUuid(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

/** Name-based UUID, version 5 (RFC 4122 §4.3): equal input, equal uuid, everywhere. */
export function uuidV5(namespaceUuid: string, name: string): string {
  const digest = createHash('sha1').update(parseUuid(namespaceUuid)).update(name, 'utf8').digest();
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x50;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  return formatUuid(digest.subarray(0, 16));
}
