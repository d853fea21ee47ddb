import { ContrailError } from '@contrail/errors';
import type { KubeObject } from './kube-kind';

export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: T;
}

/**
 * One line of a watch.
 *
 * @throws ContrailError OUT_OF_RANGE for an ERROR event that says the position is too old, UNAVAILABLE for any
 *   other ERROR event, DATA_LOSS for a line that is no event.
 */
export function parseWatchEvent<T extends KubeObject>(line: string, subject: string): WatchEvent<T> {
  let event: { type?: unknown; object?: unknown } | null;
  try {
    event = JSON.parse(line) as typeof event;
  } catch (cause) {
    throw new ContrailError('DATA_LOSS', `watch ${subject}: a line is not JSON`, { cause });
  }
  const object = event?.object;
  if (typeof object !== 'object' || object === null) {
    throw new ContrailError('DATA_LOSS', `watch ${subject}: an event has no object`);
  }
  switch (event?.type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
    case 'BOOKMARK':
      return { type: event.type, object: object as T };
    case 'ERROR': {
      const { code, message } = object as { code?: number; message?: string };
      throw new ContrailError(
        code === 410 ? 'OUT_OF_RANGE' : 'UNAVAILABLE',
        `watch ${subject}: Kubernetes ended it with ${code ?? 'no code'}: ${message ?? ''}`,
      );
    }
    default:
      throw new ContrailError('DATA_LOSS', `watch ${subject}: unknown event type ${JSON.stringify(event?.type)}`);
  }
}
