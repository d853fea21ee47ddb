import { randomUUID } from 'node:crypto';
import { metaOf, toResource, wellKnownUuid } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { startRedis } from '@contrail/testing';
import type { TestRedis } from '@contrail/testing';
import { openStore } from './redis-store';
import type { ResourceStore, TransactionResult, Write } from './store';

let redis: TestRedis;
let store: ResourceStore;

beforeAll(async () => {
  redis = await startRedis({ args: [] });
});
afterAll(() => redis.stop());
beforeEach(() => {
  store = openStore({ redis: { url: redis.url }, deployment: randomUUID() });
});
afterEach(() => store.close());

const domainName = ['lab'];
const domain = toResource('domain', {
  meta: { uuid: wellKnownUuid('domain', domainName), fqName: domainName, parentType: '', parentUuid: '' },
});

function project(name: string): Resource {
  const fqName = [...domainName, name];
  const { uuid: parentUuid } = metaOf(domain);
  return toResource('project', {
    meta: { uuid: wellKnownUuid('project', fqName), fqName, parentType: 'domain', parentUuid },
  });
}

function transact(writes: readonly Write[]): Promise<TransactionResult> {
  return store.transact({ writes, claims: [], frees: [], traceparent: '' });
}

function create(...resources: readonly Resource[]): Promise<TransactionResult> {
  return transact(resources.map((resource) => ({ kind: 'put', resource, previous: undefined })));
}

it('commits transactions of one moment each by itself, in their order', async () => {
  await create(domain);
  const [a, b, c] = [project('a'), project('b'), project('c')];
  const results = await Promise.all([
    create(a),
    // One of its objects exists: neither is written.
    create(a, b),
    create(toResource('project', { meta: { ...metaOf(a), uuid: randomUUID() } })),
    create(b, c),
    transact([{ kind: 'delete', previous: toResource('domain', { meta: { ...metaOf(domain), revision: 1n } }) }]),
  ]);
  expect(results[0]).toMatchObject({ ok: true, revision: 2n });
  expect(results[1]).toMatchObject({ ok: false, failure: { kind: 'uuid-taken', write: 0 } });
  expect(results[2]).toEqual({ ok: false, failure: { kind: 'name-taken', write: 0, uuid: metaOf(a).uuid } });
  expect(results[3]).toMatchObject({ ok: true, revision: 4n });
  expect(results[4]).toMatchObject({ ok: false, failure: { kind: 'held', count: 3 } });
  const stored = await store.getMany([a, b, c].map((resource) => metaOf(resource).uuid));
  expect(stored.map((resource) => resource && metaOf(resource).revision)).toEqual([2n, 3n, 4n]);
  expect(await store.revision()).toBe(4n);
});

it('commits more objects than one command of Redis takes, and removes them', async () => {
  await create(domain);
  const many = Array.from({ length: 2_500 }, (_, i) => project(`p${i}`));
  expect(await create(...many)).toMatchObject({ ok: true, revision: 2501n });
  const { uuid } = metaOf(domain);
  expect(await store.dependents(uuid, 'c', 10_000)).toHaveLength(2_500);
  const page = await store.list({ type: 'project', after: '', limit: 3_000 });
  expect(new Set(page.resources.map((resource) => metaOf(resource).uuid)).size).toBe(2_500);
  const deleted = await transact(page.resources.map((previous) => ({ kind: 'delete', previous })));
  expect(deleted).toMatchObject({ ok: true, revision: 5001n });
  expect(await store.dependents(uuid, 'c', 10)).toEqual([]);
  expect(await store.list({ type: 'project', after: '', limit: 10 })).toEqual({ resources: [], next: '' });
});

it('lets a name that is freed be taken in the same transaction', async () => {
  await create(domain);
  await create(project('a'));
  const [previous] = (await store.list({ type: 'project', after: '', limit: 1 })).resources;
  if (previous === undefined) throw new Error('the project is not listed');
  const resource = toResource('project', { meta: { ...metaOf(previous), uuid: randomUUID(), revision: 0n } });
  const result = await transact([
    { kind: 'put', resource, previous: undefined },
    { kind: 'delete', previous },
  ]);
  expect(result).toMatchObject({ ok: true, revision: 4n });
  const name = { type: 'project', fqName: metaOf(resource).fqName } as const;
  expect(await store.findUuids([name])).toEqual([metaOf(resource).uuid]);
  expect(await store.dependents(metaOf(domain).uuid, 'c', 10)).toEqual([metaOf(resource).uuid]);
});

it('refuses a transaction with an object that is too big, and commits its neighbours', async () => {
  const annotations = { text: 'x'.repeat(300_000) };
  const big = toResource('domain', { meta: { ...metaOf(project('big')), annotations } });
  const [refused, done] = await Promise.allSettled([create(big), create(domain)]);
  expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'INVALID_ARGUMENT' } });
  expect(done).toMatchObject({ status: 'fulfilled', value: { ok: true, revision: 1n } });
});

it('answers every question of one moment with its own objects', async () => {
  await create(domain);
  const many = Array.from({ length: 30 }, (_, i) => project(`p${i}`));
  await create(...many);
  const uuids = many.map((resource) => metaOf(resource).uuid);
  const missing = randomUUID();
  const answers = await Promise.all(
    uuids.map((uuid, i) => store.getMany([uuid, missing, uuids[(i + 7) % 30] ?? ''])),
  );
  for (const [i, answer] of answers.entries())
    expect(answer.map((resource) => resource && metaOf(resource).uuid)).toEqual([
      uuids[i],
      undefined,
      uuids[(i + 7) % 30],
    ]);
});
