import { ContrailError } from '@contrail/errors';
import { idRangeOf } from '@contrail/resource-model';
import type { IdSpace } from '@contrail/resource-model';
import { NodeProgress } from '@contrail/proto-gen/config/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { ChangeFeed, decodeEntries, listOf, readPosition } from './change-feed';
import { CommitQueue } from './commit-queue';
import { keyPrefix } from './keys';
import type { DependentKind } from './keys';
import { ObjectReader } from './object-reader';
import { RedisConnection } from './redis/connection';
import type { RedisOptions } from './redis/connection';
import type {
  ListQuery,
  Page,
  ResourceStore,
  StoreChange,
  StoredPage,
  TransactionRequest,
  TransactionResult,
  TypedName,
  WatchEvent,
  WatchOptions,
  WatchPosition,
} from './store';
import { textsMax, tooManyTexts } from './store';
import type { StoredObject } from './stored-object';
import { watchStore } from './watch';
import type { ChangeSource } from './watch';

export interface StoreOptions {
  readonly redis: RedisOptions;
  /** Name of the deployment, the hash tag of its keys; default `contrail`. */
  readonly deployment?: string;
  /** Changes that the log keeps, at least; default 100 000. */
  readonly logLength?: number;
  /** A number allotted for an object that is never created is freed after this time; default ten minutes. */
  readonly pendingIdMs?: number;
  /** A freed number is taken again after this time at the earliest; default one day. */
  readonly idQuarantineMs?: number;
}

const logLengthDefault = 100_000;
const pendingIdMsDefault = 600_000;
const idQuarantineMsDefault = 86_400_000;

/** Connects in the background; calls fail with UNAVAILABLE until it has. */
export function openStore(options: StoreOptions): ResourceStore {
  return new RedisStore(options);
}

class RedisStore implements ResourceStore, ChangeSource {
  readonly #connection: RedisConnection;
  readonly #reader: ObjectReader;
  readonly #feed: ChangeFeed;
  readonly #prefix: string;
  readonly #commits: CommitQueue;
  readonly #pendingIdMs: number;
  readonly #idQuarantineMs: number;

  constructor(options: StoreOptions) {
    const prefix = keyPrefix(options.deployment ?? 'contrail');
    this.#prefix = prefix;
    this.#pendingIdMs = options.pendingIdMs ?? pendingIdMsDefault;
    this.#idQuarantineMs = options.idQuarantineMs ?? idQuarantineMsDefault;
    this.#connection = new RedisConnection(options.redis, async (connection) => {
      await readPosition(connection, prefix);
    });
    this.#commits = new CommitQueue(this.#connection, {
      prefix,
      logLength: options.logLength ?? logLengthDefault,
    });
    this.#reader = new ObjectReader(this.#connection, prefix);
    this.#feed = new ChangeFeed(options.redis, prefix);
  }

  get epoch(): string {
    return this.#feed.epoch;
  }

  getMany(uuids: readonly string[]): Promise<(Resource | undefined)[]> {
    return this.#reader.getMany(uuids);
  }

  getStored(uuids: readonly string[]): Promise<(StoredObject | undefined)[]> {
    return this.#reader.getStored(uuids);
  }

  findUuids(names: readonly TypedName[]): Promise<(string | undefined)[]> {
    return this.#reader.findUuids(names);
  }

  async list(query: ListQuery): Promise<Page> {
    const { objects, next } = await this.#reader.listStored(query);
    return { resources: objects.map(({ resource }) => resource), next };
  }

  listStored(query: ListQuery): Promise<StoredPage> {
    return this.#reader.listStored(query);
  }

  dependents(uuid: string, kind: DependentKind, limit: number): Promise<string[]> {
    return this.#reader.dependents(uuid, kind, limit);
  }

  transact(request: TransactionRequest): Promise<TransactionResult> {
    return this.#commits.commit(request);
  }

  async revision(): Promise<bigint> {
    return BigInt(String((await this.#connection.command(['GET', `${this.#prefix}rev`])) ?? '0'));
  }

  watch(options: WatchOptions): AsyncIterable<WatchEvent> {
    return watchStore(this, options);
  }

  async position(): Promise<WatchPosition> {
    const position = await readPosition(this.#connection, this.#prefix);
    // The feed learns of a new epoch on a connection of its own; a watch begins when both agree.
    if (this.#feed.epoch !== position.epoch) {
      await this.#feed.waitBeyond(
        { epoch: this.#feed.epoch, revision: 2n ** 64n },
        AbortSignal.timeout(5_000),
      );
    }
    return position;
  }

  async changesAfter(revision: bigint, limit: number): Promise<readonly StoreChange[] | 'gone'> {
    const recent = this.#feed.recentAfter(revision, limit);
    if (recent !== undefined) return recent;
    const range = [`${revision + 1n}-0`, '+', 'COUNT', String(limit)];
    const changes = decodeEntries(
      listOf(await this.#connection.command(['XRANGE', `${this.#prefix}log`, ...range])),
    );
    const first = changes[0];
    if (first === undefined) return (await this.revision()) > revision ? 'gone' : [];
    return first.revision === revision + 1n ? changes : 'gone';
  }

  waitBeyond(position: WatchPosition, signal: AbortSignal): Promise<void> {
    return this.#feed.waitBeyond(position, signal);
  }

  async allot(space: IdSpace, keys: readonly string[], pending = false): Promise<number[]> {
    if (keys.length === 0) return [];
    const { first, last } = idRangeOf(space);
    const args = [
      space,
      String(first),
      String(last),
      String(pending ? this.#pendingIdMs : 0),
      String(this.#idQuarantineMs),
      ...keys,
    ];
    const reply = listOf(await this.#connection.call('allot', this.#prefix, args)).map(String);
    if (reply[0] === 'exhausted') {
      throw new ContrailError(
        'RESOURCE_EXHAUSTED',
        `numeric ids of space ${space}: all of ${first} to ${last} are in use or were until lately; delete objects that are not needed, and wait a day`,
      );
    }
    return reply.map(Number);
  }

  async reportProgress(nodes: readonly NodeProgress[]): Promise<void> {
    if (nodes.length === 0) return;
    const fields = nodes.flatMap((node) => [
      node.node,
      Buffer.from(NodeProgress.encode(node).finish()),
    ]);
    await this.#connection.command(['HSET', `${this.#prefix}progress`, ...fields]);
  }

  async progress(): Promise<NodeProgress[]> {
    const values = listOf(await this.#connection.command(['HVALS', `${this.#prefix}progress`]));
    const nodes = values.flatMap((value) =>
      Buffer.isBuffer(value) ? [NodeProgress.decode(value)] : [],
    );
    return nodes.sort((a, b) => (a.node < b.node ? -1 : 1));
  }

  async forgetProgress(nodes: readonly string[]): Promise<void> {
    if (nodes.length > 0)
      await this.#connection.command(['HDEL', `${this.#prefix}progress`, ...nodes]);
  }

  async getText(key: string): Promise<string | undefined> {
    const text = await this.#connection.command(['HGET', `${this.#prefix}texts`, key]);
    return text === null || text === undefined ? undefined : String(text);
  }

  async setText(key: string, text: string): Promise<void> {
    const hash = `${this.#prefix}texts`;
    const count = Number(await this.#connection.command(['HLEN', hash]));
    if (count >= textsMax && (await this.getText(key)) === undefined) throw tooManyTexts();
    await this.#connection.command(['HSET', hash, key, text]);
  }

  async deleteText(key: string): Promise<boolean> {
    return Number(await this.#connection.command(['HDEL', `${this.#prefix}texts`, key])) > 0;
  }

  async texts(): Promise<{ readonly key: string; readonly text: string }[]> {
    const hash = `${this.#prefix}texts`;
    const keys = listOf(await this.#connection.command(['HKEYS', hash])).map(String).sort();
    const texts = await Promise.all(keys.map((key) => this.getText(key)));
    return keys.flatMap((key, i) => {
      const text = texts[i];
      return text === undefined ? [] : [{ key, text }];
    });
  }

  async problems(): Promise<string[]> {
    try {
      await this.#connection.command([
        'SET',
        `${this.#prefix}probe`,
        String(Date.now()),
        'PX',
        '60000',
      ]);
      return [];
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#feed.close(), this.#connection.close()]);
  }
}
