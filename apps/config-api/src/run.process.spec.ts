import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ContrailError } from '@contrail/errors';
import { callUnary, closeClient, createClient, openServerStream, staticTls } from '@contrail/rpc';
import {
  BootstrapServiceClient,
  ConfigServiceClient,
} from '@contrail/proto-gen/config/v1/config_service';
import { AllotKind } from '@contrail/proto-gen/config/v1/messages';
import type { WatchResponse, WatchToken } from '@contrail/proto-gen/config/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { metaOf, setMeta, toResource, typeOf, wellKnownUuid } from '@contrail/resource-model';
import { startRedis, testPki } from '@contrail/testing';
import type { TestRedis } from '@contrail/testing';
import type { Config } from './config';
import { run } from './run';
import type { Running } from './run';

const pki = testPki();
let folder: string;
let redis: TestRedis;
let api: Running;
const clients: ConfigServiceClient[] = [];

function clientOf(service: string): ConfigServiceClient {
  const client = createClient(ConfigServiceClient, {
    address: `127.0.0.1:${api.port}`,
    service: 'config-api',
    tls: staticTls(pki.issue(service)),
  });
  clients.push(client);
  return client;
}

function file(name: string, content: Buffer | string): string {
  writeFileSync(path.join(folder, name), content);
  return path.join(folder, name);
}

function configOn(redisUrl: string, passwordFile: string | undefined): Config {
  const own = pki.issue('config-api');
  const any = { host: '127.0.0.1', port: 0 };
  return {
    listenAddress: any,
    bootstrapListenAddress: any,
    adminAddress: any,
    restListenAddress: any,
    restPlainSocket: undefined,
    ipamAddress: undefined,
    tls: {
      certFile: file('tls.crt', own.cert),
      keyFile: file('tls.key', own.key),
      caFile: file('ca.crt', own.ca),
    },
    authority: { certFile: file('ca.pem', pki.caCert), keyFile: file('ca.key', pki.caKey) },
    redis: { url: redisUrl, user: 'default', passwordFile },
    deployment: 'contrail',
    changeLogLength: 10_000,
    kubernetes: undefined,
    tokenAudience: 'contrail',
    agentUser: 'system:serviceaccount:contrail:vrouter-agent',
  };
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'config-api-'));
  redis = await startRedis();
  api = await run(configOn(redis.url, undefined));
  while ((await fetch(`http://127.0.0.1:${api.adminPort}/readyz`)).status !== 200)
    await new Promise((r) => setTimeout(r, 20));
}, 30_000);

afterAll(async () => {
  for (const client of clients) closeClient(client);
  await api.stop();
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
});

function project(name: string, annotations: Record<string, string> = {}): Resource {
  const fqName = ['default-domain', name];
  return toResource('project', {
    meta: { uuid: wellKnownUuid('project', fqName), fqName, annotations },
  });
}

/** config-api chooses one. */
function withoutUuid(resource: Resource): Resource {
  return setMeta(resource, { ...metaOf(resource), uuid: '' });
}

/** A watch of projects that can cease to read. */
function openWatch(client: ConfigServiceClient): {
  readonly inSync: Promise<void>;
  readonly pause: () => void;
  readonly resume: () => void;
  readonly close: () => void;
  /** Resolves when so many changes have come. */
  readonly until: (count: number) => Promise<void>;
  readonly names: () => readonly string[];
} {
  const call = client.watch({ types: ['project'], resume: undefined });
  const names: string[] = [];
  call.on('error', () => undefined);
  const inSync = new Promise<void>((resolve, reject) => {
    call.once('error', reject);
    call.on('data', ({ kind }: WatchResponse) => {
      if (kind?.$case === 'inSync') resolve();
      if (kind?.$case !== 'changes') return;
      for (const { resource } of kind.value.changes)
        names.push(resource === undefined ? '' : metaOf(resource).fqName.join(':'));
    });
  });
  const until = async (count: number): Promise<void> => {
    while (names.length < count) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  return {
    ...{ inSync, until, names: () => names },
    ...{ pause: () => call.pause(), resume: () => call.resume(), close: () => call.cancel() },
  };
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'OK';
  } catch (error) {
    if (error instanceof ContrailError) return error.code;
    throw error;
  }
}

it('creates, reads, lists, updates and deletes', async () => {
  const client = clientOf('kube-manager');
  const resource = project('crud', { owner: 'k8s' });
  const created = await callUnary(client, 'create', { resource });
  expect(created.resource && metaOf(created.resource)).toMatchObject({
    parentType: 'domain',
    annotations: { owner: 'k8s' },
  });
  const byName = { type: 'project', fqName: ['default-domain', 'crud'], uuid: '' };
  expect(await callUnary(client, 'get', { key: byName })).toEqual(created);
  const list = {
    type: 'project',
    parentUuid: '',
    annotations: { owner: 'k8s' },
    pageSize: 0,
    pageToken: '',
  };
  expect((await callUnary(client, 'list', list)).resources).toEqual([created.resource]);
  const changed = project('crud', { owner: 'me' });
  const updated = await callUnary(client, 'update', {
    resource: changed,
    updateMask: ['meta.annotations'],
    expectedRevision: 0n,
  });
  expect(updated.resource && metaOf(updated.resource).annotations).toEqual({ owner: 'me' });
  await callUnary(client, 'delete', { key: byName, expectedRevision: 0n });
  expect(await codeOf(callUnary(client, 'get', { key: byName }))).toBe('NOT_FOUND');
});

it.each([
  ['control', 'create', 'PERMISSION_DENIED'],
  ['dns', 'create', 'PERMISSION_DENIED'],
  ['vrouter-agent', 'get', 'PERMISSION_DENIED'],
  ['ipam', 'allot', 'PERMISSION_DENIED'],
  ['kube-manager', 'reportProgress', 'PERMISSION_DENIED'],
  ['kube-manager', 'reportConflicts', 'PERMISSION_DENIED'],
  ['control', 'reportConflicts', 'OK'],
  ['ipam', 'get', 'OK'],
  ['control', 'allot', 'OK'],
  ['control', 'reportProgress', 'OK'],
] as const)('answers %s calling %s with %s', async (service, method, code) => {
  const client = clientOf(service);
  const call = {
    create: () => callUnary(client, 'create', { resource: project(`by-${service}`) }),
    get: () =>
      callUnary(client, 'get', { key: { type: 'domain', fqName: ['default-domain'], uuid: '' } }),
    allot: () => callUnary(client, 'allot', { kind: AllotKind.ALLOT_KIND_VRF, keys: ['x'] }),
    reportProgress: () => callUnary(client, 'reportProgress', { nodes: [] }),
    reportConflicts: () => callUnary(client, 'reportConflicts', { conflicts: [] }),
  }[method];
  expect(await codeOf(call())).toBe(code);
});

it('announces a change to a watcher, with the resumable position', async () => {
  const client = clientOf('control');
  const writer = clientOf('kube-manager');
  const controller = new AbortController();
  let token: WatchToken | undefined;
  const seen: WatchResponse[] = [];
  for await (const message of openServerStream(
    client,
    'watch',
    { types: ['project'], resume: undefined },
    { signal: controller.signal },
  )) {
    seen.push(message);
    if (message.kind?.$case === 'inSync') {
      void callUnary(writer, 'transact', {
        operations: [{ kind: { $case: 'upsert', value: { resource: project('watched') } } }],
      });
    }
    if (message.kind?.$case === 'changes') {
      token = message.kind.value.token;
      break;
    }
  }
  controller.abort();
  expect(seen.map(({ kind }) => kind?.$case)).toEqual(['snapshot', 'inSync', 'changes']);
  const [snapshot] = seen;
  expect(
    snapshot?.kind?.$case === 'snapshot' && snapshot.kind.value.resources.map(typeOf),
  ).toContain('project');
  for await (const message of openServerStream(client, 'watch', { types: [], resume: token })) {
    expect(message.kind).toEqual({ $case: 'inSync', value: { token } });
    break;
  }
});

it('lets exactly one of 100 simultaneous creates of one name win', async () => {
  const writers = ['kube-manager', 'web-ui', 'contrailctl', 'kube-manager'].map(clientOf);
  const codes = await Promise.all(
    Array.from({ length: 100 }, (_, i) => {
      const client = writers[i % writers.length] ?? clientOf('kube-manager');
      const resource = project('wanted', { by: String(i) });
      return codeOf(callUnary(client, 'create', { resource: withoutUuid(resource) }));
    }),
  );
  expect(codes.filter((code) => code === 'OK')).toHaveLength(1);
  expect(new Set(codes)).toEqual(new Set(['OK', 'ALREADY_EXISTS']));
}, 60_000);

it('holds nobody up for a watcher that does not read, and sends it no more than it reads', async () => {
  const count = 60;
  const writer = clientOf('kube-manager');
  const [slow, fast] = [openWatch(clientOf('dns')), openWatch(clientOf('control'))];
  await Promise.all([slow.inSync, fast.inSync]);
  slow.pause();
  for (let i = 0; i < count; i += 1)
    await callUnary(writer, 'create', { resource: project(`heavy-${i}`, { text: 'x'.repeat(60_000) }) });
  await fast.until(count);
  const metrics = await (await fetch(`http://127.0.0.1:${api.adminPort}/metrics`)).text();
  const sent = /^contrail_config_api_changes_sent_total\{caller="dns"\} (\d+)$/m.exec(metrics)?.[1];
  expect(Number(sent ?? '0')).toBeLessThan(count);
  slow.resume();
  await slow.until(count);
  expect(slow.names()).toEqual(fast.names());
  slow.close();
  fast.close();
}, 60_000);

it('keeps the progress of nodes and gives equal ids for equal keys', async () => {
  const control = clientOf('control');
  const node = { node: 'n1', revision: 3n, exceptions: [], reportedAtMs: 0n, madeRevision: 0n, movedRevision: 0n };
  await callUnary(control, 'reportProgress', { nodes: [node] });
  const { nodes, revision } = await callUnary(clientOf('kube-manager'), 'getProgress', {});
  expect(nodes).toMatchObject([{ node: 'n1', revision: 3n }]);
  expect(Number(nodes[0]?.reportedAtMs)).toBeGreaterThan(Date.now() - 5_000);
  expect(revision).toBeGreaterThan(0n);
  const long = 'tag,'.repeat(5_000);
  const { ids } = await callUnary(control, 'allot', {
    kind: AllotKind.ALLOT_KIND_IDENTITY,
    keys: [long, 'b', long],
  });
  expect(ids).toEqual([1, 2, 1]);
});

it('serves token exchange to clients without certificate, and the model to users with a token only', async () => {
  const address = `127.0.0.1:${api.bootstrapPort}`;
  const tls = staticTls({ ca: pki.caCert });
  const bootstrap = createClient(BootstrapServiceClient, { address, service: 'config-api', tls });
  const config = createClient(ConfigServiceClient, { address, service: 'config-api', tls });
  const request = { token: 'x', certificateRequestPem: '' };
  expect(await codeOf(callUnary(bootstrap, 'exchangeToken', request))).toBe('FAILED_PRECONDITION');
  expect(await codeOf(callUnary(config, 'getProgress', {}))).toBe('UNAUTHENTICATED');
  closeClient(bootstrap);
  closeClient(config);
});

it('says why it is not ready while Redis is away, and comes back', async () => {
  const client = clientOf('kube-manager');
  await redis.stop();
  expect(await codeOf(callUnary(client, 'create', { resource: project('late') }))).toBe(
    'UNAVAILABLE',
  );
  let ready = await fetch(`http://127.0.0.1:${api.adminPort}/readyz`);
  while (ready.status === 200) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    ready = await fetch(`http://127.0.0.1:${api.adminPort}/readyz`);
  }
  expect(await ready.text()).toMatch(/Redis unix:.*(cannot be reached|lost the connection)/);
}, 15_000);

it('names cause and remedy while the password at Redis is wrong, and begins when it is corrected', async () => {
  const guarded = await startRedis({ args: ['--requirepass', 'right'] });
  const locked = await run(configOn(guarded.url, file('password', 'wrong\n')));
  const readyz = (): Promise<Response> => fetch(`http://127.0.0.1:${locked.adminPort}/readyz`);
  const until = async (done: (answer: Response) => Promise<boolean>): Promise<void> => {
    while (!(await done(await readyz()))) await new Promise((resolve) => setTimeout(resolve, 50));
  };
  try {
    await until(async (answer) =>
      /Redis unix:.* refuses the user name or password .*; correct REDIS_USER and the Secret behind REDIS_PASSWORD_FILE/.test(
        await answer.text(),
      ),
    );
    file('password', 'right\n');
    await until((answer) => Promise.resolve(answer.status === 200));
  } finally {
    await locked.stop();
    await guarded.stop();
  }
}, 20_000);

it('makes the base objects anew in a store that came back empty', async () => {
  const fleeting = await startRedis();
  const own = await run(configOn(fleeting.url, undefined));
  const client = createClient(ConfigServiceClient, {
    address: `127.0.0.1:${own.port}`,
    service: 'config-api',
    tls: staticTls(pki.issue('kube-manager')),
  });
  const key = { type: 'domain', fqName: ['default-domain'], uuid: '' };
  const untilThere = async (): Promise<void> => {
    while ((await codeOf(callUnary(client, 'get', { key }))) !== 'OK')
      await new Promise((resolve) => setTimeout(resolve, 100));
  };
  try {
    await untilThere();
    // Nothing was written to a disk.
    await fleeting.restart();
    await untilThere();
    expect(await codeOf(callUnary(client, 'create', { resource: project('after-loss') }))).toBe('OK');
  } finally {
    closeClient(client);
    await own.stop();
    await fleeting.stop();
  }
}, 60_000);
