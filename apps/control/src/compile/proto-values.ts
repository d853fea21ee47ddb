import { parseUuid } from '@contrail/net';
import type { Address, Prefix } from '@contrail/net';
import type { Prefix as ProtoPrefix } from '@contrail/proto-gen/control/v1/messages';

export function toProtoPrefix(prefix: Prefix): ProtoPrefix {
  return { address: toBuffer(prefix.address), length: prefix.length };
}

/** The same bytes as the generated messages want them; nothing is copied. */
export function toBuffer(address: Address): Buffer {
  return Buffer.from(address.buffer, address.byteOffset, address.length);
}

export function toAddressSpace({ addressSpace }: { readonly addressSpace: string }): Buffer {
  return addressSpace === '' ? Buffer.alloc(0) : toBuffer(parseUuid(addressSpace));
}
