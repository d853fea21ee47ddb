import { LRUCache } from 'lru-cache';
import { childFqName } from '@contrail/resource-model';
import type { ResourceType } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { listOf } from './change-feed';
import { nameKey, typeNumber, uuidOfMember } from './keys';
import type { DependentKind } from './keys';
import { ReadQueue } from './read-queue';
import type { RedisConnection } from './redis/connection';
import type { ListQuery, StoredPage, TypedName } from './store';
import { parseStored } from './stored-object';
import type { StoredObject } from './stored-object';

const pageBytesMax = 1_048_576;
/** Objects that many others refer to (networks, projects) are read again and again. */
const keptMax = 1_024;
const keptBytesMax = 16_384;

/** Reads of objects and their indexes. */
export class ObjectReader {
  readonly #connection: RedisConnection;
  readonly #prefix: string;
  readonly #values: ReadQueue;
  /** Decoded once while they stay as they are. */
  readonly #kept = new LRUCache<string, StoredObject>({ max: keptMax });

  constructor(connection: RedisConnection, prefix: string) {
    this.#connection = connection;
    this.#prefix = prefix;
    this.#values = new ReadQueue(connection);
  }

  /** In the order of the uuids. */
  async getStored(uuids: readonly string[]): Promise<(StoredObject | undefined)[]> {
    if (uuids.length === 0) return [];
    const keys = uuids.map((uuid) => `${this.#prefix}o:${uuid}`);
    const values = await this.#values.read(keys);
    return values.map((value) => (Buffer.isBuffer(value) ? parseStored(value) : undefined));
  }

  async getMany(uuids: readonly string[]): Promise<(Resource | undefined)[]> {
    const objects = await this.getStored(uuids);
    return objects.map((object, i) => object && this.#keep(uuids[i] ?? '', object).resource);
  }

  async findUuids(names: readonly TypedName[]): Promise<(string | undefined)[]> {
    return await Promise.all(
      names.map(async ({ type, fqName }) => {
        const key = nameKey(fqName);
        const range = [`[${key}\0`, `(${key}\u0001`, 'LIMIT', '0', '1'];
        const members = listOf(
          await this.#connection.command(['ZRANGEBYLEX', this.#names(type), ...range]),
        );
        return members.length === 0 ? undefined : uuidOfMember(String(members[0]));
      }),
    );
  }

  async listStored(query: ListQuery): Promise<StoredPage> {
    const { from, to } = rangeOf(query);
    const limit = ['LIMIT', '0', String(query.limit)];
    const range = ['ZRANGEBYLEX', this.#names(query.type), from, to, ...limit];
    const members = listOf(await this.#connection.command(range)).map(String);
    const values = await this.getStored(members.map(uuidOfMember));
    const objects: StoredObject[] = [];
    let bytes = 0;
    let taken = 0;
    for (const object of values) {
      const size = object?.size ?? 0;
      if (taken > 0 && bytes + size > pageBytesMax) break;
      bytes += size;
      taken += 1;
      // Deleted between the two commands: not on the page.
      if (object !== undefined) objects.push(object);
    }
    const complete = taken === members.length && members.length < query.limit;
    return {
      objects: childrenOf(objects, query),
      next: complete ? '' : encodeToken(members[taken - 1]),
    };
  }

  async dependents(uuid: string, kind: DependentKind, limit: number): Promise<string[]> {
    const range = [`[${kind}`, `(${kind}~`, 'LIMIT', '0', String(limit)];
    const key = `${this.#prefix}d:${uuid}`;
    const members = await this.#connection.command(['ZRANGEBYLEX', key, ...range]);
    return listOf(members).map((member) => String(member).slice(1));
  }

  /** The same state as it was decoded before, when it was. */
  #keep(uuid: string, object: StoredObject): StoredObject {
    const known = this.#kept.get(uuid);
    if (known?.equals(object) === true) return known;
    if (object.size > keptBytesMax) return object;
    const copy = object.detached();
    this.#kept.set(uuid, copy);
    return copy;
  }

  #names(type: ResourceType): string {
    return `${this.#prefix}n:${typeNumber(type)}`;
  }
}

/** Range of name keys: everything, or what begins with the parent's name; after the page before. */
function rangeOf({ parent, after }: ListQuery): { from: string; to: string } {
  const prefix = parent === undefined ? '' : nameKey(childFqName(parent, ''));
  const from = after === '' ? (prefix === '' ? '-' : `[${prefix}`) : `(${decodeToken(after)}`;
  // The separator is 0x1f, so 0x20 ends the range of one parent.
  return { from, to: prefix === '' ? '+' : `(${prefix.slice(0, -1)} ` };
}

/** Two types of parents can have equal names, so the parent itself decides. */
function childrenOf(objects: StoredObject[], { parent }: ListQuery): StoredObject[] {
  if (parent === undefined) return objects;
  return objects.filter(({ resource }) => resource.kind?.value.meta?.parentUuid === parent.uuid);
}

function encodeToken(member: string | undefined): string {
  return Buffer.from(member ?? '', 'utf8').toString('base64url');
}

function decodeToken(token: string): string {
  return Buffer.from(token, 'base64url').toString('utf8');
}
