import { lstatSync } from 'node:fs';
import type { LayerEntry, LayerSpec } from '../../sandbox/src/image-archive';
import { fingerprint, stampOf } from './fingerprint';

/** A layer together with what identifies its content, so that nothing is read or packed while that is unchanged. */
export interface Layer {
  readonly key: string;
  readonly spec: LayerSpec;
}

/** A layer whose files are identified by size and time of change. */
export function layerOf(entries: readonly LayerEntry[]): Layer {
  const described = entries.map((entry) => ('source' in entry ? [entry, stampOf(entry.source)] : entry));
  return { key: fingerprint(described), spec: { entries } };
}

/** The entry for a file that may be absent on this machine. */
export function optionalFile(source: string, target: string): LayerEntry[] {
  return lstatSync(source, { throwIfNoEntry: false }) === undefined ? [] : [{ source, target }];
}
