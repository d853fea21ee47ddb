import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createClient } from 'redis';
import { metaOf, toResource, wellKnownUuid } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { startRedis, testPki } from '@contrail/testing';
import type { TestCertificate, TestRedis } from '@contrail/testing';
import { openStore } from './redis-store';
import type { StoreOptions } from './redis-store';
import type { ResourceStore, WatchEvent, WatchPosition, Write } from './store';

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(args: string[] = []): Promise<TestRedis> {
  const redis = await startRedis({ args });
  cleanups.push(() => redis.stop());
  return redis;
}

function open(redis: TestRedis, options: Partial<StoreOptions> = {}): ResourceStore {
  const store = openStore({ redis: { url: redis.url }, ...options });
  cleanups.push(() => store.close());
  return store;
}

/** Speaks to Redis directly, as an operator would. */
async function admin(redis: TestRedis, ...command: string[]): Promise<void> {
  const client = createClient({ url: redis.url, RESP: 2 });
  await client.connect();
  try {
    await client.sendCommand(command);
  } finally {
    client.destroy();
  }
}

function vm(name: string): Resource {
  return toResource('virtual-machine', {
    meta: { uuid: wellKnownUuid('virtual-machine', [name]), fqName: [name] },
  });
}

async function write(store: ResourceStore, ...names: string[]): Promise<void> {
  const writes = names.map((name): Write => ({
    kind: 'put',
    resource: vm(name),
    previous: undefined,
  }));
  const result = await store.transact({ writes, claims: [], frees: [], traceparent: '' });
  expect(result.ok).toBe(true);
}

async function eventually(condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 400; i += 1) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('the condition never became true');
}

const isUsable = (store: ResourceStore) => async (): Promise<boolean> =>
  (await store.problems()).length === 0;

async function positionNow(store: ResourceStore): Promise<WatchPosition> {
  const controller = new AbortController();
  for await (const event of store.watch({ types: [], signal: controller.signal })) {
    if (event.kind === 'in-sync') return event.position;
  }
  throw new Error('no in-sync');
}

/** Follows until `resync`; resolves when the watch stands. */
async function followUntilResync(
  store: ResourceStore,
  resume: WatchPosition,
): Promise<{ seen: WatchEvent[]; done: Promise<void> }> {
  const seen: WatchEvent[] = [];
  const controller = new AbortController();
  const done = (async () => {
    for await (const event of store.watch({ types: [], resume, signal: controller.signal }))
      seen.push(event);
  })();
  cleanups.push(() => {
    controller.abort();
    return done.catch(() => undefined);
  });
  await eventually(() => Promise.resolve(seen.length > 0));
  return { seen, done };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const appendOnly = ['--appendonly', 'yes', '--appendfsync', 'always'];

it('keeps every acknowledged write when Redis is killed, and begins a new epoch', async () => {
  const redis = await start(appendOnly);
  const store = open(redis);
  await write(store, 'a', 'b');
  const before = await positionNow(store);
  const { done, seen } = await followUntilResync(store, before);
  await redis.restart();
  await eventually(isUsable(store));
  await done;
  expect(seen.at(-1)).toMatchObject({ kind: 'resync' });
  const uuids = ['a', 'b'].map((name) => metaOf(vm(name)).uuid);
  expect(
    (await store.getMany(uuids)).map((resource) => resource && metaOf(resource).fqName),
  ).toEqual([['a'], ['b']]);
  const after = await positionNow(store);
  expect(after.epoch).not.toBe(before.epoch);
  expect(after.revision).toBe(before.revision);
});

it('tells watchers to begin again when Redis lost writes, even without a restart', async () => {
  const redis = await start();
  const store = open(redis);
  await write(store, 'a');
  const { done, seen } = await followUntilResync(store, await positionNow(store));
  await admin(redis, 'FLUSHALL');
  await done;
  expect(seen.at(-1)).toMatchObject({ kind: 'resync' });
  expect((await positionNow(store)).revision).toBe(0n);
  await write(store, 'b');
}, 10_000);

it('goes on with the same watch after a broken connection', async () => {
  const redis = await start();
  const store = open(redis);
  await write(store, 'a');
  const { seen } = await followUntilResync(store, await positionNow(store));
  await admin(redis, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await eventually(isUsable(store));
  await write(store, 'b');
  await eventually(() => Promise.resolve(seen.some(({ kind }) => kind === 'changes')));
  expect(seen.map(({ kind }) => kind)).toEqual(['in-sync', 'changes']);
});

it('tells a watcher that fell behind the bounded log to begin again', async () => {
  const redis = await start();
  const store = open(redis, { logLength: 100 });
  await write(store, 'first');
  const position = await positionNow(store);
  const names = Array.from({ length: 20_000 }, (_, i) => `vm-${i}`);
  for (let i = 0; i < names.length; i += 1000) await write(store, ...names.slice(i, i + 1000));
  const late = open(redis, { logLength: 100 });
  const { seen, done } = await followUntilResync(late, position);
  await done;
  expect(seen).toEqual([
    { kind: 'resync', reason: 'the change log does not reach back to the position' },
  ]);
}, 20_000);

it('gives a consistent snapshot while others write', async () => {
  const redis = await start();
  const store = open(redis);
  const names = Array.from({ length: 3_000 }, (_, i) => `vm-${String(i).padStart(5, '0')}`);
  for (let i = 0; i < names.length; i += 1000) await write(store, ...names.slice(i, i + 1000));
  const controller = new AbortController();
  const known = new Set<string>();
  let pages = 0;
  for await (const event of store.watch({ types: [], signal: controller.signal })) {
    if (event.kind === 'snapshot') {
      pages += 1;
      for (const { resource } of event.objects) known.add(metaOf(resource).uuid);
      // Behind the reader: one that was sent goes, one that was passed by comes.
      if (pages === 3) {
        const [gone] = await store.getMany([metaOf(vm('vm-00000')).uuid]);
        if (gone === undefined) throw new Error('not stored');
        await store.transact({
          writes: [{ kind: 'delete', previous: gone }],
          claims: [],
          frees: [],
          traceparent: '',
        });
        await write(store, 'vm-00000a');
      }
    }
    if (event.kind === 'in-sync') expect(known.has(metaOf(vm('vm-00000a')).uuid)).toBe(true);
    if (event.kind === 'changes') {
      for (const { uuid, object } of event.changes)
        if (object === undefined) known.delete(uuid);
      break;
    }
  }
  controller.abort();
  expect(known.size).toBe(3_000);
  expect(known.has(metaOf(vm('vm-00000')).uuid)).toBe(false);
}, 20_000);

it('shares one Redis between deployments and between versions of this software', async () => {
  const redis = await start();
  const [one, two] = [open(redis, { deployment: 'one' }), open(redis, { deployment: 'two' })];
  await write(one, 'a');
  expect(await two.getMany([metaOf(vm('a')).uuid])).toEqual([undefined]);
  await admin(redis, 'FUNCTION', 'FLUSH');
  await write(two, 'a');
});

it('frees a number that nobody claimed in time, and keeps a claimed one', async () => {
  const store = open(await start(), { pendingIdMs: 100 });
  expect(await store.allot('label', ['lost', 'kept'], true)).toEqual([1, 2]);
  const claim = { space: 'label', key: 'kept', id: 2 } as const;
  const create: Write = { kind: 'put', resource: vm('kept'), previous: undefined };
  expect(
    await store.transact({ writes: [create], claims: [claim], frees: [], traceparent: '' }),
  ).toMatchObject({ ok: true });
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(await store.allot('label', ['next'], true)).toEqual([3]);
  expect(await store.allot('label', ['lost', 'kept'])).toEqual([4, 2]);
});

it('speaks mutual TLS as an ACL user, and uses new certificates when it connects again', async () => {
  const pki = testPki();
  const folder = mkdtempSync(path.join(tmpdir(), 'redis-tls-'));
  cleanups.push(() => rm(folder, { recursive: true }));
  const save = (
    name: string,
    certificate: TestCertificate,
  ): { certFile: string; keyFile: string; caFile: string } => {
    for (const part of ['cert', 'key', 'ca'] as const)
      writeFileSync(path.join(folder, `${name}.${part}`), certificate[part]);
    return {
      certFile: path.join(folder, `${name}.cert`),
      keyFile: path.join(folder, `${name}.key`),
      caFile: path.join(folder, `${name}.ca`),
    };
  };
  const server = save('server', pki.issue('redis-server'));
  const port = await freePort();
  const redis = await start([
    ...[
      '--tls-port',
      String(port),
      '--tls-cert-file',
      server.certFile,
      '--tls-key-file',
      server.keyFile,
    ],
    ...[
      '--tls-ca-cert-file',
      server.caFile,
      '--tls-auth-clients',
      'yes',
      '--user',
      'config-api',
      'on',
      '>secret',
      '~*',
      '&*',
      '+@all',
    ],
  ]);
  const passwordFile = path.join(folder, 'password');
  writeFileSync(passwordFile, 'secret\n');
  const tlsFiles = save('client', testPki().issue('config-api'));
  const options = { url: `rediss://127.0.0.1:${port}`, user: 'config-api', passwordFile, tlsFiles };
  const store = openStore({ redis: options });
  cleanups.push(() => store.close());
  await expect(store.revision()).rejects.toThrow(
    /cannot be reached by TLS .*check the scheme of REDIS_URL, TLS_CA_FILE/,
  );
  save('client', pki.issue('config-api'));
  await eventually(isUsable(store));
  await write(store, 'a');
  await admin(redis, 'ACL', 'DELUSER', 'config-api');
  await expect(write(store, 'b')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
}, 20_000);

describe('says what is wrong and what to do', () => {
  it('with a wrong password', async () => {
    const redis = await start(['--requirepass', 'right']);
    const passwordFile = path.join(redis.directory, 'password');
    writeFileSync(passwordFile, 'wrong\n');
    const store = openStore({ redis: { url: redis.url, passwordFile } });
    cleanups.push(() => store.close());
    await expect(store.revision()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(store.revision()).rejects.toThrow(
      /refuses the user name or password .*correct REDIS_USER and the Secret behind REDIS_PASSWORD_FILE/,
    );
    // A corrected Secret is used without restart.
    writeFileSync(passwordFile, 'right\n');
    await eventually(isUsable(store));
  });

  it('without a server', async () => {
    const store = openStore({ redis: { url: 'unix:///nonexistent/redis.sock' } });
    cleanups.push(() => store.close());
    await expect(store.revision()).rejects.toThrow(
      /cannot be reached .*check that REDIS_URL names it, and the state and log of the Redis pod/,
    );
  });

  it('when Redis cannot write to its disk', async () => {
    const redis = await start(['--save', '3600 1000000', '--enable-protected-configs', 'yes']);
    const store = open(redis);
    await write(store, 'a');
    // A folder in the place of the dump makes every save fail.
    mkdirSync(path.join(redis.directory, 'folder'));
    await admin(redis, 'CONFIG', 'SET', 'dbfilename', 'folder');
    await admin(redis, 'BGSAVE');
    await eventually(async () => (await store.problems()).length > 0);
    expect(await store.problems()).toEqual([
      expect.stringContaining('free space on the volume of Redis or enlarge it'),
    ]);
    await expect(write(store, 'b')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect((await store.getMany([metaOf(vm('a')).uuid]))[0]).toBeDefined();
  });

  it('when Redis is out of memory, and changes nothing then', async () => {
    const redis = await start();
    const store = open(redis);
    await write(store, 'a');
    await admin(redis, 'CONFIG', 'SET', 'maxmemory', '1mb');
    await expect(write(store, 'b')).rejects.toThrow(/out of memory .*raise maxmemory/);
    await admin(redis, 'CONFIG', 'SET', 'maxmemory', '0');
    expect(await store.getMany([metaOf(vm('b')).uuid])).toEqual([undefined]);
    await write(store, 'b');
  });

  it('when an object is too large', async () => {
    const store = open(await start());
    const large = toResource('virtual-machine', {
      meta: {
        uuid: wellKnownUuid('virtual-machine', ['x']),
        fqName: ['x'],
        annotations: { a: 'x'.repeat(300_000) },
      },
    });
    const request = {
      writes: [{ kind: 'put' as const, resource: large, previous: undefined }],
      claims: [],
      frees: [],
      traceparent: '',
    };
    await expect(store.transact(request)).rejects.toThrow(
      /VirtualMachine\/x: has 300\d+ bytes, but at most 262144/,
    );
  });
});
