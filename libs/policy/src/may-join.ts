import { passesAny } from './compile-connections';
import type { ConnectionRow } from './compile-connections';
import { judgingNetworks } from './judge-connection';
import type { NetworkPart } from './network-policy';
import { rulesBetween } from './rules-between';

/**
 * Whether two networks exchange routes: some connection between them passes, in one direction at least, and the policies of
 * each have a passing rule that names both ends by networks (R21: both ends attached). Rules with addresses alone judge what
 * others joined.
 *
 * @param rows of both directions.
 */
export function mayJoin(a: NetworkPart, b: NetworkPart, rows: readonly (readonly ConnectionRow[])[]): boolean {
  if (!rows.some(passesAny)) return false;
  return judgingNetworks(a, b).every((at) =>
    [...rulesBetween(at, a, b), ...rulesBetween(at, b, a)].some(({ joins, verdict }) => joins && verdict === 'pass'),
  );
}
