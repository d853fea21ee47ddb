import type { EventRecorder, KubeClient } from '@contrail/kube';
import type { ConfigServiceClient } from '@contrail/proto-gen/config/v1/config_service';
import type { IpamServiceClient } from '@contrail/proto-gen/ipam/v1/ipam_service';
import { systemClock } from '@contrail/reconcile';
import { logger } from '@contrail/telemetry';
import { AddressBook } from './reconcile/address-book';
import { describeUnsettled, Reconciler } from './reconcile/reconciler';
import { Sweeper } from './reconcile/sweeper';
import { TransactionWriter } from './reconcile/transaction-writer';
import type { Health } from './serve/health';
import { NetworkStatus } from './serve/network-status';
import { IsolationStatus } from './serve/isolation-status';
import { metrics } from './serve/metrics';
import { monitorProgress } from './serve/progress-monitor';
import { defaultNamespace, systemNamespace } from './translate/cluster';
import type { Cluster } from './translate/cluster';
import type { Complaint } from './translate/complaint';
import { complainFilling } from './translate/complain-filling';
import { parseRootKey, rootKey } from './translate/ownership';
import { ConfigWatch } from './watch/config-watch';
import { KubeWatch } from './watch/kube-watch';
import type { Trigger } from './watch/kube-watch';
import { ResourceCache } from './watch/resource-cache';
import { watchSpace } from './watch/space-watch';
import type { SpaceListener } from './watch/space-watch';

const log = logger('lead');

export interface LeadOptions {
  readonly cluster: Cluster;
  readonly kube: KubeClient;
  readonly config: ConfigServiceClient;
  readonly ipam: IpamServiceClient;
  readonly events: EventRecorder;
  readonly health: Health;
  readonly sweepIntervalMs: number;
  readonly progressIntervalMs: number;
}

const syncPollMs = 20;

/**
 * The work of the active process, from an empty memory: reads both sides, makes them equal, follows Kubernetes.
 * Returns when the signal is aborted; what is in flight is finished or given up, and the next leader repeats it.
 */
export async function lead(options: LeadOptions, signal: AbortSignal): Promise<void> {
  const { cluster, config, health } = options;
  const cache = new ResourceCache(cluster.uid);
  const configWatch = new ConfigWatch(config, cache);
  let following = false;
  const kubeWatch = new KubeWatch(options.kube, {
    onDirty: (key, trigger) => {
      metrics.events.inc({ kind: trigger.kind, event: trigger.event });
      if (following) reconciler.enqueue(key, trigger);
    },
    onSynced: () => undefined,
  });
  const clusterKey = rootKey({ kind: 'Cluster', namespace: '', name: cluster.name });
  const exists = (key: string): boolean => key === clusterKey || isInKubernetes(kubeWatch, key);
  const addresses = new AddressBook(options.ipam);
  const writer = new TransactionWriter(config, cache, (operations) => metrics.operations.inc(operations));
  const complain = complainer(options.events);
  const isolationStatus = new IsolationStatus({ kube: options.kube, config, hasNode: (name) => kubeWatch.node(name) !== undefined });
  const reconciler = new Reconciler({
    work: { cluster, kube: kubeWatch, cache, writer, addresses, complain, isolationStatus, networkStatus: new NetworkStatus(options.kube) },
    exists,
    onPass: (kind, outcome, seconds) => metrics.passes.observe({ kind, outcome }, seconds),
    onSettled: (trigger: Trigger) => metrics.latency.observe({ kind: trigger.kind }, (Date.now() - trigger.atMs) / 1000),
  });
  configWatch.onSynced(() => reconciler.retryNow());
  const problems = (): string[] => [
    ...kubeWatch.problems(),
    ...(configWatch.problem === undefined ? [] : [configWatch.problem]),
    ...clusterProblem(reconciler, clusterKey),
  ];
  const silence = health.report({ ready: problems, live: () => reconciler.deadlocks() });
  const inSync = (): boolean => kubeWatch.synced && kubeWatch.problems().length === 0 && configWatch.problem === undefined;
  const sweeper = new Sweeper({
    ...{ cache, exists, inSync },
    remove: (key) => reconciler.enqueue(key),
    intervalMs: options.sweepIntervalMs,
  });
  const stopGauges = publishGauges(cache, reconciler);
  configWatch.start();
  kubeWatch.start();
  try {
    while (!signal.aborted && !(kubeWatch.synced && configWatch.synced)) await pause(signal);
    if (signal.aborted) return;
    log.info('both sides are in sync', { resources: cache.size });
    following = true;
    reconciler.enqueue(rootKey({ kind: 'Namespace', namespace: '', name: defaultNamespace }));
    reconciler.enqueue(clusterKey);
    for (const key of kubeWatch.keys()) reconciler.enqueue(key);
    reconciler.start();
    await Promise.all([
      sweeper.run(signal),
      isolationStatus.run(signal),
      monitorProgress(config, options.progressIntervalMs, signal),
      watchSpace(options.ipam, spaceListener(kubeWatch, reconciler, complain), signal),
    ]);
  } finally {
    silence();
    stopGauges();
    await Promise.all([kubeWatch.stop(), configWatch.stop(), reconciler.stop()]);
  }
}

async function pause(signal: AbortSignal): Promise<void> {
  await systemClock.sleep(syncPollMs, signal).catch(() => undefined);
}

function isInKubernetes(kube: KubeWatch, key: string): boolean {
  const root = parseRootKey(key);
  switch (root?.kind) {
    case 'Namespace':
      return kube.namespace(root.name) !== undefined;
    case 'Node':
      return kube.node(root.name) !== undefined;
    case 'Pod':
      return kube.pod(root.namespace, root.name) !== undefined;
    case 'Service':
      return kube.service(root.namespace, root.name) !== undefined;
    case 'NetworkAttachmentDefinition':
      return !kube.knowsAttachments || kube.attachment(root.namespace, root.name) !== undefined;
    case 'Cluster':
    case undefined:
      return false;
  }
}

function complainer(events: EventRecorder): (complaint: Complaint) => void {
  return ({ subject, reason, action, note }) => {
    metrics.complaints.inc({ reason });
    log.debug('a Kubernetes object has a problem', { ...subject, reason, note });
    events.record(subject, { type: 'Warning', reason, action, note });
  };
}

function spaceListener(kube: KubeWatch, reconciler: Reconciler, complain: (complaint: Complaint) => void): SpaceListener {
  return {
    onSpace: (space) => reconciler.onSpace(space),
    onFilling: (subnet) => {
      const system = kube.namespace(systemNamespace);
      if (system !== undefined) complain(complainFilling(subnet, system));
    },
  };
}

/** Without the cluster's own objects no pod gets an address. */
function clusterProblem(reconciler: Reconciler, clusterKey: string): string[] {
  const status = reconciler.statusOf(clusterKey);
  if (status === undefined || status.state === 'Done') return [];
  return describeUnsettled(new Map([[clusterKey, status]]), 1);
}

/** @returns ends it. */
function publishGauges(cache: ResourceCache, reconciler: Reconciler): () => void {
  metrics.leader.set(1);
  const timer = setInterval(() => {
    metrics.resources.set(cache.size);
    metrics.queue.set(reconciler.depth);
    const states = { Pending: 0, Error: 0, Done: 0 };
    for (const { state } of reconciler.unsettled().values()) states[state] += 1;
    metrics.unsettled.set({ state: 'Pending' }, states.Pending);
    metrics.unsettled.set({ state: 'Error' }, states.Error);
  }, 1000);
  return () => {
    clearInterval(timer);
    metrics.leader.set(0);
  };
}
