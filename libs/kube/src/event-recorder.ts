import { randomBytes } from 'node:crypto';
import { systemClock } from '@contrail/reconcile';
import type { Clock } from '@contrail/reconcile';
import { kubeKinds } from './kube-kind';
import { microTime } from './lease-elector';
import type { KubeClient } from './kube-client';

/** The object that an event is about. */
export interface EventSubject {
  readonly apiVersion: string;
  readonly kind: string;
  /** Empty for kinds without namespace. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface KubeEvent {
  readonly type: 'Normal' | 'Warning';
  /** CamelCase: `AddressExhausted`. */
  readonly reason: string;
  /** What the service was doing: `AllocateAddress`. */
  readonly action: string;
  /** What is wrong and what to do; cut at 1024 characters. */
  readonly note: string;
}

export interface EventRecorderOptions {
  readonly client: Pick<KubeClient, 'create' | 'patch'>;
  /** `contrail.io/kube-manager`. */
  readonly controller: string;
  /** The process: pod name. */
  readonly instance: string;
  readonly onProblem?: (error: unknown) => void;
  readonly clock?: Clock;
}

interface Sent {
  readonly namespace: string;
  readonly name: string;
  count: number;
  sentAtMs: number;
}

const noteLengthMax = 1024;
/** The same event again is counted, and the count is written at most this often. */
const repeatMs = 60_000;
/** A repeated event that was silent for this long becomes a new one. */
const forgetMs = 600_000;
const rememberedMax = 4096;
const queuedMax = 1000;
/** For one object: a burst, then one in each interval. */
const burst = 25;
const refillMs = 60_000;

/**
 * Writes Kubernetes events: deduplicated, rate-limited for each object, in the background. Recording never
 * throws and never waits; what cannot be written is dropped and reported.
 */
export class EventRecorder {
  private readonly clock: Clock;
  private readonly sent = new Map<string, Sent>();
  private readonly buckets = new Map<string, { tokens: number; atMs: number }>();
  private queue: (() => Promise<void>)[] = [];
  private draining: Promise<void> | undefined;

  constructor(private readonly options: EventRecorderOptions) {
    this.clock = options.clock ?? systemClock;
  }

  record(subject: EventSubject, event: KubeEvent): void {
    const note = event.note.length > noteLengthMax ? `${event.note.slice(0, noteLengthMax - 1)}…` : event.note;
    const key = [subject.kind, subject.uid, subject.namespace, subject.name, event.type, event.reason, note].join('|');
    const nowMs = this.clock.now();
    const known = this.sent.get(key);
    if (known !== undefined && nowMs - known.sentAtMs < forgetMs) {
      known.count += 1;
      if (nowMs - known.sentAtMs < repeatMs) return;
      known.sentAtMs = nowMs;
      this.enqueue(() => this.repeat(known, nowMs));
      return;
    }
    if (!this.takeToken(`${subject.kind}|${subject.namespace}|${subject.name}`, nowMs)) return;
    const entry: Sent = {
      namespace: subject.namespace === '' ? 'default' : subject.namespace,
      name: `${subject.name.slice(0, 200)}.${randomBytes(8).toString('hex')}`,
      count: 1,
      sentAtMs: nowMs,
    };
    remember(this.sent, key, entry);
    this.enqueue(() => this.create(entry, subject, { ...event, note }, nowMs));
  }

  /** Resolves when everything recorded so far was sent or dropped. */
  async flush(): Promise<void> {
    await this.draining;
  }

  private enqueue(task: () => Promise<void>): void {
    if (this.queue.length >= queuedMax) {
      this.options.onProblem?.(new Error(`an event was dropped: ${queuedMax} wait already`));
      return;
    }
    this.queue.push(task);
    this.draining ??= this.drain();
  }

  private async drain(): Promise<void> {
    for (let task = this.queue.shift(); task !== undefined; task = this.queue.shift()) {
      await task().catch((error: unknown) => this.options.onProblem?.(error));
    }
    this.draining = undefined;
  }

  private async create(entry: Sent, subject: EventSubject, event: KubeEvent, nowMs: number): Promise<void> {
    const { apiVersion, kind, namespace, name, uid } = subject;
    await this.options.client.create(kubeKinds.events, {
      metadata: { namespace: entry.namespace, name: entry.name },
      eventTime: microTime(nowMs),
      reportingController: this.options.controller,
      reportingInstance: this.options.instance.slice(0, 128),
      type: event.type,
      reason: event.reason,
      action: event.action,
      note: event.note,
      regarding: { apiVersion, kind, name, uid, ...(namespace === '' ? {} : { namespace }) },
    });
  }

  private async repeat(entry: Sent, nowMs: number): Promise<void> {
    const patch = { series: { count: entry.count, lastObservedTime: microTime(nowMs) } };
    await this.options.client.patch(kubeKinds.events, { namespace: entry.namespace, name: entry.name }, patch);
  }

  private takeToken(key: string, nowMs: number): boolean {
    const bucket = this.buckets.get(key) ?? { tokens: burst, atMs: nowMs };
    const tokens = Math.min(burst, bucket.tokens + (nowMs - bucket.atMs) / refillMs);
    remember(this.buckets, key, { tokens: tokens >= 1 ? tokens - 1 : tokens, atMs: nowMs });
    return tokens >= 1;
  }
}

/** Keeps the newest entries only. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= rememberedMax) return;
  const oldest = map.keys().next();
  if (oldest.done !== true) map.delete(oldest.value);
}
