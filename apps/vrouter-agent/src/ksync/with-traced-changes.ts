import type { TracedChange } from '@contrail/proto-gen/control/v1/messages';
import { withSpanSync } from '@contrail/telemetry';

export interface TracedBatch {
  readonly node: string;
  readonly entries: number;
  readonly changes: readonly TracedChange[];
}

/**
 * Runs `program` once, inside one span for each traced change: every trace ends with the map writes
 * on this node, though many changes are written together.
 */
export function withTracedChanges(batch: TracedBatch, program: () => void): void {
  const [change, ...others] = batch.changes;
  if (!change) {
    program();
    return;
  }
  const attributes = {
    'contrail.node': batch.node,
    'contrail.revision': Number(change.revision),
    'contrail.entries': batch.entries,
    'contrail.type': change.type,
    'contrail.uuid': change.uuid,
  };
  withSpanSync('vrouter-agent program', { traceparent: change.traceparent, attributes }, () =>
    withTracedChanges({ ...batch, changes: others }, program),
  );
}
