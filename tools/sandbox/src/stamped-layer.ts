import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import type { LayerEntry, LayerSpec } from './image-archive';

/** A layer with a key, so that nothing is read or packed while its content is unchanged. */
export type StampedLayer = LayerSpec & { readonly key: string };

/** A layer whose files are identified by size and time of change: big ones are not read each time. */
export function stampedLayer(entries: readonly LayerEntry[]): StampedLayer {
  const described = entries.map((entry) =>
    'source' in entry ? [entry, stampOf(entry.source)] : entry,
  );
  const key = createHash('sha256').update(JSON.stringify(described)).digest('hex');
  return { key, entries };
}

function stampOf(file: string): string {
  const { size, mtimeMs, ino } = statSync(file);
  return `${file} ${size} ${mtimeMs} ${ino}`;
}
