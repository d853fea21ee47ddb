import type { Address, Prefix } from '@contrail/net';
import type { Prefix as ProtoPrefix } from '@contrail/proto-gen/control/v1/messages';

export function toProtoPrefix(prefix: Prefix): ProtoPrefix {
  return { address: toBuffer(prefix.address), length: prefix.length };
}

/** The same bytes as the generated messages want them; nothing is copied. */
export function toBuffer(address: Address): Buffer {
  return Buffer.from(address.buffer, address.byteOffset, address.length);
}
