import { typeNames } from '@contrail/resource-model';
import type { ResourceType } from '@contrail/resource-model';
import type {
  ListQuery,
  StoreChange,
  StoredPage,
  WatchEvent,
  WatchOptions,
  WatchPosition,
} from './store';

/** What a watch needs of a store. */
export interface ChangeSource {
  /** Where the store is now, asked from the server itself. @throws ContrailError UNAVAILABLE */
  position(): Promise<WatchPosition>;
  /** Last known epoch, without asking. */
  readonly epoch: string;
  /** The next changes in order; 'gone' when the log does not reach back so far. */
  changesAfter(revision: bigint, limit: number): Promise<readonly StoreChange[] | 'gone'>;
  /** Resolves when there may be changes after the position, the epoch moved, or the signal is aborted. */
  waitBeyond(position: WatchPosition, signal: AbortSignal): Promise<void>;
  listStored(query: ListQuery): Promise<StoredPage>;
}

const snapshotObjectsMax = 500;
const changesMax = 1000;
const batchBytesMax = 1_048_576;
/** A watcher learns this much later, at most, that the store moved on by changes of other types. */
const positionDelayMs = 100;

/**
 * Snapshot, `in-sync`, changes. The snapshot is read in pages while others write; what changed meanwhile
 * is sent again before `in-sync`, so that at `in-sync` nothing is missing. Objects deleted meanwhile may
 * have been sent: the first changes remove them.
 */
export async function* watchStore(
  source: ChangeSource,
  options: WatchOptions,
): AsyncGenerator<WatchEvent> {
  const types = new Set(options.types.length === 0 ? typeNames : options.types);
  let position: WatchPosition;
  if (options.resume === undefined) {
    const taken = yield* snapshot(source, types);
    if (taken === undefined) return;
    position = taken;
  } else {
    const reason = await resumeProblem(source, options.resume);
    if (reason !== undefined) {
      yield { kind: 'resync', reason };
      return;
    }
    position = options.resume;
    yield { kind: 'in-sync', position };
  }
  yield* follow(source, types, { position, signal: options.signal });
}

async function resumeProblem(
  source: ChangeSource,
  resume: WatchPosition,
): Promise<string | undefined> {
  const now = await source.position();
  if (resume.epoch !== now.epoch) return 'the store began a new epoch: it may have lost writes';
  if (resume.revision > now.revision) return 'the position lies in the future of the store';
  const next = await source.changesAfter(resume.revision, 1);
  return next === 'gone' ? 'the change log does not reach back to the position' : undefined;
}

async function* snapshot(
  source: ChangeSource,
  types: ReadonlySet<ResourceType>,
): AsyncGenerator<WatchEvent, WatchPosition | undefined> {
  const start = await source.position();
  for (const type of typeNames.filter((name) => types.has(name))) {
    let after = '';
    do {
      const page = await source.listStored({ type, after, limit: snapshotObjectsMax });
      if (page.objects.length > 0) yield { kind: 'snapshot', objects: page.objects };
      after = page.next;
    } while (after !== '');
  }
  const end = await source.position();
  const missed = await changesBetween(source, start.revision, end.revision);
  if (end.epoch !== start.epoch || missed === 'gone') {
    yield { kind: 'resync', reason: 'the store moved on too far while the snapshot was read' };
    return undefined;
  }
  const last = new Map(
    missed.filter(({ type }) => types.has(type)).map((change) => [change.uuid, change]),
  );
  const changed = [...last.values()];
  for (const batch of batches(changed, snapshotObjectsMax)) {
    const objects = batch.flatMap(({ object }) => object ?? []);
    if (objects.length > 0) yield { kind: 'snapshot', objects };
  }
  const deleted = changed.filter(({ object }) => object === undefined);
  // A watcher that breaks off before the deletions resumes at the start and gets them again.
  yield { kind: 'in-sync', position: deleted.length > 0 ? start : end };
  for (const batch of batches(deleted, changesMax))
    yield { kind: 'changes', changes: batch, position: end };
  return end;
}

async function changesBetween(
  source: ChangeSource,
  after: bigint,
  until: bigint,
): Promise<readonly StoreChange[] | 'gone'> {
  const collected: StoreChange[] = [];
  let revision = after;
  while (revision < until) {
    const changes = await source.changesAfter(revision, changesMax);
    if (changes === 'gone') return 'gone';
    const last = changes.at(-1);
    if (last === undefined) return 'gone';
    collected.push(...changes.filter((change) => change.revision <= until));
    revision = last.revision;
  }
  return collected;
}

async function* follow(
  source: ChangeSource,
  types: ReadonlySet<ResourceType>,
  start: { readonly position: WatchPosition; readonly signal: AbortSignal },
): AsyncGenerator<WatchEvent> {
  const { signal } = start;
  let { position } = start;
  /** Since when the watcher does not know the position. */
  let behindSinceMs: number | undefined;
  while (!signal.aborted) {
    if (source.epoch !== position.epoch) {
      yield { kind: 'resync', reason: 'the store began a new epoch: it may have lost writes' };
      return;
    }
    const changes = await source.changesAfter(position.revision, changesMax);
    if (changes === 'gone') {
      yield { kind: 'resync', reason: 'the watcher fell behind the change log' };
      return;
    }
    const revision = changes.at(-1)?.revision;
    if (revision === undefined && behindSinceMs === undefined) {
      await source.waitBeyond(position, signal);
      continue;
    }
    position = { epoch: position.epoch, revision: revision ?? position.revision };
    const wanted = [...batches(changes.filter(({ type }) => types.has(type)), changesMax)];
    if (wanted.length === 0) {
      behindSinceMs ??= performance.now();
      const leftMs = behindSinceMs + positionDelayMs - performance.now();
      if (leftMs > 0) {
        if (revision === undefined) await waitBriefly(source, { position, ms: leftMs, signal });
        continue;
      }
      yield { kind: 'changes', changes: [], position };
    }
    for (const batch of wanted) {
      const isLast = batch === wanted.at(-1);
      yield { kind: 'changes', changes: batch, position: isLast ? position : { ...position, revision: batch.at(-1)?.revision ?? position.revision } };
    }
    behindSinceMs = undefined;
  }
}

/** As `waitBeyond`, for so long at most. */
async function waitBriefly(
  source: ChangeSource,
  { position, ms, signal }: { readonly position: WatchPosition; readonly ms: number; readonly signal: AbortSignal },
): Promise<void> {
  const pause = new AbortController();
  const end = (): void => pause.abort();
  const timer = setTimeout(end, ms);
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  try {
    await source.waitBeyond(position, pause.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}

/** Batches bounded in number and in bytes; a single larger change makes a batch of its own. */
function* batches(changes: readonly StoreChange[], countMax: number): Generator<StoreChange[]> {
  let batch: StoreChange[] = [];
  let bytes = 0;
  for (const change of changes) {
    const size = change.object?.size ?? 0;
    if (batch.length > 0 && (batch.length === countMax || bytes + size > batchBytesMax)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(change);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
