import { gauge } from '@contrail/telemetry';
import type { Compiler } from '../engine/compiler';
import type { ControlEngine } from '../engine/control-engine';
import type { StreamHub } from '../stream/stream-hub';

export interface Observed {
  readonly compiler: Compiler;
  readonly engine: ControlEngine;
  readonly hub: StreamHub;
}

let observed: Observed | undefined;

/** Shows these parts in the metrics of the process from now on. */
export function observe(parts: Observed): void {
  observed = parts;
}

gauge('contrail_control_objects_count', 'Objects of the model by type', ['type'], function () {
  this.reset();
  const counts = new Map<string, number>();
  for (const { type } of observed?.compiler.model.everything() ?? []) counts.set(type, (counts.get(type) ?? 0) + 1);
  for (const [type, count] of counts) this.set({ type }, count);
});

gauge('contrail_control_refused_leaks_count', 'Pairs of networks that policies join, but whose routes are in conflict', [], function () {
  this.set(observed?.compiler.topology.refused.length ?? 0);
});

gauge('contrail_control_entries_count', 'Entries of the desired state of all nodes', [], function () {
  this.set(observed?.hub.table.size ?? 0);
});

gauge('contrail_control_agents_count', 'Agents that are connected', [], function () {
  this.set(observed?.hub.streamCount ?? 0);
});

gauge('contrail_control_pending_entries_count', 'Entries that agents have not been sent yet: of all, and of the slowest', ['of'], function () {
  let [all, slowest] = [0, 0];
  for (const { pendingCount } of observed?.hub.streams() ?? []) {
    all += pendingCount;
    slowest = Math.max(slowest, pendingCount);
  }
  this.set({ of: 'all' }, all);
  this.set({ of: 'slowest' }, slowest);
});

gauge('contrail_control_revision_lag_count', 'Revisions between the configuration and the node that is furthest behind', [], function () {
  const revision = observed?.engine.revision ?? 0n;
  let lag = 0n;
  for (const stream of observed?.hub.streams() ?? []) {
    const behind = revision - (stream.progress()?.revision ?? 0n);
    if (behind > lag) lag = behind;
  }
  this.set(Number(lag));
});
