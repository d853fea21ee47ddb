import { metaOf, toResource, typeOf, wellKnownUuid, withFields } from '@contrail/resource-model';
import type { ResourceType } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { startRedis } from '@contrail/testing';
import type { TestRedis } from '@contrail/testing';
import { MemoryStore } from './memory-store';
import { openStore } from './redis-store';
import type {
  CountLimit,
  ResourceStore,
  TransactionRequest,
  TransactionResult,
  WatchEvent,
  Write,
} from './store';
import type { StoredObject } from './stored-object';

const root = toResource('config-root', {
  meta: { uuid: wellKnownUuid('config-root', ['config-root']), fqName: ['config-root'] },
});

function child(type: ResourceType, parent: Resource, name: string): Resource {
  const parentName = typeOf(parent) === 'config-root' ? [] : metaOf(parent).fqName;
  const fqName = [...parentName, name];
  return toResource(type, {
    meta: {
      uuid: wellKnownUuid(type, fqName),
      fqName,
      parentType: typeOf(parent),
      parentUuid: metaOf(parent).uuid,
    },
  });
}

const domain = child('domain', root, 'default-domain');
const project = child('project', domain, 'blue');
const ipam = child('network-ipam', project, 'pods');
const network = withFields(child('virtual-network', project, 'net'), {
  networkIpamRefs: [
    {
      uuid: metaOf(ipam).uuid,
      fqName: metaOf(ipam).fqName,
      attr: { ipamSubnets: [], hostRoutes: undefined },
    },
  ],
});

const create = (resource: Resource): Write => ({ kind: 'put', resource, previous: undefined });

function request(writes: Write[], extra: Partial<TransactionRequest> = {}): TransactionRequest {
  return { writes, claims: [], frees: [], traceparent: '', ...extra };
}

async function stored(store: ResourceStore, resource: Resource): Promise<Resource> {
  const [found] = await store.getMany([metaOf(resource).uuid]);
  if (found === undefined) throw new Error('not stored');
  return found;
}

function failureOf(result: TransactionResult): unknown {
  return result.ok ? undefined : result.failure;
}

function objectsOf(result: TransactionResult): readonly (StoredObject | undefined)[] {
  return result.ok ? result.objects : [];
}

/** Reads events until the condition holds. */
async function readUntil(
  store: ResourceStore,
  options: { types?: ResourceType[]; resume?: { epoch: string; revision: bigint } },
  done: (events: WatchEvent[]) => boolean,
): Promise<WatchEvent[]> {
  const controller = new AbortController();
  const events: WatchEvent[] = [];
  for await (const event of store.watch({ types: [], signal: controller.signal, ...options })) {
    events.push(event);
    if (done(events)) break;
  }
  controller.abort();
  return events;
}

const isKind = (kind: WatchEvent['kind']) => (events: WatchEvent[]) => events.at(-1)?.kind === kind;

describe.each(['redis', 'memory'])('the store (%s)', (implementation) => {
  let redis: TestRedis | undefined;
  let store: ResourceStore;

  beforeAll(async () => {
    if (implementation === 'redis') redis = await startRedis();
  });
  afterAll(async () => {
    await redis?.stop();
  });
  let number = 0;
  beforeEach(async () => {
    number += 1;
    store =
      redis === undefined
        ? new MemoryStore()
        : openStore({ redis: { url: redis.url }, deployment: `test-${number}` });
    while ((await store.problems()).length > 0)
      await new Promise((resolve) => setTimeout(resolve, 5));
    const result = await store.transact(
      request([root, domain, project, ipam, network].map(create)),
    );
    expect(result).toMatchObject({ ok: true, revision: 5n });
    expect(objectsOf(result).map((object) => object?.revision)).toEqual([1n, 2n, 3n, 4n, 5n]);
  });
  afterEach(async () => {
    await store.close();
  });

  it('gives back what was written, with its revision', async () => {
    const found = await stored(store, network);
    expect(metaOf(found).revision).toBe(5n);
    expect(metaOf(found).fqName).toEqual(['default-domain', 'blue', 'net']);
    const names = [
      { type: 'virtual-network', fqName: ['default-domain', 'blue', 'net'] },
      { type: 'virtual-network', fqName: ['default-domain', 'blue', 'other'] },
    ] as const;
    expect(await store.findUuids(names)).toEqual([metaOf(network).uuid, undefined]);
  });

  it('accepts a transaction whose objects refer forward', async () => {
    const p = child('project', domain, 'green');
    const i = child('network-ipam', p, 'i');
    expect(await store.transact(request([create(i), create(p)]))).toMatchObject({ ok: true });
  });

  it('changes an object only while it is as read', async () => {
    const before = await stored(store, project);
    const changed = withFields(before, { vxlanRouting: true });
    const write: Write = { kind: 'put', resource: changed, previous: before };
    expect(await store.transact(request([write]))).toMatchObject({ ok: true, revision: 6n });
    expect(failureOf(await store.transact(request([write])))).toEqual({
      kind: 'conflict',
      write: 0,
    });
    expect(failureOf(await store.transact(request([{ kind: 'check', previous: before }])))).toEqual(
      {
        kind: 'conflict',
        write: 0,
      },
    );
  });

  it.each<[string, () => Write, unknown]>([
    ['a uuid twice', () => create(project), { kind: 'uuid-taken', write: 0, type: 'project' }],
    [
      'a name twice',
      () => create(withUuid(project, '11111111-1111-4111-8111-111111111111')),
      { kind: 'name-taken', write: 0, uuid: metaOf(project).uuid },
    ],
    [
      'a parent that does not exist',
      () => create(child('network-ipam', child('project', domain, 'none'), 'x')),
      { kind: 'parent-missing', write: 0, uuid: metaOf(child('project', domain, 'none')).uuid },
    ],
    [
      'a reference to what does not exist',
      () =>
        create(
          withFields(
            child('virtual-network', project, 'x'),
            refTo('22222222-2222-4222-8222-222222222222'),
          ),
        ),
      { kind: 'reference-missing', write: 0, uuid: '22222222-2222-4222-8222-222222222222' },
    ],
    [
      'a reference to an object of another type',
      () => create(withFields(child('virtual-network', project, 'x'), refTo(metaOf(project).uuid))),
      { kind: 'reference-missing', write: 0, uuid: metaOf(project).uuid },
    ],
  ])('refuses %s and changes nothing', async (_, write, failure) => {
    const other = child('project', domain, 'innocent');
    const result = await store.transact(request([write(), create(other)]));
    expect(failureOf(result)).toEqual(failure);
    expect(await store.getMany([metaOf(other).uuid])).toEqual([undefined]);
    expect(await store.revision()).toBe(5n);
  });

  it('keeps what has children or references, and names them', async () => {
    const p = await stored(store, project);
    const i = await stored(store, ipam);
    expect(failureOf(await store.transact(request([{ kind: 'delete', previous: i }])))).toEqual({
      kind: 'held',
      write: 0,
      count: 1,
      dependents: [{ kind: 's', uuid: metaOf(network).uuid }],
    });
    expect(
      failureOf(await store.transact(request([{ kind: 'delete', previous: p }]))),
    ).toMatchObject({
      kind: 'held',
      count: 2,
    });
    expect(await store.dependents(metaOf(project).uuid, 'c', 10)).toEqual(
      [metaOf(ipam).uuid, metaOf(network).uuid].sort(),
    );
  });

  it('deletes a whole tree in one transaction, in any order, and frees the names', async () => {
    const all = await Promise.all(
      [project, network, ipam].map((resource) => stored(store, resource)),
    );
    const writes = all.map((previous): Write => ({ kind: 'delete', previous }));
    const again = withUuid(project, '33333333-3333-4333-8333-333333333333');
    expect(await store.transact(request([...writes, create(again)]))).toMatchObject({
      ok: true,
      revision: 9n,
    });
    expect(await store.getMany([metaOf(project).uuid])).toEqual([undefined]);
    expect(await store.findUuids([{ type: 'project', fqName: metaOf(project).fqName }])).toEqual([
      metaOf(again).uuid,
    ]);
  });

  it('refuses more objects of a type below a name, or that refer to an object, than a limit allows', async () => {
    const blueish = child('project', domain, 'blue!');
    const other = child('virtual-network', project, 'other');
    const named = { type: 'virtual-network', of: { kind: 'named', fqName: metaOf(project).fqName } } as const;
    const referrers = { type: 'virtual-network', of: { kind: 'referrers', uuid: metaOf(ipam).uuid } } as const;
    const attempt = (limit: CountLimit): Promise<TransactionResult> =>
      store.transact(request([create(other)], { limits: [{ ...named, added: 0, max: 1 }, limit] }));
    const refused = { kind: 'over-limit', limit: 1 };
    expect(failureOf(await attempt({ ...named, added: 1, max: 1 }))).toEqual(refused);
    expect(failureOf(await attempt({ ...referrers, added: 1, max: 1 }))).toEqual(refused);
    expect(await store.getMany([metaOf(other).uuid])).toEqual([undefined]);
    await store.transact(request([create(blueish), create(child('virtual-network', blueish, 'net'))]));
    expect(failureOf(await attempt({ ...named, added: 1, max: 2 }))).toBeUndefined();
    expect(failureOf(await store.transact(request([create(child('virtual-network', project, 'third'))], {
      limits: [{ ...referrers, added: 0, max: 1 }],
    })))).toBeUndefined();
  });

  it('lists in order of names, in pages, and the children of one parent', async () => {
    const names = ['c', 'a', 'b', 'blue x', 'e'];
    await store.transact(request(names.map((name) => create(child('project', domain, name)))));
    const other = child('network-ipam', child('project', domain, 'blue x'), 'i');
    await store.transact(request([create(other)]));
    const seen: string[] = [];
    let after = '';
    do {
      const page = await store.list({ type: 'project', after, limit: 2 });
      seen.push(...page.resources.map((resource) => metaOf(resource).fqName[1] ?? ''));
      after = page.next;
    } while (after !== '');
    expect(seen).toEqual(['a', 'b', 'blue', 'blue x', 'c', 'e']);
    const parent = {
      type: 'project',
      uuid: metaOf(project).uuid,
      fqName: metaOf(project).fqName,
    } as const;
    const page = await store.list({ type: 'network-ipam', parent, after: '', limit: 10 });
    expect(page.resources.map((resource) => metaOf(resource).fqName.at(-1))).toEqual(['pods']);
    expect(page.next).toBe('');
  });

  it('watches: snapshot with parents first, in-sync, then each change with its trace', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const added = child('project', domain, 'added');
    let written: Promise<unknown> | undefined;
    const events = await readUntil(store, {}, (seen) => {
      if (seen.at(-1)?.kind === 'in-sync') written ??= store.transact(request([create(added)], { traceparent }));
      return seen.at(-1)?.kind === 'changes';
    });
    // The answer may come after the change.
    await written;
    const snapshot = events.flatMap((event) => (event.kind === 'snapshot' ? event.objects : []));
    expect(snapshot.map(({ type }) => type)).toEqual([
      'config-root',
      'domain',
      'project',
      'network-ipam',
      'virtual-network',
    ]);
    expect(events.find((event) => event.kind === 'in-sync')).toMatchObject({
      position: { revision: 5n },
    });
    const last = events.at(-1);
    expect(last).toMatchObject({
      kind: 'changes',
      changes: [{ revision: 6n, type: 'project', uuid: metaOf(added).uuid, traceparent }],
      position: { revision: 6n },
    });
  });

  it('resumes after a position and gives only the wanted types', async () => {
    const [inSync] = (await readUntil(store, {}, isKind('in-sync'))).slice(-1);
    if (inSync?.kind !== 'in-sync') throw new Error('no in-sync');
    const p = child('project', domain, 'p');
    await store.transact(request([create(p), create(child('network-ipam', p, 'i'))]));
    const events = await readUntil(
      store,
      { types: ['network-ipam'], resume: inSync.position },
      isKind('changes'),
    );
    expect(events.map(({ kind }) => kind)).toEqual(['in-sync', 'changes']);
    expect(events[1]).toMatchObject({ changes: [{ type: 'network-ipam', revision: 7n }] });
  });

  it('tells a watcher how far the store is, also by changes of types that it does not want', async () => {
    const [inSync] = (await readUntil(store, {}, isKind('in-sync'))).slice(-1);
    if (inSync?.kind !== 'in-sync') throw new Error('no in-sync');
    const p = child('project', domain, 'p');
    await store.transact(request([create(p), create(child('network-ipam', p, 'i')), create(child('virtual-network', p, 'n'))]));
    let other: Promise<unknown> | undefined;
    const events = await readUntil(store, { types: ['network-ipam'], resume: inSync.position }, (seen) => {
      const last = seen.at(-1);
      if (last?.kind !== 'changes') return false;
      if (last.changes.length > 0) other ??= store.transact(request([create(child('project', domain, 'q'))]));
      return last.changes.length === 0;
    });
    await other;
    expect(events.slice(1)).toMatchObject([
      { changes: [{ revision: 7n }], position: { revision: 8n } },
      { changes: [], position: { revision: 9n } },
    ]);
  });

  it('tells a watcher of another epoch or of the future to start again', async () => {
    for (const resume of [
      { epoch: 'another', revision: 1n },
      { epoch: 'memory', revision: 99n },
    ]) {
      expect(await readUntil(store, { resume }, () => false)).toEqual([
        { kind: 'resync', reason: expect.any(String) as string },
      ]);
    }
  });

  it('gives a deletion without state', async () => {
    const [inSync] = (await readUntil(store, {}, isKind('in-sync'))).slice(-1);
    if (inSync?.kind !== 'in-sync') throw new Error('no in-sync');
    await store.transact(request([{ kind: 'delete', previous: await stored(store, network) }]));
    const events = await readUntil(store, { resume: inSync.position }, isKind('changes'));
    expect(events[1]).toMatchObject({
      changes: [{ uuid: metaOf(network).uuid, object: undefined }],
    });
  });

  it('allots equal numbers for equal keys and frees them with the object', async () => {
    expect(await store.allot('label', ['a', 'b', 'a'])).toEqual([1, 2, 1]);
    expect(await store.allot('label', ['c', 'b'])).toEqual([3, 2]);
    expect(await store.allot('route-target', ['x'])).toEqual([8_000_000]);
    const p = child('project', domain, 'p');
    const claim = { space: 'label', key: 'a' } as const;
    const wrong = await store.transact(request([create(p)], { claims: [{ ...claim, id: 7 }] }));
    expect(failureOf(wrong)).toEqual({ kind: 'claim-lost' });
    const result = await store.transact(
      request([create(p)], { claims: [{ ...claim, id: 1 }], frees: [claim] }),
    );
    expect(result.ok).toBe(true);
    expect(await store.allot('label', ['a'])).toEqual([4]);
  });

  it('keeps the texts of clients by key', async () => {
    expect(await store.getText('view')).toBeUndefined();
    await store.setText('view', '{"a": 1}');
    await store.setText('name', 'ä');
    await store.setText('view', '{}');
    expect(await store.texts()).toEqual([
      { key: 'name', text: 'ä' },
      { key: 'view', text: '{}' },
    ]);
    expect(await store.deleteText('view')).toBe(true);
    expect(await store.deleteText('view')).toBe(false);
    expect(await store.getText('name')).toBe('ä');
  });

  it('keeps the progress of nodes', async () => {
    await store.reportProgress([
      { node: 'n2', revision: 5n, exceptions: [], reportedAtMs: 1n, madeRevision: 0n, movedRevision: 0n },
      {
        node: 'n1',
        revision: 4n,
        exceptions: [{ type: 'project', uuid: 'u', reason: 'r' }],
        reportedAtMs: 1n,
        madeRevision: 0n,
        movedRevision: 0n,
      },
    ]);
    await store.reportProgress([{ node: 'n2', revision: 6n, exceptions: [], reportedAtMs: 2n, madeRevision: 0n, movedRevision: 0n }]);
    expect((await store.progress()).map(({ node, revision }) => [node, revision])).toEqual([
      ['n1', 4n],
      ['n2', 6n],
    ]);
    await store.forgetProgress(['n1']);
    expect((await store.progress()).map(({ node }) => node)).toEqual(['n2']);
  });
});

function withUuid(resource: Resource, uuid: string): Resource {
  return withFields(resource, { meta: { ...metaOf(resource), uuid } });
}

function refTo(uuid: string): Record<string, unknown> {
  return { networkIpamRefs: [{ uuid, fqName: ['x'], attr: undefined }] };
}
