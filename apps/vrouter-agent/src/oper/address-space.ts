/**
 * The number of an address space in the datapath. Spaces are UUIDs of IPAMs, so four of their bytes tell
 * the few of a cluster apart, on every node and after every restart alike.
 *
 * @param uuid 16 bytes, or none for a VRF whose addresses are its own.
 * @returns 0 for none, which is no space.
 */
export function addressSpaceNumber(uuid: Uint8Array): number {
  if (uuid.length !== 16) return 0;
  return Buffer.from(uuid).readUInt32LE(0) || 1;
}
