import { ContrailError } from '@contrail/errors';
import {
  describe,
  encodeResource,
  limits,
  metaOf,
  refsOf,
  setMeta,
  typeOf,
} from '@contrail/resource-model';
import type { ResourceType } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { nameKey, namesBelow, typeNumber } from './keys';
import type { DependentKind } from './keys';
import type { CountLimit, TransactionRequest, Write } from './store';

/** How one object depends on another. */
export interface Dependency {
  readonly type: ResourceType;
  readonly target: string;
  readonly kind: DependentKind;
}

/** Changes of the dependencies of an object: what to enter at the targets, what to remove there. */
export interface DependencyChange {
  readonly added: readonly Dependency[];
  readonly removed: readonly Dependency[];
}

/** Parent and references. */
export function dependenciesOf(resource: Resource): Dependency[] {
  const { parentType, parentUuid } = metaOf(resource);
  const references = refsOf(resource).map(({ type, uuid, weak }): Dependency => ({
    type,
    target: uuid,
    kind: weak ? 'w' : 's',
  }));
  if (parentUuid === '') return references;
  return [{ type: parentType as ResourceType, target: parentUuid, kind: 'c' }, ...references];
}

export function dependencyChange(
  before: Resource | undefined,
  after: Resource | undefined,
): DependencyChange {
  const old = before === undefined ? [] : dependenciesOf(before);
  const now = after === undefined ? [] : dependenciesOf(after);
  const has = (list: readonly Dependency[], { target, kind }: Dependency): boolean =>
    list.some((other) => other.target === target && other.kind === kind);
  return {
    added: now.filter((dependency) => !has(old, dependency)),
    removed: old.filter((dependency) => !has(now, dependency)),
  };
}

/** Bytes as they are stored: without the revision, which stands beside them. */
export function storedBytes(resource: Resource): Buffer {
  const meta = metaOf(resource);
  const bytes = encodeResource(
    meta.revision === 0n ? resource : setMeta(resource, { ...meta, revision: 0n }),
  );
  if (bytes.length > limits.resourceBytesMax) {
    throw new ContrailError(
      'INVALID_ARGUMENT',
      `${describe(resource)}: has ${bytes.length} bytes, but at most ${limits.resourceBytesMax} are stored; ` +
        'split the object or shorten its lists',
    );
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** The object that a write is about, as it was or will be. */
export function subjectOf(write: Write): Resource {
  return write.kind === 'put' ? write.resource : write.previous;
}

/** The object that a put stores. */
interface StoredValue {
  readonly type: ResourceType;
  readonly bytes: Buffer;
}

/** A transaction as the function `commit` takes it. */
export interface EncodedTransaction {
  /** JSON, see functions/commit.ts. */
  readonly description: string;
  /** What each write stores; undefined for deletions and checks. */
  readonly values: readonly (StoredValue | undefined)[];
  /** Of the description and the values. */
  readonly bytes: number;
}

export function encodeTransaction(
  request: TransactionRequest,
  logLength: number,
): EncodedTransaction {
  const description = JSON.stringify({
    writes: request.writes.map(encodeWrite),
    claims: request.claims.map(({ space, key, id }) => [space, key, id]),
    frees: request.frees.map(({ space, key }) => [space, key]),
    guards: (request.guards ?? []).map((guard) => ({ ...guard, write: guard.write + 1 })),
    limits: (request.limits ?? []).map(encodeLimit),
    traceparent: request.traceparent,
    logLength,
  });
  const values = request.writes.map((write) =>
    write.kind === 'put'
      ? { type: typeOf(write.resource), bytes: storedBytes(write.resource) }
      : undefined,
  );
  const bytes = values.reduce((sum, value) => sum + (value?.bytes.length ?? 0), description.length);
  return { description, values, bytes };
}

/** A type's names are counted between two keys, referrers one by one. */
function encodeLimit({ type, of, added, max }: CountLimit): Record<string, unknown> {
  const common = { t: typeNumber(type), added, max };
  return of.kind === 'referrers'
    ? { ...common, referred: of.uuid }
    : { ...common, ...namesBelow(of.fqName) };
}

function encodeWrite(write: Write): Record<string, unknown> {
  const subject = subjectOf(write);
  const meta = metaOf(subject);
  const common = {
    t: typeNumber(typeOf(subject)),
    u: meta.uuid,
    n: nameKey(meta.fqName),
    e: Number(write.previous === undefined ? 0n : metaOf(write.previous).revision),
  };
  if (write.kind === 'check') return { k: 'check', ...common };
  const traced = write.traceparent === undefined ? {} : { tp: write.traceparent };
  const { added, removed } = dependencyChange(
    write.previous,
    write.kind === 'put' ? write.resource : undefined,
  );
  const pair = ({ target, kind }: Dependency): string[] => [target, kind];
  const changes = { add: added.map(pair), rm: removed.map(pair) };
  if (write.kind === 'delete') return { k: 'del', ...common, ...traced, ...changes };
  const parent = added.find(({ kind }) => kind === 'c');
  return {
    k: 'put',
    ...common,
    ...traced,
    ...changes,
    ...(parent === undefined ? {} : { p: [typeNumber(parent.type), parent.target] }),
    refs: added
      .filter(({ kind }) => kind !== 'c')
      .map(({ type, target }) => [typeNumber(type), target]),
  };
}
