import type { Clock } from '@contrail/reconcile';
import { currentTraceparent, histogram, logger, withSpan } from '@contrail/telemetry';
import type { ModelObject } from '../model/model-object';
import { SignalFlag } from '../signal-flag';
import type { StreamHub } from '../stream/stream-hub';
import type { Compiler, CompileResult, LearntId, ObjectChange } from './compiler';
import type { Trace } from './entry-table';
import type { IdAllotter } from './id-allotter';
import { Orphans } from './orphans';
import type { Rollout } from './rollout';

/** A change of the configuration, with what traces it. */
export interface TracedObjectChange extends ObjectChange {
  readonly revision: bigint;
  /** W3C traceparent; empty when it is not traced. */
  readonly traceparent: string;
}

export type EngineInput =
  /** A whole snapshot: what it does not have is gone. */
  | { readonly kind: 'snapshot'; readonly objects: readonly ModelObject[]; readonly revision: bigint }
  | { readonly kind: 'changes'; readonly changes: readonly TracedObjectChange[]; readonly revision: bigint }
  | { readonly kind: 'ids'; readonly learnt: readonly LearntId[] }
  /** What the store lost and nobody wrote again may go. */
  | { readonly kind: 'forget' };

export interface EngineOptions {
  readonly compiler: Compiler;
  readonly hub: StreamHub;
  readonly rollout: Rollout;
  readonly allotter: IdAllotter;
  readonly clock: Clock;
  /** How long those who made the objects of a store have to write again what it lost. */
  readonly orphanGraceMs: number;
  /** Everything that was taken in is compiled. */
  readonly onPass?: () => void;
}

/** Under load, passes begin at most this often; after a pause one begins at once. */
const passIntervalMs = 2;
/** Spans opened in one pass; of a storm only the first changes are traced. */
const spansMax = 200;

const compileSeconds = histogram('contrail_control_compile_seconds', 'Time of one pass over the changed units', [], [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]);
const log = logger('engine');

/** Takes in what happened, compiles what it changed, publishes the result. One pass at a time. */
export class ControlEngine {
  readonly #options: EngineOptions;
  readonly #flag = new SignalFlag();
  #inputs: EngineInput[] = [];
  #revision = 0n;
  #hasSnapshot = false;
  #wasComplete = false;
  readonly #orphans = new Orphans();
  #stopping: AbortSignal | undefined;
  #taken: (() => void)[] = [];

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  /** Revision of the newest configuration that was taken in. */
  get revision(): bigint {
    return this.#revision;
  }

  /** Whether a snapshot was once compiled with all its numbers. */
  get isReady(): boolean {
    return this.#wasComplete;
  }

  /** Agents have programmed something, or somebody waited for them long enough. */
  noteProgress(): void {
    if (this.#options.rollout.isUnderWay) this.#flag.set();
  }

  /**
   * Resolves when the input has been taken in: whoever waits before the next one cannot flood the engine. One that stops
   * takes nothing in, and keeps nobody waiting.
   */
  submit(input: EngineInput): Promise<void> {
    if (this.#stopping?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      this.#inputs.push(input);
      this.#taken.push(resolve);
      this.#flag.set();
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    this.#stopping = signal;
    signal.addEventListener('abort', () => this.#flag.set(), { once: true });
    let lastPassAt = Number.NEGATIVE_INFINITY;
    for (;;) {
      await this.#flag.wait();
      const wait = lastPassAt + passIntervalMs - clock.now();
      if (wait > 0) await clock.sleep(wait);
      if (signal.aborted) break;
      if (this.#inputs.length > 0) await this.#pass();
      this.#options.rollout.advance();
      lastPassAt = clock.now();
    }
    this.#releaseAll();
  }

  async #pass(): Promise<void> {
    const stop = compileSeconds.startTimer();
    const spans = new PassSpans();
    const inputs = this.#inputs.splice(0);
    this.#releaseAll();
    for (const input of inputs) this.#takeIn(input, spans);
    if (this.#hasSnapshot) this.#publish(await finish(this.#options.compiler.compile()));
    if (this.#hasSnapshot) this.#options.onPass?.();
    await spans.end();
    stop();
  }

  #releaseAll(): void {
    for (const taken of this.#taken.splice(0)) taken();
  }

  #takeIn(input: EngineInput, spans: PassSpans): void {
    const { compiler } = this.#options;
    switch (input.kind) {
      case 'snapshot':
        this.#takeSnapshot(input.objects, input.revision);
        this.#revision = input.revision;
        this.#hasSnapshot = true;
        return;
      case 'changes':
        for (const change of input.changes) {
          this.#orphans.settle(change);
          const trace = spans.traceOf(change);
          if (compiler.apply(change, trace) && trace !== undefined) spans.begin(trace);
        }
        this.#revision = input.revision;
        return;
      case 'ids':
        compiler.learn(input.learnt);
        return;
      case 'forget': {
        const gone = this.#orphans.takeAll();
        if (gone.length > 0) log.warn('what the store lost was not written again and goes', { objects: gone.length });
        for (const { type, uuid } of gone) compiler.apply({ type, uuid, object: undefined });
      }
    }
  }

  #takeSnapshot(objects: readonly ModelObject[], revision: bigint): void {
    const { compiler, hub, clock, orphanGraceMs } = this.#options;
    const wentBack = revision < this.#revision;
    const known = new Set(objects.map(({ type, uuid }) => `${type}/${uuid}`));
    const gone = [...compiler.model.everything()].filter(({ type, uuid }) => !known.has(`${type}/${uuid}`));
    if (wentBack) {
      log.warn('the store went back', { from: this.#revision, to: revision, missing: gone.length });
      hub.cutAll('the configuration went back to an older revision; connect again');
      for (const object of gone) this.#orphans.add(object);
      clock.sleep(orphanGraceMs, this.#stopping).then(() => this.submit({ kind: 'forget' })).catch(() => undefined);
    }
    for (const object of gone) {
      if (!this.#orphans.has(object)) compiler.apply({ type: object.type, uuid: object.uuid, object: undefined });
    }
    for (const object of objects) {
      this.#orphans.settle(object);
      compiler.apply({ type: object.type, uuid: object.uuid, object });
    }
  }

  #publish({ updates, connectivityChanged, missingIds }: CompileResult): void {
    const { rollout, allotter } = this.#options;
    const isComplete = missingIds.length === 0;
    this.#wasComplete ||= isComplete;
    rollout.take({ updates, connectivityChanged, revision: this.#revision, isComplete });
    allotter.want(missingIds);
  }
}

/** Compiles to the end, letting the process breathe in between. */
async function finish(steps: Generator<void, CompileResult>): Promise<CompileResult> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The spans `control compile` of one pass: from taking a change in until its result is published. */
class PassSpans {
  readonly #spans: Promise<void>[] = [];
  #finish: () => void = () => undefined;
  readonly #finished = new Promise<void>((resolve) => {
    this.#finish = resolve;
  });

  traceOf({ type, uuid, revision, traceparent }: TracedObjectChange): Trace | undefined {
    if (traceparent === '' || this.#spans.length >= spansMax) return undefined;
    return { traceparent, type, uuid, revision };
  }

  /** The agents continue the trace from this span. */
  begin(trace: Trace): void {
    const { type, uuid, revision } = trace;
    const attributes = { 'contrail.type': type, 'contrail.uuid': uuid, 'contrail.revision': Number(revision) };
    const span = withSpan('control compile', { traceparent: trace.traceparent, attributes }, () => {
      const own = currentTraceparent();
      if (own !== '') trace.traceparent = own;
      return this.#finished;
    });
    this.#spans.push(span);
  }

  async end(): Promise<void> {
    this.#finish();
    await Promise.all(this.#spans);
  }
}
