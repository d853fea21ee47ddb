import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { formatAddress, parseAddress } from '@contrail/net';
import { IpamServiceClient } from '@contrail/proto-gen/ipam/v1/ipam_service';
import { AllocateItem } from '@contrail/proto-gen/ipam/v1/messages';
import type { AllocateResult } from '@contrail/proto-gen/ipam/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { metaOf, toResource, wellKnownUuid } from '@contrail/resource-model';
import { callUnary, closeClient, createClient, startServer, staticTls } from '@contrail/rpc';
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

function networkOf(name: string, ipamResource?: Resource): Resource {
  const fqName = ['default-domain', 'default-project', name];
  return toResource('virtual-network', {
    meta: { uuid: wellKnownUuid('virtual-network', fqName), fqName },
    networkIpamRefs:
      ipamResource === undefined ? [] : [{ uuid: metaOf(ipamResource).uuid, attr: {} }],
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
    quarantineMs: 30_000,
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
    quarantined: 1n,
  });
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
