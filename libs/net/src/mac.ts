import { ContrailError } from '@contrail/errors';
import { parseUuid } from './uuid';

/** Six bytes of "02:00:5e:10:00:01". @throws ContrailError INVALID_ARGUMENT */
export function parseMac(text: string): Uint8Array {
  if (!/^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/.test(text)) {
    throw new ContrailError('INVALID_ARGUMENT', `"${text}" is not a MAC address; write 02:00:5e:10:00:01`);
  }
  return new Uint8Array(text.split(':').map((part) => Number.parseInt(part, 16)));
}

export function formatMac(mac: Uint8Array): string {
  return Array.from(mac, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** The MAC of an interface without one of its own: 02 and the first five bytes of its uuid, as R21. */
export function macFromUuid(uuid: string): Uint8Array {
  return new Uint8Array([2, ...parseUuid(uuid).subarray(0, 5)]);
}
