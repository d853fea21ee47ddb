import { ContrailError, errorText } from '@contrail/errors';
import type { ConfigServiceClient } from '@contrail/proto-gen/config/v1/config_service';
import type { WatchResponse, WatchToken } from '@contrail/proto-gen/config/v1/messages';
import { backoffDelayMs, eagerStart, systemClock } from '@contrail/reconcile';
import type { BackoffPolicy, Clock } from '@contrail/reconcile';
import { metaOf } from '@contrail/resource-model';
import { openServerStream } from '@contrail/rpc';
import { logger } from '@contrail/telemetry';
import { cachedTypes } from './resource-cache';
import type { ResourceCache } from './resource-cache';

const log = logger('config-watch');
const watchBackoff: BackoffPolicy = { firstMs: 100, maxMs: 10_000, factor: 2, jitter: 0.5, eager: eagerStart };

/** Keeps a ResourceCache equal to config-api: snapshot, deltas, resumed when the stream breaks. */
export class ConfigWatch {
  private readonly stopping = new AbortController();
  private readonly syncedListeners: (() => void)[] = [];
  private token: WatchToken | undefined;
  private snapshot: Set<string> | undefined;
  private trouble: string | undefined = 'is not in sync yet';
  private isSynced = false;
  private failures = 0;
  private running: Promise<void> | undefined;

  constructor(
    private readonly client: ConfigServiceClient,
    private readonly cache: ResourceCache,
    private readonly clock: Clock = systemClock,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('the watch is stopping'));
    await this.running;
  }

  /** The cache has been complete once. */
  get synced(): boolean {
    return this.isSynced;
  }

  /** Highest revision seen. */
  get revision(): bigint {
    return this.token?.revision ?? 0n;
  }

  /** Why the cache may be out of date. */
  get problem(): string | undefined {
    return this.trouble === undefined ? undefined : `watch of config-api: ${this.trouble}`;
  }

  /** Called each time the cache has caught up with config-api. */
  onSynced(listener: () => void): void {
    this.syncedListeners.push(listener);
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        await this.follow(signal);
        this.trouble = 'the stream ended';
      } catch (error) {
        this.trouble = errorText(error);
      }
      if (signal.aborted) return;
      this.failures += 1;
      const delayMs = backoffDelayMs(watchBackoff, this.failures, Math.random());
      log.warn('the watch of config-api broke', { problem: this.trouble, retryMs: delayMs });
      await this.clock.sleep(delayMs, signal).catch(() => undefined);
    }
  }

  private async follow(signal: AbortSignal): Promise<void> {
    this.snapshot = this.token === undefined ? new Set() : undefined;
    if (this.snapshot) this.cache.beginSnapshot();
    const request = { types: [...cachedTypes], resume: this.token };
    for await (const message of openServerStream(this.client, 'watch', request, { signal })) {
      if (this.handle(message) === 'again') return;
    }
  }

  private handle(message: WatchResponse): 'on' | 'again' {
    const kind = message.kind;
    if (kind === undefined) throw new ContrailError('INTERNAL', 'config-api sent a message without content');
    switch (kind.$case) {
      case 'snapshot':
        for (const resource of kind.value.resources) {
          this.snapshot?.add(metaOf(resource).uuid);
          this.cache.upsert(resource, 'watch');
        }
        return 'on';
      case 'inSync':
        this.token = kind.value.token;
        this.finishSnapshot();
        return 'on';
      case 'changes':
        for (const { uuid, resource, revision } of kind.value.changes) {
          if (resource === undefined) this.cache.remove(uuid, revision, 'watch');
          else this.cache.upsert(resource, 'watch');
        }
        this.token = kind.value.token ?? this.token;
        this.cache.setPosition(this.revision);
        return 'on';
      case 'resync':
        log.info('config-api asks for a new snapshot', { reason: kind.value.reason });
        this.token = undefined;
        return 'again';
    }
  }

  private finishSnapshot(): void {
    const { snapshot } = this;
    this.snapshot = undefined;
    this.trouble = undefined;
    this.failures = 0;
    if (snapshot !== undefined) {
      const { revision } = this;
      for (const uuid of [...this.cache.uuids()]) if (!snapshot.has(uuid)) this.cache.remove(uuid, revision, 'watch');
    }
    this.cache.setPosition(this.revision);
    this.isSynced = true;
    for (const listener of this.syncedListeners) listener();
  }
}
