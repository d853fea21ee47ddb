import type { Clock } from '@contrail/reconcile';
import { counter, gauge, logger } from '@contrail/telemetry';
import type { CniContext } from '../cni-server/cni-context';
import type { Loss } from '../node/node-sync';
import { absent, driftKinds } from './drift';
import type { MendedDrift, Verified, Verifier } from './verifier';

const log = logger('verify');
const name = (suffix: string): string => `contrail_vrouter_agent_drift_${suffix}`;
const found = counter(name('found_total'), 'Differences between desired and actual that were found.', ['kind']);
const mended = counter(name('mended_total'), 'Of these, those that the agent mended.', ['kind']);
const left = gauge(name('left'), 'Differences that the last comparison could not mend.', ['kind']);
const seconds = gauge(name('check_seconds'), 'How long the last comparison took.');
const checkedAt = gauge(name('checked_timestamp_seconds'), 'When the last comparison ended, in Unix time.');

/** Tells the administrator that somebody changed the node behind the agent. */
export interface DriftEvents {
  drifted(drifts: readonly MendedDrift[]): void;
}

export interface DriftWatchOptions {
  readonly context: CniContext;
  readonly verifier: Verifier;
  readonly events: DriftEvents;
  readonly clock: Clock;
  readonly intervalMs: number;
}

/** Verifies and repairs the node again and again; what it finds is logged, counted and an event. */
export async function watchDrift(options: DriftWatchOptions, signal: AbortSignal): Promise<void> {
  const { context, verifier, events, clock, intervalMs } = options;
  for (;;) {
    try {
      await clock.sleep(intervalMs, signal);
    } catch {
      return;
    }
    if (!context.state.inSync) continue;
    try {
      const beganMs = clock.now();
      const result = await verifier.run({ repair: true, thorough: false });
      seconds.set((clock.now() - beganMs) / 1000);
      checkedAt.set(clock.now() / 1000);
      report(result);
      if (result.drifts.length > 0) events.drifted(result.drifts);
    } catch (error) {
      log.warn('the node could not be verified', { error });
    }
  }
}

/** What was noticed and mended between two comparisons is told in the same ways. */
export function reportLosses(events: DriftEvents, losses: readonly Loss[]): void {
  const drifts = losses.map(
    (loss): MendedDrift => ({ ...loss, found: loss.found ?? absent, remedy: 'the agent made it again; find who takes it away', mended: true }),
  );
  for (const drift of drifts) {
    found.inc({ kind: drift.kind });
    mended.inc({ kind: drift.kind });
    log.warn('drift', { ...drift });
  }
  events.drifted(drifts);
}

function report({ drifts }: Verified): void {
  const open = new Map<string, number>(driftKinds.map((kind) => [kind, 0]));
  for (const drift of drifts) {
    found.inc({ kind: drift.kind });
    if (drift.mended) mended.inc({ kind: drift.kind });
    else open.set(drift.kind, (open.get(drift.kind) ?? 0) + 1);
    log.warn('drift', { ...drift });
  }
  for (const [kind, count] of open) left.set({ kind }, count);
}
