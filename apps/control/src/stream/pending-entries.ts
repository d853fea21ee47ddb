import { unitKinds } from '../compile/unit';
import type { EntryRecord } from '../engine/entry-record';
import type { EntryUpdate, Trace } from '../engine/entry-table';

/** One step of the desired state, as it concerns revisions. */
export interface Publication {
  /** Grows by one with each step; revisions may stand still or, after a restore, go back. */
  readonly generation: number;
  /** Revision up to which everything was published before this step. */
  readonly revisionBefore: bigint;
}

interface PendingEntry {
  readonly key: string;
  readonly queue: number;
  readonly bytes: Uint8Array;
  readonly generation: number;
  readonly traces: readonly Trace[];
}

export interface TakenEntries {
  readonly entries: Uint8Array[];
  readonly removals: Uint8Array[];
  readonly traces: Trace[];
}

export interface TakeLimits {
  readonly count: number;
  readonly bytes: number;
}

/** Traced changes that one pending entry remembers. */
const tracesMax = 16;

/**
 * What one agent has not been sent yet: for each key its latest state, however often it changed. Entries
 * go in the order in which they refer to each other, removals after them in the reverse order.
 */
export class PendingEntries {
  readonly #byKey = new Map<string, PendingEntry>();
  /** Entries by rank, then removals by reversed rank. */
  readonly #queues = Array.from({ length: 2 * unitKinds.length }, () => new Map<string, PendingEntry>());
  /** Pending entries, and whatever else is held, by the step in which they first came; oldest first. */
  readonly #held = new Map<number, { count: number; readonly revisionBefore: bigint }>();

  get size(): number {
    return this.#byKey.size;
  }

  /** The agent gets this entry. */
  upsert(record: EntryRecord, publication: Publication, traces: EntryUpdate['traces'] = []): void {
    this.#put({ key: record.key, queue: record.rank, bytes: record.bytes }, publication, traces);
  }

  /** The agent loses this entry. */
  remove(record: EntryRecord, publication: Publication, traces: EntryUpdate['traces'] = []): void {
    const bytes = record.removal;
    if (bytes === undefined) return;
    this.#put({ key: record.key, queue: this.#queues.length - 1 - record.rank, bytes }, publication, traces);
  }

  /** Forgets a key, because its latest state is sent in another way. */
  discard(key: string): void {
    const pending = this.#byKey.get(key);
    if (pending === undefined) return;
    this.#forget(pending);
    this.release(pending.generation);
  }

  /** Takes up to `count` keys and about `bytes` bytes, at least one key. */
  take({ count, bytes }: TakeLimits): TakenEntries {
    const taken: TakenEntries = { entries: [], removals: [], traces: [] };
    const traces = new Set<Trace>();
    let left = { count, bytes };
    for (const [i, queue] of this.#queues.entries()) {
      for (const pending of queue.values()) {
        if (left.count === 0 || (left.bytes < pending.bytes.length && left.count < count)) {
          return { ...taken, traces: [...traces] };
        }
        (i < unitKinds.length ? taken.entries : taken.removals).push(pending.bytes);
        for (const trace of pending.traces) traces.add(trace);
        this.#forget(pending);
        this.release(pending.generation);
        left = { count: left.count - 1, bytes: left.bytes - pending.bytes.length };
      }
    }
    return { ...taken, traces: [...traces] };
  }

  /** Keeps the agent's revision from passing this step until `release`. */
  hold({ generation, revisionBefore }: Publication): void {
    const held = this.#held.get(generation);
    if (held === undefined) this.#held.set(generation, { count: 1, revisionBefore });
    else held.count += 1;
  }

  release(generation: number): void {
    const held = this.#held.get(generation);
    if (held === undefined) return;
    held.count -= 1;
    if (held.count === 0) this.#held.delete(generation);
  }

  /** Latest step of which nothing is held or pending. @param latest step of the whole desired state. */
  completeGeneration(latest: number): number {
    for (const generation of this.#held.keys()) return generation - 1;
    return latest;
  }

  /** Highest revision of which nothing is held or pending. @param published revision of the whole desired state. */
  completeRevision(published: bigint): bigint {
    for (const { revisionBefore } of this.#held.values()) return revisionBefore;
    return published;
  }

  #put(entry: Pick<PendingEntry, 'key' | 'queue' | 'bytes'>, publication: Publication, traces: readonly Trace[]): void {
    const before = this.#byKey.get(entry.key);
    if (before === undefined) this.hold(publication);
    else if (before.queue !== entry.queue) this.#queues[before.queue]?.delete(entry.key);
    const pending: PendingEntry = {
      ...entry,
      // What waited since an older step still does.
      generation: before?.generation ?? publication.generation,
      traces: before === undefined ? traces : [...before.traces, ...traces].slice(0, tracesMax),
    };
    this.#byKey.set(entry.key, pending);
    this.#queues[entry.queue]?.set(entry.key, pending);
  }

  #forget(pending: PendingEntry): void {
    this.#byKey.delete(pending.key);
    this.#queues[pending.queue]?.delete(pending.key);
  }
}
