import { gauge, logger } from '@contrail/telemetry';

const log = logger('health');
const storeUp = gauge('contrail_ipam_store_up_bool', '1 while the store can be read and written.');

/** Writes down that the store can be used, or why not. */
export function reportStore(problems: readonly string[]): void {
  storeUp.set(problems.length === 0 ? 1 : 0);
  if (problems.length === 0) log.info('the store can be used');
  else log.error('the store cannot be used', { problems });
}
