import { errorText } from '@contrail/errors';
import type { IpamServiceClient } from '@contrail/proto-gen/ipam/v1/ipam_service';
import type { NetworkSpace, SubnetUsage } from '@contrail/proto-gen/ipam/v1/messages';
import { backoffDelayMs, systemClock } from '@contrail/reconcile';
import type { BackoffPolicy } from '@contrail/reconcile';
import { openServerStream } from '@contrail/rpc';
import { logger } from '@contrail/telemetry';

const log = logger('space-watch');
const watchBackoff: BackoffPolicy = { firstMs: 200, maxMs: 10_000, factor: 2, jitter: 0.5 };

export interface SpaceListener {
  /** A network that had no address for somebody has some now. */
  onSpace(space: NetworkSpace): void;
  /** A subnet will be exhausted before long. */
  onFilling(subnet: SubnetUsage): void;
}

/** Follows what ipam says of free addresses, until the signal is aborted. What is missed meanwhile ipam says again. */
export async function watchSpace(client: IpamServiceClient, listener: SpaceListener, signal: AbortSignal): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    let problem = 'the stream ended';
    try {
      for await (const { networks, filling } of openServerStream(client, 'watchSpace', {}, { signal })) {
        failures = 0;
        for (const space of networks) listener.onSpace(space);
        for (const subnet of filling) listener.onFilling(subnet);
      }
    } catch (error) {
      problem = errorText(error);
    }
    if (signal.aborted) return;
    failures += 1;
    const retryMs = backoffDelayMs(watchBackoff, failures, Math.random());
    log.warn('the watch of ipam broke', { problem, retryMs });
    await systemClock.sleep(retryMs, signal).catch(() => undefined);
  }
}
