import { errorText } from '@contrail/errors';
import type { Change, WatchRequest, WatchResponse, WatchToken } from '@contrail/proto-gen/config/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { backoffDelayMs, eagerStart } from '@contrail/reconcile';
import { describe } from '@contrail/resource-model';
import type { BackoffPolicy, Clock } from '@contrail/reconcile';
import { counter, logger } from '@contrail/telemetry';
import type { EngineInput, TracedObjectChange } from '../engine/control-engine';
import type { ModelObject, ModelType } from '../model/model-object';
import { toModelObject } from '../model/to-model-object';

export interface ConfigWatchOptions {
  /** Opens the stream; it ends or throws when it breaks. */
  readonly open: (request: WatchRequest, signal: AbortSignal) => AsyncIterable<WatchResponse>;
  readonly submit: (input: EngineInput) => Promise<void>;
  readonly clock: Clock;
}

const watchedTypes: readonly ModelType[] = [
  'network-ipam',
  'virtual-network',
  'routing-instance',
  'network-policy',
  'global-vrouter-config',
  'virtual-router',
  'virtual-machine',
  'virtual-machine-interface',
  'instance-ip',
  'alias-ip',
  'loadbalancer',
  'loadbalancer-listener',
  'loadbalancer-pool',
  'loadbalancer-member',
];

const backoff: BackoffPolicy = { firstMs: 50, maxMs: 5_000, factor: 2, jitter: 0.5, eager: eagerStart };
const reconnects = counter('contrail_control_watch_reconnects_total', 'Times the watch of config-api broke and was opened again');
const log = logger('watch');

/**
 * Follows config-api for ever. A broken stream is resumed where it was; when that is not possible, a
 * new snapshot is collected aside and handed over as a whole, so that agents see only what differs.
 */
export class ConfigWatch {
  readonly #options: ConfigWatchOptions;
  #token: WatchToken | undefined;
  #snapshot: ModelObject[] = [];
  #problem: string | undefined = 'config-api has not been reached yet';

  constructor(options: ConfigWatchOptions) {
    this.#options = options;
  }

  /** Why the model may be behind; undefined while the stream is in sync. */
  get problem(): string | undefined {
    return this.#problem;
  }

  async run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      try {
        for await (const message of this.#options.open(this.#request(), signal)) {
          failures = 0;
          if ((await this.#receive(message)) === 'again') break;
        }
        this.#problem ??= 'config-api ended the watch';
      } catch (error) {
        this.#problem = errorText(error);
      }
      if (signal.aborted) return;
      failures += 1;
      reconnects.inc();
      log.warn('watch of config-api ended; opening it again', { problem: this.#problem, failures });
      await this.#options.clock.sleep(backoffDelayMs(backoff, failures, Math.random()), signal).catch(() => undefined);
    }
  }

  #request(): WatchRequest {
    this.#snapshot = [];
    return { types: [...watchedTypes], resume: this.#token };
  }

  async #receive({ kind }: WatchResponse): Promise<'again' | undefined> {
    switch (kind?.$case) {
      case undefined:
        return undefined;
      case 'snapshot':
        // Whatever was resumed, the server begins anew.
        this.#token = undefined;
        for (const resource of kind.value.resources) this.#collect(resource);
        return undefined;
      case 'inSync':
        await this.#becomeInSync(kind.value.token);
        return undefined;
      case 'changes':
        await this.#change(kind.value.changes, kind.value.token);
        return undefined;
      case 'resync':
        log.info('config-api asks for a new snapshot', { reason: kind.value.reason });
        this.#token = undefined;
        this.#problem = `resynchronising: ${kind.value.reason}`;
        return 'again';
    }
  }

  #collect(resource: Resource): void {
    const object = tryToModelObject(resource);
    if (object !== undefined) this.#snapshot.push(object);
  }

  /** With a token the stream was resumed, and there is no snapshot to hand over. */
  async #becomeInSync(token: WatchToken | undefined): Promise<void> {
    const revision = token?.revision ?? 0n;
    if (this.#token === undefined) {
      log.info('snapshot received', { objects: this.#snapshot.length, revision });
      await this.#options.submit({ kind: 'snapshot', objects: this.#snapshot, revision });
      this.#snapshot = [];
    } else {
      await this.#options.submit({ kind: 'changes', changes: [], revision });
    }
    this.#token = token;
    this.#problem = undefined;
  }

  async #change(changes: readonly Change[], token: WatchToken | undefined): Promise<void> {
    if (token === undefined) return;
    await this.#options.submit({ kind: 'changes', changes: changes.map(toObjectChange), revision: token.revision });
    this.#token = token;
  }
}

function toObjectChange({ type, uuid, resource, revision, traceparent }: Change): TracedObjectChange {
  const object = resource && tryToModelObject(resource);
  // Types that are not watched change nothing: the model has no object of theirs.
  return { type: type as ModelType, uuid, object, revision, traceparent };
}

/** config-api validates objects; should one be malformed all the same, the others go on without it. */
function tryToModelObject(resource: Resource): ModelObject | undefined {
  try {
    return toModelObject(resource);
  } catch (error) {
    log.error('object left out', { object: describe(resource), error });
    return undefined;
  }
}
