/** What watchers cost and how soon they learn. */
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigServiceService } from '@contrail/proto-gen/config/v1/config_service';
import type { ConfigServiceClient } from '@contrail/proto-gen/config/v1/config_service';
import { WatchRequest } from '@contrail/proto-gen/config/v1/messages';
import { callUnary, openServerStream } from '@contrail/rpc';
import type { ConfigRow } from './config-table';
import { createOf, interfaceResource, interfaceType, upsertOf } from './objects';
import { Stopwatch } from './stopwatch';
import type { ThroughputOptions } from './throughput';

/** A loaded machine is slow, not broken. */
const deadlineMs = 60_000;

const watchRequest = (): WatchRequest => WatchRequest.fromPartial({ types: [interfaceType] });

/** More waiting answers than that mean that the rate cannot be reached. */
const paceInFlightMax = 32;

/**
 * Runs an action at a fixed rate, in bursts of a millisecond; a late one does not delay those that follow.
 * @returns the rate that was reached.
 */
async function pace(
  perSecond: number,
  { durationMs, signal }: Pick<ThroughputOptions, 'durationMs' | 'signal'>,
  action: () => Promise<unknown>,
): Promise<number> {
  const start = performance.now();
  const pending = new Set<Promise<unknown>>();
  let done = 0;
  let failure: unknown;
  while (performance.now() - start < durationMs) {
    const due = Math.floor(((performance.now() - start) / 1000) * perSecond);
    while (done + pending.size < due && pending.size < paceInFlightMax) {
      const running: Promise<unknown> = action()
        .then(() => (done += 1), (error: unknown) => (failure ??= error))
        .finally(() => pending.delete(running));
      pending.add(running);
    }
    if (failure !== undefined) throw failure;
    signal.throwIfAborted();
    await sleep(1);
  }
  await Promise.all(pending);
  return done / ((performance.now() - start) / 1000);
}

async function follow(
  client: ConfigServiceClient,
  signal: AbortSignal,
  { onInSync, onChange }: { onInSync: () => void; onChange: (uuid: string) => void },
): Promise<void> {
  for await (const { kind } of openServerStream(client, 'watch', watchRequest(), { signal })) {
    if (kind?.$case === 'inSync') onInSync();
    if (kind?.$case === 'changes') kind.value.changes.forEach(({ uuid }) => onChange(uuid));
  }
}

/** From the commit (as its client learns of it, and from the request) until a watcher has the change. */
export async function measureWatchLatency(
  options: ThroughputOptions,
  client: ConfigServiceClient,
): Promise<ConfigRow[]> {
  const stopping = new AbortController();
  const seen = new Map<string, number>();
  let following: Promise<void> = Promise.resolve();
  await new Promise<void>((resolve, reject) => {
    following = follow(client, stopping.signal, { onInSync: resolve, onChange: (uuid) => seen.set(uuid, performance.now()) });
    following.catch(reject);
  });
  const times: Array<{ uuid: string; sent: number; acknowledged: number }> = [];
  const rate = await pace(200, { ...options, durationMs: options.rounds * options.durationMs }, async () => {
    const uuid = randomUUID();
    const sent = performance.now();
    await callUnary(client, 'create', { resource: interfaceResource(uuid) });
    times.push({ uuid, sent, acknowledged: performance.now() });
  });
  await sleep(500);
  stopping.abort();
  await following;
  const since = (from: 'sent' | 'acknowledged'): number[] =>
    times.flatMap((time) => {
      const at = seen.get(time.uuid);
      return at === undefined ? [] : [Math.max(0, at - time[from])];
    });
  const missing = times.filter(({ uuid }) => !seen.has(uuid)).length;
  if (missing > 0) throw new Error(`Watch: ${missing} of ${times.length} changes did not come`);
  const row = { unit: 'changes/s', samples: [rate] };
  return [
    { ...row, what: 'a watcher has the change, since the answer', goal: 'p50 < 5 ms, p99 < 25 ms', latenciesMs: since('acknowledged') },
    { ...row, what: 'a watcher has the change, since the request', goal: '', latenciesMs: since('sent') },
  ];
}

/** A watcher that only counts bytes: its own work must not disturb what is measured. */
function openCheapWatcher(client: ConfigServiceClient): { inSync: Promise<void>; close: () => void } {
  const { path, requestSerialize } = ConfigServiceService.watch;
  let messages = 0;
  const call = client.makeServerStreamRequest(path, requestSerialize, (bytes) => bytes.length, watchRequest());
  call.on('error', () => undefined);
  const inSync = new Promise<void>((resolve, reject) => {
    call.once('error', reject);
    let quietSince = performance.now();
    call.on('data', () => {
      messages += 1;
      quietSince = performance.now();
    });
    // The snapshot is read when nothing came for a while.
    const timer = setInterval(() => {
      if (messages === 0 || performance.now() - quietSince < 300) return;
      clearInterval(timer);
      resolve();
    }, 50);
  });
  return { inSync, close: () => call.cancel() };
}

/** Cores of config-api at a steady rate of changes, with so many watchers. */
async function coresWith(
  watcherCount: number,
  options: ThroughputOptions,
  clients: { writer: ConfigServiceClient; open: () => ConfigServiceClient },
): Promise<{ rate: number; cores: Record<string, number> }> {
  const perTransaction = 20;
  const uuids = Array.from({ length: 1000 }, () => randomUUID());
  await callUnary(clients.writer, 'transact', { operations: uuids.map((uuid) => createOf(interfaceResource(uuid))) }, { deadlineMs });
  const watchers: Array<ReturnType<typeof openCheapWatcher>> = [];
  for (let n = 0; n < watcherCount; n += 1) {
    const watcher = openCheapWatcher(clients.open());
    await watcher.inSync;
    watchers.push(watcher);
  }
  let changes = 0;
  const stopwatch = new Stopwatch(options.pids);
  const rate = await pace(2000 / perTransaction, options, () => {
    const operations = Array.from({ length: perTransaction }, () =>
      upsertOf(interfaceResource(uuids[changes % uuids.length], `change ${changes++}`)),
    );
    return callUnary(clients.writer, 'transact', { operations }, { deadlineMs });
  });
  const { cores } = stopwatch.stop();
  watchers.forEach((watcher) => watcher.close());
  return { rate: rate * perTransaction, cores };
}

export async function measureWatcherCost(
  options: ThroughputOptions,
  clients: { writer: ConfigServiceClient; open: () => ConfigServiceClient },
): Promise<ConfigRow> {
  const samples: number[] = [];
  const cores: Array<Record<string, number>> = [];
  const rates: number[] = [];
  for (let round = 0; round < options.rounds; round += 1) {
    const one = await coresWith(1, options, clients);
    const fifty = await coresWith(50, options, clients);
    samples.push(100 * ((fifty.cores['config-api'] ?? 0) - (one.cores['config-api'] ?? 0)));
    cores.push({ '1 watcher': one.cores['config-api'] ?? 0, '50 watchers': fifty.cores['config-api'] ?? 0 });
    rates.push(one.rate, fifty.rate);
  }
  const slowest = Math.round(Math.min(...rates));
  const what = `50 watchers instead of one, 2 000 changes/s (at least ${slowest.toLocaleString('en')} reached)`;
  return { what, goal: '25', unit: 'points of a core', samples, cores };
}
