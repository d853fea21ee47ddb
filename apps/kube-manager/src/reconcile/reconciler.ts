import { errorText } from '@contrail/errors';
import type { NetworkSpace } from '@contrail/proto-gen/ipam/v1/messages';
import { ReconcileLoop, systemClock } from '@contrail/reconcile';
import type { ReconcileOutcome, ReconcileStatus } from '@contrail/reconcile';
import { metaOf } from '@contrail/resource-model';
import { logger, withSpan } from '@contrail/telemetry';
import { parseRootKey, rootKey } from '../translate/ownership';
import type { Root } from '../translate/ownership';
import type { CacheChange } from '../watch/resource-cache';
import type { Trigger } from '../watch/kube-watch';
import { reconcileCluster } from './cluster';
import { ComingIsolation } from './coming-isolation';
import { reconcileAttachment } from './network-attachment';
import { reconcileNamespace } from './namespace';
import { reconcileNode } from './node';
import { reconcilePod } from './pod';
import { reconcileService } from './service';
import { ReportedAddresses } from './reported-addresses';
import { StuckObjects } from './stuck-objects';
import { WaitingList } from './waiting-list';
import type { Workplace } from './workplace';

const log = logger('reconcile');

/** Root objects in work at the same time: enough to keep the batches of the calls below full. */
const concurrency = 64;
/** ipam counts free addresses up to this. */
const spaceCountMax = 100;
/** Every call of a pass has a deadline well below this. */
const stuckMs = 120_000;
const backoff = { firstMs: 50, maxMs: 15_000, factor: 2, jitter: 0.5 };

export interface ReconcilerOptions {
  readonly work: Omit<Workplace, 'waiting' | 'reported' | 'coming' | 'log' | 'enqueue'>;
  /** Whether Kubernetes has the root object now. */
  readonly exists: (key: string) => boolean;
  readonly onPass?: (kind: string, outcome: string, seconds: number) => void;
  /** What the event asked for is written. */
  readonly onSettled?: (trigger: Trigger) => void;
}

/** Keys of root objects in, resources out. One pass over a key is one trace, begun by the event that made it dirty. */
export class Reconciler {
  private readonly work: Workplace;
  private readonly loop: ReconcileLoop<string>;
  private readonly triggers = new Map<string, Trigger>();
  private readonly stuck: StuckObjects;
  private passEndedMs = Date.now();

  constructor(private readonly options: ReconcilerOptions) {
    const waiting = new WaitingList((key) => this.loop.enqueue(key));
    const { cache, kube, complain } = options.work;
    const reported = new ReportedAddresses({
      pods: () => kube.pods(),
      isStored: (key) => cache.hasRoot(key),
      onComplete: () => waiting.cameTrue(WaitingList.reportedAddresses),
      clock: systemClock,
    });
    this.stuck = new StuckObjects(kube, { complain, uidOfGone: (key) => uidByStore(cache, key) }, systemClock);
    this.work = {
      ...options.work,
      ...{ waiting, reported, log, coming: new ComingIsolation(systemClock) },
      enqueue: (key) => this.loop.enqueue(key),
      complain: (complaint) => this.stuck.tell(complaint),
    };
    this.loop = new ReconcileLoop<string>({
      concurrency,
      backoff,
      reconcile: (key) => this.pass(key),
      onError: (key, error, failures) => {
        log.warn('reconciling failed and is retried', { key, failures, error });
        const root = parseRootKey(key);
        if (root !== undefined) this.stuck.unsettled(root, errorText(error));
      },
    });
    cache.onChange((change) => this.onCacheChange(change));
  }

  start(): void {
    this.passEndedMs = Date.now();
    this.work.reported.begin();
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** A Kubernetes event; `trigger` is absent when something else makes a look necessary. */
  enqueue(key: string, trigger?: Trigger): void {
    if (trigger !== undefined) {
      this.triggers.set(key, trigger);
      if (trigger.kind === 'Namespace') this.work.waiting.cameTrue(WaitingList.namespace(trigger.name));
    }
    this.loop.enqueue(key);
  }

  /** config-api is back, perhaps with less than it had: nothing has to wait for its next retry. */
  retryNow(): void {
    this.work.reported.begin();
    for (const key of this.loop.unsettled().keys()) this.loop.enqueue(key);
  }

  /** As many of those who wait for an address of the network as there are free ones; all when there are that many. */
  onSpace({ virtualNetworkUuid, free }: NetworkSpace): void {
    const max = free < spaceCountMax ? free : Number.POSITIVE_INFINITY;
    this.work.waiting.cameTrue(WaitingList.address(virtualNetworkUuid), max);
  }

  statusOf(key: string): ReconcileStatus | undefined {
    return this.loop.statusOf(key);
  }

  unsettled(): ReadonlyMap<string, ReconcileStatus> {
    return this.loop.unsettled();
  }

  get depth(): number {
    return this.loop.depth;
  }

  /** Why only a restart would help: keys wait, but no pass ends. */
  deadlocks(): string[] {
    const silentMs = Date.now() - this.passEndedMs;
    if (this.depth === 0 || silentMs < stuckMs) return [];
    return [`${this.depth} objects wait, but no pass has ended for ${Math.round(silentMs / 1000)} s`];
  }

  idle(): Promise<void> {
    return this.loop.idle();
  }

  /** Somebody else changed an object of ours, or what a root object waited for is here. */
  private onCacheChange({ type, uuid, root, fqName, address, deleted, source }: CacheChange): void {
    if (!deleted) this.work.waiting.cameTrue(WaitingList.object(uuid));
    if (!deleted && type !== undefined && fqName !== undefined) this.work.waiting.cameTrue(WaitingList.named(type, fqName));
    if (!deleted && address !== undefined) this.work.waiting.cameTrue(WaitingList.endpoint(address));
    if (source === 'own' || root === undefined) return;
    // What Kubernetes does not have is left to the sweep: it looks twice.
    if (this.options.exists(root)) this.loop.enqueue(root);
  }

  private async pass(key: string): Promise<ReconcileOutcome> {
    const root = parseRootKey(key);
    if (root === undefined) return 'gone';
    const trigger = this.triggers.get(key);
    const startedMs = performance.now();
    let outcome: ReconcileOutcome | 'failed' = 'failed';
    try {
      outcome = await withSpan(spanName(root, trigger), { attributes: spanAttributes(root, trigger) }, () => {
        this.work.waiting.forget(key);
        return this.reconcile(root);
      });
      if (typeof outcome === 'string') this.stuck.settled(root);
      else if (this.stuck.unsettled(root, outcome.pending)) log.warn('an object waits', { key, reason: outcome.pending });
      // An object that waits keeps its event, so that the pass which succeeds belongs to it.
      if (typeof outcome === 'string' && trigger !== undefined) {
        this.options.onSettled?.(trigger);
        if (this.triggers.get(key) === trigger) this.triggers.delete(key);
      }
      return outcome;
    } finally {
      this.passEndedMs = Date.now();
      const label = typeof outcome === 'string' ? outcome : 'pending';
      this.options.onPass?.(root.kind, label, (performance.now() - startedMs) / 1000);
    }
  }

  private reconcile(root: Root): Promise<ReconcileOutcome> {
    switch (root.kind) {
      case 'Cluster':
        return reconcileCluster(this.work, root);
      case 'Namespace':
        return reconcileNamespace(this.work, root);
      case 'Node':
        return reconcileNode(this.work, root);
      case 'Pod':
        return reconcilePod(this.work, root);
      case 'Service':
        return reconcileService(this.work, root);
      case 'NetworkAttachmentDefinition':
        return reconcileAttachment(this.work, root);
    }
  }
}

/** Of a Namespace, Pod or the like that Kubernetes does not have any more. */
function uidByStore(cache: Workplace['cache'], key: string): string | undefined {
  const [stored] = key.startsWith('Cluster/') ? [] : cache.ofRoot(key).values();
  return stored === undefined ? undefined : metaOf(stored).annotations['k8s_uuid'];
}

function spanName(root: Root, trigger: Trigger | undefined): string {
  return trigger === undefined ? `kube-manager ${root.kind} resync` : `kube-manager ${trigger.kind} ${trigger.event}`;
}

function spanAttributes(root: Root, trigger: Trigger | undefined): Record<string, string | number> {
  const attributes: Record<string, string | number> = { 'contrail.root': rootKey(root) };
  if (root.namespace !== '') attributes['k8s.namespace.name'] = root.namespace;
  attributes[`k8s.${root.kind.toLowerCase()}.name`] = root.name;
  if (trigger === undefined) return attributes;
  attributes['k8s.object.uid'] = trigger.uid;
  attributes['k8s.object.resource_version'] = trigger.resourceVersion;
  attributes['contrail.queued_ms'] = Date.now() - trigger.atMs;
  if (trigger.kind !== root.kind) attributes[`k8s.${trigger.kind.toLowerCase()}.name`] = trigger.name;
  return attributes;
}

/** For people: what is not done, worst first, at most `max` lines. */
export function describeUnsettled(unsettled: ReadonlyMap<string, ReconcileStatus>, max: number): string[] {
  const rank = (status: ReconcileStatus): number => (status.state === 'Error' ? 0 : 1);
  return [...unsettled]
    .sort(([, a], [, b]) => rank(a) - rank(b) || a.sinceMs - b.sinceMs)
    .slice(0, max)
    .map(([key, { state, sinceMs, sentence }]) => `${key}: ${state} since ${new Date(sinceMs).toISOString()}: ${errorText(sentence)}`);
}
