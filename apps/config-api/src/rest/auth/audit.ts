import { logger } from '@contrail/telemetry';
import type { Verb } from './kubernetes-access';

const log = logger('audit');

/** Writes down who changed what, or wanted to and might not. */
export function audit(entry: {
  readonly user: string;
  readonly verb: Verb;
  /** `VirtualNetwork/default-domain:blue:net`, one or several. */
  readonly objects: readonly string[];
  readonly result: 'done' | 'denied';
}): void {
  log.info('change', { ...entry });
}
