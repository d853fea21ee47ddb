import type { Address } from '@contrail/net';

/** Who has an address. */
export interface Holder {
  readonly network: string;
  readonly owner: string;
  /** Type of the resource that `owner` names; '' when it is no resource: then only a release frees the address. */
  readonly ownerType: string;
  readonly reserved: boolean;
  /** When the owner last asked for it. */
  readonly askedAtMs: bigint;
  readonly description: string;
}

export interface HeldAddress extends Holder {
  readonly subnetUuid: string;
  readonly address: Address;
}

/** A value of `a:held:<subnet>`. */
export function decodeHolder(text: string): Holder {
  const [network = '', owner = '', reserved = '', time = '0', description = '', ownerType = ''] =
    text.split('\0');
  return {
    network,
    owner,
    ownerType,
    reserved: reserved === '1',
    askedAtMs: BigInt(time),
    description,
  };
}

export function decodeAddress(hex: string): Address {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}
