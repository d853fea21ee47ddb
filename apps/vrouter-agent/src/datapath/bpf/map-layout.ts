/** The layout of maps, from the descriptions that programs and pinned maps carry themselves. */
import { createHash } from 'node:crypto';
import { ContrailError } from '@contrail/errors';
import type { RecordLayout } from '../layout/record-converter';
import { Btf } from './btf';
import { iterate, type Libbpf, libbpf } from './libbpf';
import type { MapInfo } from './map-info';

export interface MapLayout extends RecordLayout {
  readonly name: string;
  /** BPF_MAP_TYPE_… */
  readonly type: number;
  readonly flags: number;
}

/** Every map of an opened object, in the order of the source. */
export function layoutsOf(lib: Libbpf, object: bigint): MapLayout[] {
  const btf = new Btf(lib.rawBtf(lib.objectBtf(object)));
  return [...iterate((previous) => lib.nextMap(object, previous))].map((map) => ({
    name: lib.mapName(map),
    type: lib.mapType(map),
    flags: lib.mapFlags(map),
    keySize: lib.mapKeySize(map),
    valueSize: lib.mapValueSize(map),
    key: fieldsOf(btf, lib.mapKeyTypeId(map)),
    value: fieldsOf(btf, lib.mapValueTypeId(map)),
  }));
}

/**
 * A number for the shape of all maps: any other field, size or kind gives another. What programs of
 * equal numbers wrote can be read as it is.
 */
export function layoutNumber(layouts: readonly MapLayout[]): number {
  const text = JSON.stringify([...layouts].sort((a, b) => (a.name < b.name ? -1 : 1)));
  return createHash('sha256').update(text).digest().readUInt32BE(0);
}

/**
 * The records of a map that any version of the agent made.
 * @throws ContrailError DATA_LOSS when the kernel has no description of them.
 */
export function recordLayoutOf(info: MapInfo): RecordLayout {
  const lib = libbpf();
  const btf = info.btfId === 0 ? null : lib.kernelBtf(info.btfId);
  if (btf === null) {
    throw new ContrailError('DATA_LOSS', `Map/${info.name}: has no description of its records`);
  }
  try {
    const types = new Btf(lib.rawBtf(btf));
    return {
      keySize: info.keySize,
      valueSize: info.valueSize,
      key: types.fieldsOf(info.keyTypeId),
      value: types.fieldsOf(info.valueTypeId),
    };
  } finally {
    lib.freeBtf(btf);
  }
}

const fieldsOf = (btf: Btf, typeId: number): RecordLayout['key'] =>
  typeId === 0 ? [] : btf.fieldsOf(typeId);
