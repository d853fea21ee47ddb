import { ContrailError } from '@contrail/errors';
import { backoffDelayMs, systemClock } from '@contrail/reconcile';
import type { BackoffPolicy, Clock } from '@contrail/reconcile';
import { linkSignal } from './deadline';
import { kubeObjectName, kubePath } from './kube-kind';
import type { KubeKind, KubeObject } from './kube-kind';
import { toQuery } from './kube-client';
import type { KubeClient } from './kube-client';
import { readLines } from './kube-transport';
import { parseWatchEvent } from './watch-event';

/** An object as the reflector keeps it: the projection, not the full object. */
export interface Reflected<T> {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly value: T;
}

/**
 * How a change became known: by a list (start, or after the position was lost) or by a watch event.
 */
export type ReflectorEvent = 'listed' | 'added' | 'modified' | 'deleted';

export interface ReflectorHandlers<T> {
  /** The object is new or changed. Called synchronously: only marks work to do. */
  upsert(key: string, object: Reflected<T>, event: ReflectorEvent, previous: Reflected<T> | undefined): void;
  delete(key: string, last: Reflected<T>, event: ReflectorEvent): void;
  /** A list is complete: the snapshot is what the cluster has. Called again after each further list. */
  synced(): void;
}

export interface ReflectorOptions<Raw extends KubeObject, T> {
  readonly client: KubeClient;
  readonly kind: KubeKind<Raw>;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Keeps the fields that are used; undefined: this object does not concern us. Must not throw. */
  readonly project: (raw: Raw) => T | undefined;
  readonly handlers: ReflectorHandlers<T>;
  /** Told of every failure, which is retried. */
  readonly onProblem?: (error: unknown) => void;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly pageSize?: number;
  readonly backoff?: BackoffPolicy;
}

/** Retries of lists and watches: quick at first, never in step with others. */
const reflectorBackoff: BackoffPolicy = { firstMs: 200, maxMs: 30_000, factor: 2, jitter: 0.7 };
const lineBytesMax = 32 * 1024 * 1024;
/** The API server ends a watch after a random time between these. */
const watchSecondsMin = 300;
const watchSecondsMax = 600;
/** Lines handled before other work gets its turn. */
const linesPerTurn = 200;

/**
 * A projected copy of one collection, kept up to date: paged list, then watch with bookmarks, resumed from the
 * last resourceVersion when it ends, and a new list when that position is too old. Slow handlers slow the
 * reading down (TCP flow control), nothing is queued here.
 */
export class Reflector<Raw extends KubeObject, T> {
  private readonly objects = new Map<string, Reflected<T>>();
  private readonly stopping = new AbortController();
  private readonly clock: Clock;
  private readonly random: () => number;
  private readonly subject: string;
  private running: Promise<void> | undefined;
  private position = '';
  private failures = 0;
  private isSynced = false;
  private trouble: string | undefined = 'has not listed yet';
  private isUnserved = false;
  /** After a continue token expired, the next list is not paged: it cannot expire again. */
  private listWhole = false;

  constructor(private readonly options: ReflectorOptions<Raw, T>) {
    this.clock = options.clock ?? systemClock;
    this.random = options.random ?? Math.random;
    this.subject = kubeObjectName(options.kind, { namespace: options.namespace });
  }

  start(): void {
    this.running ??= this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('the reflector is stopping'));
    await this.running;
  }

  /** Objects by `namespace/name`, or `name` for kinds without namespace. */
  get snapshot(): ReadonlyMap<string, Reflected<T>> {
    return this.objects;
  }

  /** The first list is complete. */
  get synced(): boolean {
    return this.isSynced;
  }

  /** Why the snapshot may be out of date; undefined while the watch runs. */
  get problem(): string | undefined {
    return this.trouble === undefined ? undefined : `${this.subject}: ${this.trouble}`;
  }

  /** The API server does not know the collection, as when its CRD is not installed. */
  get absent(): boolean {
    return this.isUnserved;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        if (this.position === '') await this.list();
        const openedAtMs = this.clock.now();
        const lines = await this.watch();
        const endedAtOnce = lines === 0 && this.clock.now() - openedAtMs < 1000;
        if (endedAtOnce) throw new ContrailError('UNAVAILABLE', `watch ${this.subject}: ended as soon as it began`);
        this.failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        await this.recover(error);
      }
    }
  }

  private async recover(error: unknown): Promise<void> {
    const expired = error instanceof ContrailError && error.code === 'OUT_OF_RANGE';
    const unreadable = error instanceof ContrailError && error.code === 'DATA_LOSS';
    if (expired || unreadable) this.position = '';
    this.isUnserved = error instanceof ContrailError && error.code === 'NOT_FOUND';
    this.failures += 1;
    this.trouble = error instanceof Error ? error.message : String(error);
    this.options.onProblem?.(error);
    const policy = this.options.backoff ?? reflectorBackoff;
    const delayMs = backoffDelayMs(policy, this.failures, this.random());
    await this.clock.sleep(delayMs, this.stopping.signal).catch(() => undefined);
  }

  private async list(): Promise<void> {
    const { client, kind, namespace, labelSelector, fieldSelector, pageSize = 500 } = this.options;
    const seen = new Set<string>();
    let continueToken = '';
    let position = '';
    do {
      const page = await client
        .list(kind, {
          namespace,
          labelSelector,
          fieldSelector,
          limit: this.listWhole ? undefined : pageSize,
          continueToken,
          deadlineMs: 60_000,
          signal: this.stopping.signal,
        })
        .catch((error: unknown) => {
          if (continueToken !== '') this.listWhole = true;
          throw error;
        });
      for (const raw of page.items) {
        const key = this.apply(raw, 'listed');
        if (key !== undefined) seen.add(key);
      }
      position = page.resourceVersion;
      continueToken = page.continueToken;
    } while (continueToken !== '');
    for (const [key, object] of [...this.objects]) if (!seen.has(key)) this.remove(key, object, 'listed');
    this.listWhole = false;
    this.position = position;
    this.isSynced = true;
    this.isUnserved = false;
    this.options.handlers.synced();
  }

  /** @returns lines read until the API server ended the watch. */
  private async watch(): Promise<number> {
    const { client, kind, namespace, labelSelector, fieldSelector } = this.options;
    const seconds = Math.round(watchSecondsMin + this.random() * (watchSecondsMax - watchSecondsMin));
    const query = toQuery({
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion: this.position,
      timeoutSeconds: seconds,
      labelSelector,
      fieldSelector,
    });
    const link = linkSignal(this.stopping.signal, (seconds + 30) * 1000);
    let lines = 0;
    try {
      const response = await client.openWatch(`${kubePath(kind, { namespace })}${query}`, this.subject, link.signal);
      this.trouble = undefined;
      for await (const line of readLines(response, lineBytesMax)) {
        this.onLine(line);
        this.failures = 0;
        lines += 1;
        if (lines % linesPerTurn === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      return lines;
    } catch (cause) {
      if (cause instanceof ContrailError) throw cause;
      throw new ContrailError('UNAVAILABLE', `watch ${this.subject}: the connection broke`, { cause });
    } finally {
      link.release();
    }
  }

  private onLine(line: string): void {
    const event = parseWatchEvent<Raw>(line, this.subject);
    const version = event.object.metadata?.resourceVersion;
    switch (event.type) {
      case 'ADDED':
        this.apply(event.object, 'added');
        break;
      case 'MODIFIED':
        this.apply(event.object, 'modified');
        break;
      case 'DELETED': {
        const key = keyOf(event.object);
        const known = this.objects.get(key);
        if (known !== undefined) this.remove(key, known, 'deleted');
        break;
      }
      case 'BOOKMARK':
        break;
    }
    if (version !== undefined && version !== '') this.position = version;
  }

  /** @returns the key, undefined when the object does not concern us. */
  private apply(raw: Raw, event: ReflectorEvent): string | undefined {
    const key = keyOf(raw);
    const previous = this.objects.get(key);
    const resourceVersion = raw.metadata?.resourceVersion ?? '';
    if (previous !== undefined && previous.resourceVersion === resourceVersion) return key;
    const value = this.options.project(raw);
    if (value === undefined) {
      if (previous !== undefined) this.remove(key, previous, event);
      return undefined;
    }
    const object = { uid: raw.metadata?.uid ?? '', resourceVersion, value };
    this.objects.set(key, object);
    this.options.handlers.upsert(key, object, event, previous);
    return key;
  }

  private remove(key: string, last: Reflected<T>, event: ReflectorEvent): void {
    this.objects.delete(key);
    this.options.handlers.delete(key, last, event);
  }
}

/** `namespace/name`, or `name` for kinds without namespace. */
function keyOf(raw: KubeObject): string {
  const { namespace, name = '' } = raw.metadata ?? {};
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}
