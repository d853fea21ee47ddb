/** What the kernel says about a map (struct bpf_map_info). */
import { ContrailError } from '@contrail/errors';
import { libbpf } from './libbpf';

const infoSize = 80;

export interface MapInfo {
  readonly name: string;
  /** BPF_MAP_TYPE_… */
  readonly type: number;
  readonly flags: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  /** The types that the map was made with; 0: none. */
  readonly btfId: number;
  readonly keyTypeId: number;
  readonly valueTypeId: number;
}

export function mapInfoOf(mapFd: number): MapInfo {
  const info = Buffer.alloc(infoSize);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(infoSize);
  const result = libbpf().objectInfo(mapFd, info, length);
  if (result < 0) throw new ContrailError('INTERNAL', `Map ${mapFd}: cannot be described (errno ${-result})`);
  return {
    name: info.toString('utf8', 24, 40).replace(/\0.*$/, ''),
    type: info.readUInt32LE(0),
    keySize: info.readUInt32LE(8),
    valueSize: info.readUInt32LE(12),
    maxEntries: info.readUInt32LE(16),
    flags: info.readUInt32LE(20),
    btfId: info.readUInt32LE(64),
    keyTypeId: info.readUInt32LE(68),
    valueTypeId: info.readUInt32LE(72),
  };
}
