import type { TracedChange } from '@contrail/proto-gen/control/v1/messages';
import { withSpansSync } from '@contrail/telemetry';

export interface TracedBatch {
  readonly node: string;
  readonly entries: number;
  readonly changes: readonly TracedChange[];
}

/**
 * Runs `program` once, inside one span for each traced change: every trace ends with the map writes
 * on this node, though many changes are written together.
 */
export function withTracedChanges({ node, entries, changes }: TracedBatch, program: () => void): void {
  const traces = changes.map(({ traceparent, revision, type, uuid }) => ({
    traceparent,
    attributes: {
      'contrail.node': node,
      'contrail.revision': Number(revision),
      'contrail.entries': entries,
      'contrail.type': type,
      'contrail.uuid': uuid,
    },
  }));
  withSpansSync('vrouter-agent program', traces, program);
}
