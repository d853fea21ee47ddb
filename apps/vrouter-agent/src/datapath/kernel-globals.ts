import { invariant } from '@contrail/errors';
import type { KernelMap } from './bpf/kernel-map';
import { globalsStruct } from './layout/flow-structs';
import type { DatapathGlobals } from './port';

const index = Buffer.alloc(4);

const noAddress = (length: number): Uint8Array => new Uint8Array(length);

const someAddress = (address: Uint8Array): Uint8Array | undefined =>
  address.some((byte) => byte !== 0) ? address : undefined;

function placeOfEpoch(): number {
  const place = globalsStruct.fields.get('epoch');
  invariant(place !== undefined, 'the globals have an epoch');
  return place.offset;
}

const epochOffset = placeOfEpoch();

/** Never 0, which programs take for "remember nothing". */
const epochAfter = (epoch: number): number => (epoch + 1) >>> 0 || 1;

type RawGlobals = ReturnType<typeof globalsStruct.decode>;

function encode(globals: DatapathGlobals, epoch: number): Buffer {
  return globalsStruct.encode({
    ...globals,
    epoch,
    nodeAddress: globals.nodeAddressV4 ?? noAddress(4),
    nodeAddressV6: globals.nodeAddressV6 ?? noAddress(16),
    hairpinAddress: globals.hairpinAddressV4 ?? noAddress(4),
    hairpinAddressV6: globals.hairpinAddressV6 ?? noAddress(16),
    reserved: noAddress(24),
  });
}

function decode(raw: RawGlobals): DatapathGlobals {
  const { nodeAddress, nodeAddressV6, hairpinAddress, hairpinAddressV6, ...same } = raw;
  return {
    ...same,
    nodeAddressV4: someAddress(nodeAddress),
    nodeAddressV6: someAddress(nodeAddressV6),
    hairpinAddressV4: someAddress(hairpinAddress),
    hairpinAddressV6: someAddress(hairpinAddressV6),
  };
}

/** What programs read on every packet. */
export class KernelGlobals {
  constructor(private readonly map: KernelMap) {}

  read(): DatapathGlobals | undefined {
    const raw = this.raw();
    return raw && decode(raw);
  }

  raw(): RawGlobals | undefined {
    const bytes = this.map.lookup(index);
    return bytes && globalsStruct.decode(bytes);
  }

  write(globals: DatapathGlobals): void {
    this.map.update(index, encode(globals, epochAfter(this.raw()?.epoch ?? 0)));
  }

  /** Programs forget what they remember of tables (bpf/tunnel_place.h, bpf/known_courses.h); called after each change of one. */
  forgetTables(): void {
    const bytes = this.map.lookup(index);
    if (!bytes) return;
    bytes.writeUInt32LE(epochAfter(bytes.readUInt32LE(epochOffset)), epochOffset);
    this.map.update(index, bytes);
  }
}
