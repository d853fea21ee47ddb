import { parseResourceType } from '@contrail/resource-model';
import type { WatchRequest, WatchResponse } from '@contrail/proto-gen/config/v1/messages';
import type { ServerStream } from '@contrail/rpc';
import type { ResourceStore, WatchEvent } from '@contrail/store';
import { logger } from '@contrail/telemetry';
import { changesSent, resyncs, watchers } from './metrics';

const log = logger('watch');

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
  const caller = stream.caller.service;
  watchers.inc({ caller });
  try {
    for await (const event of store.watch({
      types,
      resume: request.resume,
      signal: stream.signal,
    })) {
      await stream.write(toResponse(event));
      if (event.kind === 'changes') changesSent.inc({ caller }, event.changes.length);
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

function toResponse(event: WatchEvent): WatchResponse {
  switch (event.kind) {
    case 'snapshot':
      return { kind: { $case: 'snapshot', value: { resources: [...event.resources] } } };
    case 'in-sync':
      return { kind: { $case: 'inSync', value: { token: event.position } } };
    case 'changes': {
      const changes = event.changes.map(({ revision, type, uuid, resource, traceparent }) => ({
        revision,
        type,
        uuid,
        resource,
        traceparent,
      }));
      return { kind: { $case: 'changes', value: { changes, token: event.position } } };
    }
    case 'resync':
      return { kind: { $case: 'resync', value: { reason: event.reason } } };
  }
}
