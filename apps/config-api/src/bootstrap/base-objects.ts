import { setTimeout as delay } from 'node:timers/promises';
import { ContrailError } from '@contrail/errors';
import { baseObjects, metaOf } from '@contrail/resource-model';
import type { ResourceStore } from '@contrail/store';
import { logger } from '@contrail/telemetry';
import type { Transactor } from '../transact/transactor';

const log = logger('base-objects');
const retryMs = 500;
const lookAgainMs = 5_000;

/**
 * Creates the objects that every deployment has and that are absent; those that exist stay as they are.
 * Safe on every replica at once.
 */
export async function createBaseObjects(
  store: ResourceStore,
  transactor: Transactor,
): Promise<void> {
  const wanted = baseObjects();
  const stored = await store.getMany(wanted.map((resource) => metaOf(resource).uuid));
  const absent = wanted.filter((_, i) => stored[i] === undefined);
  if (absent.length === 0) return;
  const operations = absent.map((resource) => ({
    kind: { $case: 'create' as const, value: { resource } },
  }));
  await transactor.run(operations, '', { setsReadOnly: true });
  log.info('base objects created', { count: absent.length });
}

/**
 * Keeps them there until the signal is aborted: a store that lost its data comes back empty, and nothing could
 * be created in it. Says once why they cannot be created.
 *
 * @param onPresent called whenever all of them are there.
 */
export async function keepBaseObjects(
  store: ResourceStore,
  transactor: Transactor,
  { signal, onPresent }: { readonly signal: AbortSignal; readonly onPresent: () => void },
): Promise<void> {
  let said = '';
  while (!signal.aborted) {
    let waitMs = lookAgainMs;
    try {
      await createBaseObjects(store, transactor);
      said = '';
      onPresent();
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      const raced = error instanceof ContrailError && error.code === 'ALREADY_EXISTS';
      if (!raced && text !== said) log.warn('base objects cannot be created yet', { error });
      said = text;
      waitMs = retryMs;
    }
    await delay(waitMs, undefined, { signal }).catch(() => undefined);
  }
}
