import { idsToFree } from '@contrail/resource-model';
import type { IdUse } from '@contrail/store';
import { addDerivedChildren } from './derived';
import { addNetworkAccessLists } from './network-access-lists';
import { addNumbers } from './numbers';
import type { TakenId } from './numbers';
import { addRemovals } from './removals';
import type { TransactionStore } from './transaction-reads';
import type { WorkingSet } from './working-set';

/** Numbers that a transaction takes and gives back. */
export interface IdChanges {
  readonly claims: readonly TakenId[];
  readonly frees: readonly IdUse[];
}

/**
 * Adds what the changed objects imply: children that they always have, route targets, numeric ids; with a
 * deleted object its own children go, and weak references to it.
 */
export async function addImplied(store: TransactionStore, set: WorkingSet): Promise<IdChanges> {
  await addDerivedChildren(store, set);
  await addNetworkAccessLists(store, set);
  await addRemovals(store, set);
  const claims = await addNumbers(store, set);
  return { claims, frees: set.deletions().flatMap(idsToFree) };
}
