import { systemClock } from '@contrail/reconcile';
import { metaOf, toResource, wellKnownUuid } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { MemoryStore } from '@contrail/store';
import { createBaseObjects } from '../bootstrap/base-objects';
import { Transactor } from '../transact/transactor';
import { reportConflicts } from './report-conflicts';

const type = 'virtual-network';
const fqName = ['default-domain', 'default-project', 'red'];
const uuid = wellKnownUuid(type, fqName);
const red = toResource(type, { meta: { uuid, fqName, parentType: 'project', annotations: { owner: 'me' } }, isShared: true });

let store: MemoryStore;
let transactor: Transactor;

beforeEach(async () => {
  store = new MemoryStore();
  transactor = new Transactor({ store, clock: systemClock, onRetry: () => undefined });
  await createBaseObjects(store, transactor);
  await transactor.run([{ kind: { $case: 'upsert', value: { resource: red } } }], '');
});

async function stored(): Promise<Resource> {
  const [found] = await store.getMany([uuid]);
  if (found === undefined) throw new Error('the network is gone');
  return found;
}

const annotations = async (): Promise<Record<string, string>> => metaOf(await stored()).annotations;

it('writes, keeps and removes the annotation, and leaves everything else', async () => {
  await reportConflicts(transactor, { conflicts: [{ type, uuid, text: 'overlaps blue' }] });
  expect(await annotations()).toEqual({ owner: 'me', route_conflict: 'overlaps blue' });
  const { revision } = metaOf(await stored());
  await reportConflicts(transactor, { conflicts: [{ type, uuid, text: 'overlaps blue' }] });
  expect(metaOf(await stored()).revision).toBe(revision);
  await reportConflicts(transactor, { conflicts: [{ type, uuid, text: '' }] });
  expect(await annotations()).toEqual({ owner: 'me' });
  expect((await stored()).kind?.value).toMatchObject({ isShared: true });
});

it('passes over objects that are gone', async () => {
  const gone = { type: 'network-policy', uuid: wellKnownUuid('network-policy', fqName), text: 'x' };
  await reportConflicts(transactor, { conflicts: [gone, { type, uuid, text: 'overlaps blue' }] });
  expect(await annotations()).toMatchObject({ route_conflict: 'overlaps blue' });
});

it.each([
  [[{ type: 'project', uuid, text: 'x' }], 'conflicts[0].type: is "project"; write virtual-network or network-policy'],
  [Array.from({ length: 1001 }, () => ({ type, uuid, text: 'x' })), 'conflicts: has 1001 entries, but at most 1000 are allowed'],
])('refuses what nobody may report', async (conflicts, problem) => {
  await expect(reportConflicts(transactor, { conflicts })).rejects.toThrow(problem);
  expect(await annotations()).toEqual({ owner: 'me' });
});
