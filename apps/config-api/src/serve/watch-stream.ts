import { parseResourceType } from '@contrail/resource-model';
import type { WatchRequest, WatchResponse } from '@contrail/proto-gen/config/v1/messages';
import type { ServerStream } from '@contrail/rpc';
import type { ResourceStore, WatchEvent } from '@contrail/store';
import { logger } from '@contrail/telemetry';
import { ChangesEncoder } from './changes-encoder';
import { snapshotResponse } from './encoded-responses';
import { changesSent, resyncs, watchers } from './metrics';

const log = logger('watch');
const encoder = new ChangesEncoder();

/**
 * Sends a watch to one client, no faster than the client reads. Ends after Resync, and when the client
 * or this process goes.
 */
export async function serveWatch(
  store: ResourceStore,
  request: WatchRequest,
  stream: ServerStream<WatchResponse>,
): Promise<void> {
  const types = request.types.map(parseResourceType);
  const typesKey = [...types].sort().join(' ');
  const caller = stream.caller.service;
  const sent = changesSent.labels({ caller });
  watchers.inc({ caller });
  try {
    for await (const event of store.watch({
      types,
      resume: request.resume,
      signal: stream.signal,
    })) {
      if (event.kind === 'changes') {
        await stream.writeEncoded(encoder.encode(event, typesKey));
        sent.inc(event.changes.length);
        continue;
      }
      if (event.kind === 'snapshot') {
        await stream.writeEncoded(snapshotResponse(event.objects));
        continue;
      }
      await stream.write(toResponse(event));
      if (event.kind === 'resync') {
        resyncs.inc({ caller });
        log.info('watcher must begin again', { caller, reason: event.reason });
      }
    }
  } catch (error) {
    if (!stream.signal.aborted) throw error;
  } finally {
    watchers.dec({ caller });
  }
}

function toResponse(
  event: Extract<WatchEvent, { kind: 'in-sync' | 'resync' }>,
): WatchResponse {
  switch (event.kind) {
    case 'in-sync':
      return { kind: { $case: 'inSync', value: { token: event.position } } };
    case 'resync':
      return { kind: { $case: 'resync', value: { reason: event.reason } } };
  }
}
