import type { LayerEntry, LayerSpec } from '../../sandbox/src/image-archive';
import { fingerprint, stampOf } from './fingerprint';

/** A layer with a key, so that nothing is read or packed while its content is unchanged. */
export type Layer = LayerSpec & { readonly key: string };

/** A layer whose files are identified by size and time of change. */
export function layerOf(entries: readonly LayerEntry[]): Layer {
  const described = entries.map((entry) => ('source' in entry ? [entry, stampOf(entry.source)] : entry));
  return { key: fingerprint(described), entries };
}
