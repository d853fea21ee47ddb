import { errorText } from '@contrail/errors';
import type { ConfigServiceClient } from '@contrail/proto-gen/config/v1/config_service';
import type { GetProgressResponse } from '@contrail/proto-gen/config/v1/messages';
import { systemClock } from '@contrail/reconcile';
import type { Clock } from '@contrail/reconcile';
import { callUnary } from '@contrail/rpc';
import { logger } from '@contrail/telemetry';
import { metrics } from './metrics';

const log = logger('progress');

/** How far each node is behind. */
export interface NodeLag {
  readonly node: string;
  readonly revisions: number;
  readonly exceptions: number;
}

/** A node counts as up to date when it has programmed the latest revision of the store. */
export function lagOf({ nodes, revision }: GetProgressResponse): NodeLag[] {
  return nodes.map((node) => ({
    node: node.node,
    revisions: Number(revision > node.revision ? revision - node.revision : 0n),
    exceptions: node.exceptions.length,
  }));
}

/** Asks config-api how far the nodes are, until the signal is aborted. */
export async function monitorProgress(
  client: ConfigServiceClient,
  intervalMs: number,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<void> {
  let trouble = '';
  while (!signal.aborted) {
    try {
      const lags = lagOf(await callUnary(client, 'getProgress', {}, { deadlineMs: 5_000, signal }));
      metrics.lag.reset();
      metrics.exceptions.reset();
      for (const { node, revisions, exceptions } of lags) {
        metrics.lag.set({ node }, revisions);
        metrics.exceptions.set({ node }, exceptions);
      }
      trouble = '';
    } catch (error) {
      // Said once; the watch of config-api reports the outage itself.
      if (!signal.aborted && trouble === '') log.warn('progress of the nodes is unknown', { error });
      trouble = errorText(error);
    }
    await clock.sleep(intervalMs, signal).catch(() => undefined);
  }
}
