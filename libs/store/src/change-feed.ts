import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { typeOfNumber } from './keys';
import { RedisConnection } from './redis/connection';
import type { RedisOptions, Reply } from './redis/connection';
import type { StoreChange, WatchPosition } from './store';
import { StoredObject } from './stored-object';

const recentMax = 8_192;
/** Of the objects in the changes that are kept; watchers further behind read the log. */
const recentBytesMax = 33_554_432;
const readCount = 1_000;
/** How long a read blocks; after each the epoch is compared. */
const blockMs = 1_000;
const retryMs = 100;
/**
 * The first change after a pause is passed on at once; those that follow it closely go together, so that
 * many watchers of a busy store get few batches.
 */
const batchMs = 4;

/** Makes the epoch right for the server at the other end of a connection, and reads it. */
export async function readPosition(
  connection: RedisConnection,
  prefix: string,
  seen: WatchPosition = { epoch: '', revision: 0n },
): Promise<WatchPosition> {
  const info = String(await connection.command(['INFO', 'server']));
  const runId = /^run_id:(\w+)/m.exec(info)?.[1] ?? '';
  const known = [seen.epoch, String(seen.revision)];
  const reply = listOf(await connection.call('epoch', prefix, [runId, randomUUID(), ...known]));
  return { epoch: String(reply[0]), revision: BigInt(String(reply[1])) };
}

/**
 * Follows the change log on a connection of its own and keeps the latest changes in memory, once for all
 * watchers.
 */
export class ChangeFeed {
  readonly #prefix: string;
  readonly #connection: RedisConnection;
  readonly #loop: Promise<void>;
  /** Consecutive revisions. */
  #recent: StoreChange[] = [];
  #recentBytes = 0;
  #position: WatchPosition = { epoch: '', revision: 0n };
  #closed = false;
  /** Fulfilled at the next news; one promise for all who wait. */
  #news: Promise<void>;
  #announce: () => void = () => undefined;
  readonly #signals = new WeakSet<AbortSignal>();

  constructor(options: RedisOptions, prefix: string) {
    this.#prefix = prefix;
    this.#news = this.#nextNews();
    this.#connection = new RedisConnection(options, async (connection) => {
      this.#moveTo(await readPosition(connection, prefix, this.#position));
    });
    this.#loop = this.#run();
  }

  /** '' until the first connect. */
  get epoch(): string {
    return this.#position.epoch;
  }

  /** Changes after the revision from memory; undefined when memory does not hold the next one. */
  recentAfter(revision: bigint, limit: number): readonly StoreChange[] | undefined {
    if (revision === this.#position.revision) return [];
    const first = this.#recent[0];
    if (first === undefined || revision + 1n < first.revision || revision > this.#position.revision)
      return undefined;
    const start = Number(revision + 1n - first.revision);
    return this.#recent.slice(start, start + limit);
  }

  /** Resolves when the feed is not at this position, or the signal is aborted. */
  async waitBeyond({ epoch, revision }: WatchPosition, signal: AbortSignal): Promise<void> {
    const moved = (): boolean =>
      this.#position.epoch !== epoch || this.#position.revision > revision;
    this.#wakeOnAbort(signal);
    while (!moved() && !signal.aborted && !this.#closed) await this.#news;
  }

  /** A watcher waits a hundred times a second: its signal is listened to once. */
  #wakeOnAbort(signal: AbortSignal): void {
    if (this.#signals.has(signal)) return;
    this.#signals.add(signal);
    signal.addEventListener('abort', () => this.#wake(), { once: true });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wake();
    await this.#connection.close();
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      try {
        if (this.#connection.problem === undefined) {
          const count = await this.#readOnce();
          if (count > 0 && count < readCount) await delay(batchMs);
        } else await delay(retryMs / 4);
      } catch {
        // The connection keeps the reason and comes back by itself; the main connection reports it.
        await delay(retryMs);
      }
    }
  }

  /** @returns how many changes were read. */
  async #readOnce(): Promise<number> {
    const { revision } = this.#position;
    const reply = await this.#connection.command([
      ...['XREAD', 'COUNT', String(readCount), 'BLOCK', String(blockMs)],
      ...['STREAMS', `${this.#prefix}log`, `${revision}-0`],
    ]);
    if (reply === null) {
      this.#moveTo(await readPosition(this.#connection, this.#prefix, this.#position));
      return 0;
    }
    const changes = decodeEntries(listOf(listOf(listOf(reply)[0])[1]));
    const last = changes.at(-1);
    // The connection may have moved to another epoch while the answer was on its way.
    if (last === undefined || this.#position.revision !== revision) return 0;
    if (changes[0]?.revision !== revision + 1n) this.#forget();
    this.#keep(changes);
    this.#position = { epoch: this.#position.epoch, revision: last.revision };
    this.#wake();
    return changes.length;
  }

  /** After a connect or an idle second: another epoch starts anew. */
  #moveTo(position: WatchPosition): void {
    if (position.epoch === this.#position.epoch) return;
    this.#forget();
    this.#position = position;
    this.#wake();
  }

  /** Keeps the latest changes; twice as many for a while, so that they are seldom copied. */
  #keep(changes: readonly StoreChange[]): void {
    this.#recent.push(...changes);
    this.#recentBytes += bytesOf(changes);
    if (this.#recent.length <= 2 * recentMax && this.#recentBytes <= 2 * recentBytesMax) return;
    let first = this.#recent.length;
    let bytes = 0;
    while (first > 0 && this.#recent.length - first < recentMax) {
      bytes += this.#recent[first - 1]?.object?.size ?? 0;
      if (bytes > recentBytesMax) break;
      first -= 1;
    }
    this.#recent = this.#recent.slice(first);
    this.#recentBytes = bytesOf(this.#recent);
  }

  #forget(): void {
    this.#recent = [];
    this.#recentBytes = 0;
  }

  #wake(): void {
    const announce = this.#announce;
    this.#news = this.#nextNews();
    announce();
  }

  #nextNews(): Promise<void> {
    return new Promise((resolve) => {
      this.#announce = resolve;
    });
  }
}

function bytesOf(changes: readonly StoreChange[]): number {
  return changes.reduce((sum, { object }) => sum + (object?.size ?? 0), 0);
}

/** Entries of the log, as XREAD and XRANGE give them; names and values in the order of `commit`. */
export function decodeEntries(entries: readonly Reply[]): StoreChange[] {
  return entries.map((entry) => {
    const [id, fields] = listOf(entry);
    const [, typeText, , uuid, , traceparent, , bytes] = listOf(fields);
    const revision = BigInt(String(id).split('-')[0] ?? '0');
    const type = typeOfNumber(Number(String(typeText)));
    return {
      revision,
      type,
      uuid: String(uuid),
      object: Buffer.isBuffer(bytes) ? new StoredObject(type, revision, bytes) : undefined,
      traceparent: String(traceparent ?? ''),
    };
  });
}

/** A reply that is a list; an absent one is empty. */
export function listOf(reply: Reply | undefined): readonly Reply[] {
  return Array.isArray(reply) ? (reply as readonly Reply[]) : [];
}
