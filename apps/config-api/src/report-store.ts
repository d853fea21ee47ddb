import { logger } from '@contrail/telemetry';
import { storeUp } from './serve/metrics';

const log = logger('health');

/** Writes down that the store can be used, or why not. */
export function reportStore(problems: readonly string[]): void {
  storeUp.set(problems.length === 0 ? 1 : 0);
  if (problems.length === 0) log.info('the store can be used');
  else log.error('the store cannot be used', { problems });
}
