import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { formatAddress, parseAddress } from '@contrail/net';
import { IpamServiceClient } from '@contrail/proto-gen/ipam/v1/ipam_service';
import { AllocateItem } from '@contrail/proto-gen/ipam/v1/messages';
import type { AllocateResult, WatchSpaceResponse } from '@contrail/proto-gen/ipam/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { metaOf, toResource, wellKnownUuid } from '@contrail/resource-model';
import {
  callUnary,
  closeClient,
  createClient,
  openServerStream,
  startServer,
  staticTls,
} from '@contrail/rpc';
import type { RunningServer } from '@contrail/rpc';
import { startRedis, testPki } from '@contrail/testing';
import type { TestRedis } from '@contrail/testing';
import { FakeConfigApi } from '../dev/fake-config-api';
import { run } from './run';
import type { Running } from './run';

const pki = testPki();
const configApi = new FakeConfigApi();
let folder: string;
let redis: TestRedis;
let configServer: RunningServer;
let ipam: Running;
let client: IpamServiceClient;

function ipamOf(name: string, prefix: string, length: number): Resource {
  const fqName = ['default-domain', 'default-project', name];
  return toResource('network-ipam', {
    meta: { uuid: wellKnownUuid('network-ipam', fqName), fqName },
    ipamSubnetMethod: 'flat-subnet',
    ipamSubnets: { subnets: [{ subnet: { ipPrefix: prefix, ipPrefixLen: length } }] },
  });
}

function networkOf(name: string, ipamResource?: Resource, ipamSubnets: object[] = []): Resource {
  const fqName = ['default-domain', 'default-project', name];
  return toResource('virtual-network', {
    meta: { uuid: wellKnownUuid('virtual-network', fqName), fqName },
    networkIpamRefs:
      ipamResource === undefined ? [] : [{ uuid: metaOf(ipamResource).uuid, attr: { ipamSubnets } }],
  });
}

const owner = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const podIpam = ipamOf('k8s-pod-ipam', '10.32.0.0', 12);
const pods = networkOf('pods', podIpam);
const tinyIpam = ipamOf('tiny', '192.0.2.0', 31);
const tiny = networkOf('tiny', tinyIpam);
const fabric = networkOf('ip-fabric');

function item(network: Resource, n: number, fields: Partial<AllocateItem> = {}): AllocateItem {
  return AllocateItem.fromPartial({
    virtualNetworkUuid: metaOf(network).uuid,
    ownerUuid: owner(n),
    description: `Pod/default/web-${n}`,
    ...fields,
  });
}

async function allocate(...items: AllocateItem[]): Promise<AllocateResult[]> {
  return (await callUnary(client, 'allocate', { items })).results;
}

const text = ({ address, error }: AllocateResult): string =>
  error === undefined ? formatAddress(address) : `${error.code}`;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'ipam-'));
  const own = pki.issue('ipam');
  const file = (name: string, content: Buffer): string => {
    writeFileSync(path.join(folder, name), content);
    return path.join(folder, name);
  };
  redis = await startRedis();
  for (const resource of [podIpam, pods, tinyIpam, tiny, fabric]) configApi.put(resource);
  configServer = await startServer({
    address: '127.0.0.1:0',
    tls: staticTls(pki.issue('config-api')),
    services: [configApi.service()],
  });
  ipam = await run({
    listenAddress: { host: '127.0.0.1', port: 0 },
    adminAddress: { host: '127.0.0.1', port: 0 },
    tls: {
      certFile: file('tls.crt', own.cert),
      keyFile: file('tls.key', own.key),
      caFile: file('ca.crt', own.ca),
    },
    redis: { url: redis.url, user: 'default', passwordFile: undefined },
    deployment: 'contrail',
    configApiAddress: `127.0.0.1:${configServer.port}`,
    quarantineMs: 300,
    reclaimIntervalMs: 150,
    usageWarningPercent: 80,
  });
  client = createClient(IpamServiceClient, {
    address: `127.0.0.1:${ipam.port}`,
    service: 'ipam',
    tls: staticTls(pki.issue('kube-manager')),
  });
  while ((await fetch(`http://127.0.0.1:${ipam.adminPort}/readyz`)).status !== 200)
    await new Promise((r) => setTimeout(r, 20));
}, 30_000);

afterAll(async () => {
  closeClient(client);
  await ipam.stop();
  await configServer.stop(0);
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
});

it("gives the first pod the address below R21's gateway and DNS address", async () => {
  const [first, again] = await allocate(item(pods, 1), item(pods, 1));
  expect(
    first && [
      text(first),
      first.prefixLength,
      formatAddress(first.gateway),
      formatAddress(first.dnsServer),
    ],
  ).toEqual(['10.47.255.252', 12, '10.47.255.254', '10.47.255.253']);
  expect(again).toEqual(first);
});

it('answers each item of a batch by itself', async () => {
  const results = await allocate(
    item(pods, 2),
    item(fabric, 2),
    item(pods, 2, { virtualNetworkUuid: owner(99) }),
    item(pods, 2, { ownerUuid: 'x' }),
    item(pods, 3, { family: 6 }),
    item(pods, 3, { address: Buffer.from(parseAddress('203.0.113.1')) }),
    item(pods, 3, { address: Buffer.from(parseAddress('10.47.255.254')) }),
    item(pods, 3, { address: Buffer.from(parseAddress('10.47.255.252')) }),
  );
  expect(results.map(text)).toEqual(['10.47.255.251', '3', '5', '3', '3', '3', '3', '6']);
  expect(results.map(({ error }) => error?.message ?? '')).toEqual([
    '',
    expect.stringContaining('the network has no IPv4 subnet; add one to its NetworkIpam'),
    expect.stringContaining('does not exist'),
    'Pod/default/web-2 owner_uuid: is "x", but it must be a lower-case UUID',
    expect.stringContaining('no IPv6 subnet'),
    expect.stringContaining('203.0.113.1 is outside the subnets 10.32.0.0/12'),
    expect.stringContaining('10.47.255.254 is the gateway address of 10.32.0.0/12; choose another'),
    expect.stringContaining('10.47.255.252 is already in use by Pod/default/web-1'),
  ]);
});

it('names network, subnet, usage and remedy when a pool is exhausted', async () => {
  const results = await allocate(item(tiny, 10), item(tiny, 11), item(tiny, 12));
  expect(results.map(text)).toEqual(['192.0.2.1', '192.0.2.0', '8']);
  expect(results[2]?.error?.message).toBe(
    'Pod/default/web-12 in VirtualNetwork/default-domain:default-project:tiny: no address left: 192.0.2.0/31 holds 2 of 2, ' +
      '0 were just released; add a subnet to NetworkIpam/default-domain:default-project:tiny, or delete what is not needed',
  );
});

it('records addresses that somebody else chose, also the gateway', async () => {
  const address = (value: string): Partial<AllocateItem> => ({
    address: Buffer.from(parseAddress(value)),
  });
  const { results } = await callUnary(client, 'reserve', {
    items: [
      item(pods, 20, address('10.32.0.1')),
      item(pods, 21, address('10.47.255.253')),
      item(pods, 22),
    ],
  });
  expect(results.map(text)).toEqual(['10.32.0.1', '10.47.255.253', '3']);
});

it('knows a network that was made a moment ago', async () => {
  const late = networkOf('late', podIpam);
  configApi.put(late);
  expect((await allocate(item(late, 30))).map(text)).toEqual([
    expect.stringMatching(/^10\.47\./) as string,
  ]);
});

it('lists and releases', async () => {
  const uuid = metaOf(pods).uuid;
  await allocate(item(pods, 40));
  const before = await callUnary(client, 'list', { virtualNetworkUuid: uuid, pageToken: '' });
  expect(before.allocations.map(({ ownerUuid }) => ownerUuid)).toContain(owner(40));
  const gone = { virtualNetworkUuid: uuid, ownerUuid: owner(40), address: Buffer.alloc(0) };
  expect(await callUnary(client, 'release', { items: [gone, gone] })).toEqual({ released: 1 });
  const all = await callUnary(client, 'list', { virtualNetworkUuid: '', pageToken: '' });
  expect(all.allocations.map(({ ownerUuid }) => ownerUuid)).not.toContain(owner(40));
  const { subnets } = await callUnary(client, 'usage', {});
  expect(subnets.find(({ prefix }) => prefix === '10.32.0.0/12')).toMatchObject({
    capacity: 2n ** 20n - 4n,
    owner: 'NetworkIpam/default-domain:default-project:k8s-pod-ipam',
  });
});

describe('fixed addresses', () => {
  const ipam = toResource('network-ipam', {
    meta: { uuid: owner(1000), fqName: ['default-domain', 'default-project', 'shapes'] },
    ipamSubnetMethod: 'user-defined-subnet',
  });
  const shapes = networkOf('shapes', ipam, [
    {
      subnet: { ipPrefix: '198.51.100.0', ipPrefixLen: 24 },
      allocationPools: [{ start: '198.51.100.100', end: '198.51.100.110' }],
      exclusions: [{ ipPrefix: '198.51.100.104', ipPrefixLen: 30 }],
      allocUnit: 2,
    },
    { subnet: { ipPrefix: '2001:db8::', ipPrefixLen: 64 } },
  ]);
  const fixed = (value: string): Partial<AllocateItem> => ({ address: Buffer.from(parseAddress(value)) });
  beforeAll(() => {
    configApi.put(ipam);
    configApi.put(shapes);
  });

  it('are given anywhere in the subnet, also outside its pools; others only from the pools, in units', async () => {
    const results = await allocate(
      item(shapes, 1, fixed('198.51.100.10')),
      ...[2, 3, 4, 5].map((n) => item(shapes, n)),
      item(shapes, 6, { family: 6 }),
    );
    const given = ['198.51.100.10', '198.51.100.108', '198.51.100.102', '198.51.100.100', '8'];
    expect(results.map(text)).toEqual([...given, '2001:db8::ffff:ffff:ffff:fffc']);
  });

  it.each([
    ['198.51.100.254', 'is the gateway address of 198.51.100.0/24; choose another'],
    ['198.51.100.0', 'is the network address of 198.51.100.0/24; choose another'],
    ['198.51.100.106', 'is in the exclusion 198.51.100.104/30 of 198.51.100.0/24; choose another'],
    ['203.0.113.9', 'is outside the subnets 198.51.100.0/24; choose an address inside'],
    ['198.51.100.21', 'is not the first of the 2 addresses of an allocation (alloc_unit); write 198.51.100.20'],
  ])('%s is refused', async (value, reason) => {
    const [result] = await allocate(item(shapes, 7, fixed(value)));
    expect(result?.error).toMatchObject({ code: 3, message: expect.stringContaining(`${value} ${reason}`) as string });
  });

  it('are refused to others while somebody has them, who is named; the others of the request are served', async () => {
    const [refused, served] = await allocate(item(shapes, 8, fixed('198.51.100.10')), item(shapes, 9, fixed('198.51.100.12')));
    const reason = '198.51.100.10 is already in use by Pod/default/web-1; choose another or release it';
    expect(refused?.error).toMatchObject({ code: 6, message: expect.stringContaining(reason) as string });
    expect(served && text(served)).toBe('198.51.100.12');
  });
});

describe('pools', () => {
  const pool = toResource('alias-ip-pool', {
    meta: {
      uuid: owner(2000),
      fqName: ['default-domain', 'default-project', 'pods', 'aliases'],
      parentUuid: metaOf(pods).uuid,
    },
  });
  const late = 'aaaaaaaa-0000-4000-8000-000000000002';
  const floating = toResource('floating-ip-pool', {
    meta: {
      uuid: owner(2002),
      fqName: ['default-domain', 'default-project', 'two', 'public'],
      parentUuid: owner(2003),
    },
    floatingIpPoolSubnets: { subnetUuid: [late] },
  });
  const two = toResource('virtual-network', {
    meta: { uuid: owner(2003), fqName: ['default-domain', 'default-project', 'two'] },
    networkIpamRefs: [
      {
        uuid: metaOf(tinyIpam).uuid,
        attr: {
          ipamSubnets: [
            { subnet: { ipPrefix: '203.0.113.0', ipPrefixLen: 28 } },
            { subnet: { ipPrefix: '203.0.113.32', ipPrefixLen: 31 }, subnetUuid: late },
          ],
        },
      },
    ],
  });
  beforeAll(() => [pool, floating, two].forEach((resource) => configApi.put(resource)));
  const from = (poolUuid: string, more: Partial<AllocateItem> = {}): AllocateItem =>
    item(pods, 50, { virtualNetworkUuid: '', poolUuid, ...more });

  it('give addresses of their network', async () => {
    const results = await allocate(
      from(owner(2000)),
      from(owner(2001)),
      from(owner(2000), { virtualNetworkUuid: metaOf(tiny).uuid }),
    );
    expect(results.map(text)).toEqual([expect.stringMatching(/^10\.47\./), '5', '3']);
    expect(results[2]?.error?.message).toContain(
      'AliasIpPool/default-domain:default-project:pods:aliases belongs to',
    );
  });
});

it('gives floating addresses of the subnets that their pool names, and no others', async () => {
  const from = (n: number, more: Partial<AllocateItem> = {}): AllocateItem =>
    item(pods, n, { virtualNetworkUuid: '', poolUuid: owner(2002), ...more });
  const results = await allocate(
    ...[70, 71, 72].map((n) => from(n)),
    from(73, { address: Buffer.from(parseAddress('203.0.113.4')) }),
    from(74, { family: 6 }),
  );
  expect(results.map(text)).toEqual(['203.0.113.33', '203.0.113.32', '8', '3', '3']);
  expect(results[4]?.error?.message).toContain(
    "FloatingIpPool/default-domain:default-project:two:public has no IPv6 subnet; add one of the network's to its subnets",
  );
});

it('takes an address back when its owner is gone, not before', async () => {
  const gone = owner(60);
  const object = toResource('instance-ip', { meta: { uuid: gone, fqName: [gone] } });
  const held = async (): Promise<string[]> => {
    const request = { virtualNetworkUuid: metaOf(pods).uuid, pageToken: '' };
    return (await callUnary(client, 'list', request)).allocations.map(({ ownerUuid }) => ownerUuid);
  };
  configApi.put(object);
  await allocate(item(pods, 60, { ownerType: 'instance-ip' }));
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(await held()).toContain(gone);
  configApi.delete(gone);
  while ((await held()).includes(gone)) await new Promise((resolve) => setTimeout(resolve, 50));
});

it('wakes those who wait when an exhausted network has room again', async () => {
  const heard: WatchSpaceResponse[] = [];
  const ending = new AbortController();
  const listening = (async () => {
    for await (const message of openServerStream(client, 'watchSpace', {}, { signal: ending.signal }))
      heard.push(message);
  })().catch(() => undefined);
  expect((await allocate(item(tiny, 12))).map(text)).toEqual(['8']);
  await callUnary(client, 'release', {
    items: [{ virtualNetworkUuid: metaOf(tiny).uuid, ownerUuid: owner(10), address: Buffer.alloc(0) }],
  });
  const space = { virtualNetworkUuid: metaOf(tiny).uuid, family: 4, free: 1 };
  while (!heard.some(({ networks }) => networks.length > 0)) await new Promise((r) => setTimeout(r, 50));
  expect(heard.flatMap(({ networks }) => networks)[0]).toEqual(space);
  expect((await allocate(item(tiny, 12))).map(text)).toEqual(['192.0.2.1']);
  // A further subnet is room, too.
  expect((await allocate(item(tiny, 13))).map(text)).toEqual(['8']);
  heard.length = 0;
  const more = { subnet: { ipPrefix: '192.0.2.8', ipPrefixLen: 31 } };
  configApi.put(networkOf('tiny', tinyIpam, [more]));
  while (!heard.some(({ networks }) => networks.length > 0)) await new Promise((r) => setTimeout(r, 50));
  expect(heard.flatMap(({ networks }) => networks)[0]).toEqual({ ...space, free: 2 });
  ending.abort();
  await listening;
});

it('refuses a service that may not allocate', async () => {
  const dns = createClient(IpamServiceClient, {
    address: `127.0.0.1:${ipam.port}`,
    service: 'ipam',
    tls: staticTls(pki.issue('dns')),
  });
  await expect(callUnary(dns, 'allocate', { items: [] })).rejects.toMatchObject({
    code: 'PERMISSION_DENIED',
  });
  closeClient(dns);
});
