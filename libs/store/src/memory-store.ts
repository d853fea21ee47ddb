import { ContrailError } from '@contrail/errors';
import { idRangeOf, metaOf, setMeta, typeOf } from '@contrail/resource-model';
import type { IdSpace, ResourceType } from '@contrail/resource-model';
import { NodeProgress } from '@contrail/proto-gen/config/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { nameKey, namesBelow } from './keys';
import type { DependentKind } from './keys';
import type {
  CountLimit,
  Dependent,
  ListQuery,
  Page,
  ResourceStore,
  StoreChange,
  StoredPage,
  TransactionFailure,
  TransactionRequest,
  TransactionResult,
  TypedName,
  WatchEvent,
  WatchOptions,
  WatchPosition,
  Write,
} from './store';
import { textsMax, tooManyTexts } from './store';
import { StoredObject } from './stored-object';
import { dependenciesOf, storedBytes, subjectOf } from './transaction-request';
import { watchStore } from './watch';
import type { ChangeSource } from './watch';

/** The contract of the store in memory, for tests of what uses it; nothing is durable. */
export class MemoryStore implements ResourceStore, ChangeSource {
  readonly epoch = 'memory';
  readonly #objects = new Map<string, Resource>();
  readonly #log: StoreChange[] = [];
  readonly #ids = new Map<IdSpace, Map<string, number>>();
  readonly #progress = new Map<string, NodeProgress>();
  readonly #texts = new Map<string, string>();
  readonly #waiting = new Set<() => void>();

  getMany(uuids: readonly string[]): Promise<(Resource | undefined)[]> {
    return Promise.resolve(uuids.map((uuid) => copyOf(this.#objects.get(uuid))));
  }

  getStored(uuids: readonly string[]): Promise<(StoredObject | undefined)[]> {
    const found = uuids.map((uuid) => this.#objects.get(uuid));
    return Promise.resolve(found.map((resource) => resource && toStored(resource)));
  }

  findUuids(names: readonly TypedName[]): Promise<(string | undefined)[]> {
    return Promise.resolve(names.map((name) => holderOf(this.#objects, name)));
  }

  list(query: ListQuery): Promise<Page> {
    const sorted = [...this.#objects.values()]
      .filter((resource) => typeOf(resource) === query.type)
      .filter(
        (resource) =>
          query.parent === undefined || metaOf(resource).parentUuid === query.parent.uuid,
      )
      .sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
      .filter((resource) => query.after === '' || sortKey(resource) > query.after);
    const resources = sorted.slice(0, query.limit).map((resource) => copyOf(resource) ?? resource);
    const last = resources.at(-1);
    return Promise.resolve({
      resources,
      next: sorted.length > resources.length && last !== undefined ? sortKey(last) : '',
    });
  }

  async listStored(query: ListQuery): Promise<StoredPage> {
    const { resources, next } = await this.list(query);
    return { objects: resources.map(toStored), next };
  }

  dependents(uuid: string, kind: DependentKind, limit: number): Promise<string[]> {
    const found = dependentsOf(this.#objects, uuid).filter((dependent) => dependent.kind === kind);
    return Promise.resolve(
      found
        .map((dependent) => dependent.uuid)
        .sort()
        .slice(0, limit),
    );
  }

  transact(request: TransactionRequest): Promise<TransactionResult> {
    const after = new Map(this.#objects);
    const failure =
      revisionFailure(this.#objects, request.writes) ??
      applyWrites(after, request.writes) ??
      targetFailure(after, request.writes) ??
      heldFailure(after, request.writes) ??
      limitFailure(this.#objects, request.limits ?? []) ??
      this.#claimFailure(request);
    if (failure !== undefined) return Promise.resolve({ ok: false, failure });
    const objects = request.writes.map((write) => this.#record(write, request.traceparent));
    for (const { space, key } of request.frees) this.#ids.get(space)?.delete(key);
    for (const wake of [...this.#waiting]) wake();
    return Promise.resolve({ ok: true, revision: BigInt(this.#log.length), objects });
  }

  revision(): Promise<bigint> {
    return Promise.resolve(BigInt(this.#log.length));
  }

  watch(options: WatchOptions): AsyncIterable<WatchEvent> {
    return watchStore(this, options);
  }

  position(): Promise<WatchPosition> {
    return Promise.resolve({ epoch: this.epoch, revision: BigInt(this.#log.length) });
  }

  changesAfter(revision: bigint, limit: number): Promise<readonly StoreChange[] | 'gone'> {
    return Promise.resolve(this.#log.slice(Number(revision), Number(revision) + limit));
  }

  async waitBeyond({ revision }: WatchPosition, signal: AbortSignal): Promise<void> {
    if (BigInt(this.#log.length) > revision || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  allot(space: IdSpace, keys: readonly string[]): Promise<number[]> {
    const ids = this.#ids.get(space) ?? new Map<string, number>();
    this.#ids.set(space, ids);
    const { first, last } = idRangeOf(space);
    return Promise.resolve(
      keys.map((key) => {
        const id = ids.get(key) ?? Math.max(first - 1, ...ids.values()) + 1;
        if (id > last)
          throw new ContrailError(
            'RESOURCE_EXHAUSTED',
            `numeric ids of space ${space}: all are in use`,
          );
        ids.set(key, id);
        return id;
      }),
    );
  }

  reportProgress(nodes: readonly NodeProgress[]): Promise<void> {
    for (const node of nodes) this.#progress.set(node.node, NodeProgress.fromPartial(node));
    return Promise.resolve();
  }

  progress(): Promise<NodeProgress[]> {
    return Promise.resolve([...this.#progress.values()].sort((a, b) => (a.node < b.node ? -1 : 1)));
  }

  forgetProgress(nodes: readonly string[]): Promise<void> {
    for (const node of nodes) this.#progress.delete(node);
    return Promise.resolve();
  }

  getText(key: string): Promise<string | undefined> {
    return Promise.resolve(this.#texts.get(key));
  }

  setText(key: string, text: string): Promise<void> {
    if (this.#texts.size >= textsMax && !this.#texts.has(key)) return Promise.reject(tooManyTexts());
    this.#texts.set(key, text);
    return Promise.resolve();
  }

  deleteText(key: string): Promise<boolean> {
    return Promise.resolve(this.#texts.delete(key));
  }

  texts(): Promise<{ readonly key: string; readonly text: string }[]> {
    const sorted = [...this.#texts].sort(([a], [b]) => (a < b ? -1 : 1));
    return Promise.resolve(sorted.map(([key, text]) => ({ key, text })));
  }

  problems(): Promise<string[]> {
    return Promise.resolve([]);
  }

  close(): Promise<void> {
    for (const wake of [...this.#waiting]) wake();
    return Promise.resolve();
  }

  #claimFailure({ claims }: TransactionRequest): TransactionFailure | undefined {
    const lost = claims.some(({ space, key, id }) => this.#ids.get(space)?.get(key) !== id);
    return lost ? { kind: 'claim-lost' } : undefined;
  }

  #record(write: Write, traceparent: string): StoredObject | undefined {
    if (write.kind === 'check') return undefined;
    const subject = subjectOf(write);
    const { uuid } = metaOf(subject);
    const type = typeOf(subject);
    const revision = BigInt(this.#log.length + 1);
    const object =
      write.kind === 'put'
        ? new StoredObject(type, revision, storedBytes(write.resource))
        : undefined;
    if (object === undefined) this.#objects.delete(uuid);
    else this.#objects.set(uuid, object.resource);
    const traced = write.traceparent ?? traceparent;
    this.#log.push({ revision, type, uuid, object, traceparent: traced });
    return object;
  }
}

type Objects = ReadonlyMap<string, Resource>;

function toStored(resource: Resource): StoredObject {
  return new StoredObject(typeOf(resource), metaOf(resource).revision, storedBytes(resource));
}

function copyOf(resource: Resource | undefined): Resource | undefined {
  return resource === undefined ? undefined : setMeta(resource, { ...metaOf(resource) });
}

function sortKey(resource: Resource): string {
  return `${nameKey(metaOf(resource).fqName)}\0${metaOf(resource).uuid}`;
}

function holderOf(objects: Objects, { type, fqName }: TypedName): string | undefined {
  const key = nameKey(fqName);
  for (const [uuid, resource] of objects) {
    if (typeOf(resource) === type && nameKey(metaOf(resource).fqName) === key) return uuid;
  }
  return undefined;
}

function dependentsOf(objects: Objects, uuid: string): Dependent[] {
  return [...objects].flatMap(([source, resource]) =>
    dependenciesOf(resource)
      .filter(({ target }) => target === uuid)
      .map(({ kind }) => ({ kind, uuid: source })),
  );
}

function revisionFailure(
  objects: Objects,
  writes: readonly Write[],
): TransactionFailure | undefined {
  for (const [index, write] of writes.entries()) {
    const stored = objects.get(metaOf(subjectOf(write)).uuid);
    const expected = write.previous === undefined ? 0n : metaOf(write.previous).revision;
    if ((stored === undefined ? 0n : metaOf(stored).revision) === expected) continue;
    if (expected === 0n && stored !== undefined)
      return { kind: 'uuid-taken', write: index, type: typeOf(stored) };
    return { kind: 'conflict', write: index };
  }
  return undefined;
}

/** Deletions first: a name freed in the transaction can be taken in it. */
function applyWrites(
  objects: Map<string, Resource>,
  writes: readonly Write[],
): TransactionFailure | undefined {
  for (const write of writes) {
    if (write.kind === 'delete') objects.delete(metaOf(write.previous).uuid);
  }
  for (const [index, write] of writes.entries()) {
    if (write.kind !== 'put') continue;
    const { uuid, fqName } = metaOf(write.resource);
    if (write.previous === undefined) {
      const holder = holderOf(objects, { type: typeOf(write.resource), fqName });
      if (holder !== undefined) return { kind: 'name-taken', write: index, uuid: holder };
    }
    objects.set(uuid, write.resource);
  }
  return undefined;
}

function targetFailure(objects: Objects, writes: readonly Write[]): TransactionFailure | undefined {
  const isA = (uuid: string, type: ResourceType): boolean => {
    const target = objects.get(uuid);
    return target !== undefined && typeOf(target) === type;
  };
  for (const [index, write] of writes.entries()) {
    if (write.kind !== 'put') continue;
    const missing = dependenciesOf(write.resource).find(({ target, type }) => !isA(target, type));
    if (missing === undefined) continue;
    const kind = missing.kind === 'c' ? 'parent-missing' : 'reference-missing';
    return { kind, write: index, uuid: missing.target };
  }
  return undefined;
}

function heldFailure(objects: Objects, writes: readonly Write[]): TransactionFailure | undefined {
  for (const [index, write] of writes.entries()) {
    if (write.kind !== 'delete') continue;
    const dependents = dependentsOf(objects, metaOf(write.previous).uuid);
    if (dependents.length === 0) continue;
    return {
      kind: 'held',
      write: index,
      count: dependents.length,
      dependents: dependents.slice(0, 3),
    };
  }
  return undefined;
}

function limitFailure(
  objects: Objects,
  limits: readonly CountLimit[],
): TransactionFailure | undefined {
  for (const [limit, { type, of, added, max }] of limits.entries()) {
    const counts = (resource: Resource): boolean =>
      of.kind === 'named'
        ? nameKey(metaOf(resource).fqName).startsWith(namesBelow(of.fqName).from)
        : dependenciesOf(resource).some(({ kind, target }) => kind === 's' && target === of.uuid);
    const found = [...objects.values()].filter((resource) => typeOf(resource) === type && counts(resource));
    if (found.length + added > max) return { kind: 'over-limit', limit };
  }
  return undefined;
}
