import type { WatchEvent } from '@contrail/store';
import { changesResponse } from './encoded-responses';

type ChangesEvent = Extract<WatchEvent, { kind: 'changes' }>;

/** Watchers that keep up are at the same batch, or one apart; the others encode for themselves. */
const keptMax = 32;

/**
 * Encodes a batch of changes once for all watchers of the same types: they take the same slices of the
 * log at the same time.
 */
export class ChangesEncoder {
  readonly #kept = new Map<string, Uint8Array>();

  /** @param types what the watcher asked for, as text. */
  encode(event: ChangesEvent, types: string): Uint8Array {
    const first = event.changes[0]?.revision ?? '';
    const { epoch, revision } = event.position;
    // Within one epoch the first and the last position of a batch name its changes.
    const key = `${epoch} ${first} ${revision} ${event.changes.length} ${types}`;
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const bytes = changesResponse(event);
    this.#kept.set(key, bytes);
    const oldest = this.#kept.keys().next();
    if (this.#kept.size > keptMax && oldest.done !== true) this.#kept.delete(oldest.value);
    return bytes;
  }
}
