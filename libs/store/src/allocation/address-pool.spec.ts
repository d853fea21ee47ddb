import { formatAddress, parseAddress } from '@contrail/net';
import { startRedis } from '@contrail/testing';
import type { TestRedis } from '@contrail/testing';
import { addressRange as pool, poolSubnet as subnet } from '../../testing/pool-subnet';
import { AddressPool } from './address-pool';
import type { AllocationItem, AllocationOutcome } from './allocation-batch';
import type { PoolSubnet } from './candidates';

describe('the address pool', () => {
  let redis: TestRedis;
  let number = 0;
  let addresses: AddressPool;
  const open = (quarantineMs: number): AddressPool =>
    new AddressPool({ redis: { url: redis.url }, deployment: `t${number}`, quarantineMs });

  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());
  beforeEach(() => {
    number += 1;
    addresses = open(60_000);
  });
  afterEach(() => addresses.close());

  const item = (
    owner: string,
    subnets: PoolSubnet[],
    changes: Partial<AllocationItem> = {},
  ): AllocationItem => ({
    ...{
      network: 'n',
      owner,
      ownerType: '',
      family: 4,
      anySubnet: false,
      subnets,
      address: undefined,
      reserved: false,
      description: `Pod/default/${owner}`,
    },
    ...changes,
  });
  const text = (outcome: AllocationOutcome | undefined): string =>
    outcome?.kind === 'allocated' ? formatAddress(outcome.address) : (outcome?.kind ?? 'none');
  const allocate = async (...items: AllocationItem[]): Promise<string[]> =>
    (await addresses.allocate(items)).map(text);

  it('gives each owner an address, and the same owner the same', async () => {
    const s = subnet('10.32.0.0/12');
    expect(await allocate(item('a', [s]), item('b', [s]), item('a', [s]))).toEqual([
      '10.47.255.252',
      '10.47.255.251',
      '10.47.255.252',
    ]);
    expect(await allocate(item('b', [s]), item('c', [s]))).toEqual([
      '10.47.255.251',
      '10.47.255.250',
    ]);
    expect(await allocate(item('a', [s], { network: 'other' }))).toEqual(['10.47.255.249']);
  });

  it('never gives one address twice, whoever asks at the same time', async () => {
    const s = subnet('10.32.0.0/22');
    const pools = [addresses, open(60_000), open(60_000)];
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, batch) =>
        (pools[batch % 3] ?? addresses).allocate(
          Array.from({ length: 30 }, (__, i) => item(`${batch}-${i}`, [s])),
        ),
      ),
    );
    const given = answers.flat().map(text);
    expect(new Set(given).size).toBe(900);
    expect(given).not.toContain('exhausted');
    await Promise.all(pools.slice(1).map((other) => other.close()));
  });

  it('says when a subnet is exhausted, and takes the next subnet of the network first', async () => {
    const [small, next] = [subnet('192.0.2.0/31'), subnet('192.0.2.16/31')];
    const owners = ['a', 'b', 'c', 'd', 'e'].map((owner) => item(owner, [small, next]));
    expect(await allocate(...owners)).toEqual([
      '192.0.2.1',
      '192.0.2.0',
      '192.0.2.17',
      '192.0.2.16',
      'exhausted',
    ]);
  });

  it('keeps a released address aside, then gives the one released longest ago', async () => {
    await addresses.close();
    addresses = open(150);
    const s = subnet('192.0.2.0/29');
    await allocate(...['a', 'b', 'c', 'd'].map((owner) => item(owner, [s])));
    expect(await addresses.release([{ network: 'n', owner: 'b', address: undefined }])).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await addresses.release([{ network: 'n', owner: 'a', address: undefined }])).toBe(1);
    expect(await allocate(item('x', [s]))).toEqual(['exhausted']);
    expect(await addresses.usage([s.uuid])).toEqual([{ allocated: 2, quarantined: 2 }]);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await allocate(item('x', [s]), item('y', [s]))).toEqual(['192.0.2.3', '192.0.2.4']);
  });

  it('prefers addresses that nobody ever had', async () => {
    await addresses.close();
    addresses = open(0);
    const s = subnet('192.0.2.0/24');
    await allocate(item('a', [s]));
    await addresses.release([{ network: 'n', owner: 'a', address: undefined }]);
    expect(await allocate(item('b', [s]))).toEqual(['192.0.2.251']);
  });

  it('records a fixed address and refuses it to another owner, naming the holder', async () => {
    const s = subnet('10.96.0.0/12');
    const fixed = { address: parseAddress('10.96.0.10'), reserved: true };
    expect(await allocate(item('dns', [s], fixed), item('dns', [s], fixed))).toEqual([
      '10.96.0.10',
      '10.96.0.10',
    ]);
    expect(await addresses.allocate([item('other', [s], fixed)])).toMatchObject([
      { kind: 'in-use', holder: { owner: 'dns', description: 'Pod/default/dns', reserved: true } },
    ]);
  });

  it('passes over addresses that were fixed before', async () => {
    const s = subnet('192.0.2.0/29');
    await allocate(item('fixed', [s], { address: parseAddress('192.0.2.4') }));
    expect(await allocate(item('a', [s]), item('b', [s]))).toEqual(['192.0.2.3', '192.0.2.2']);
  });

  it('releases one address or all of an owner, once', async () => {
    const s = subnet('192.0.2.0/24');
    await allocate(
      item('a', [s]),
      item('a', [s], { address: parseAddress('192.0.2.7') }),
      item('ab', [s]),
    );
    expect(
      await addresses.release([{ network: 'n', owner: 'a', address: parseAddress('192.0.2.7') }]),
    ).toBe(1);
    expect(await addresses.release([{ network: 'n', owner: 'a', address: undefined }])).toBe(1);
    expect(await addresses.release([{ network: 'n', owner: 'a', address: undefined }])).toBe(0);
    const { addresses: left } = await addresses.list('n', '');
    expect(left.map(({ owner }) => owner)).toEqual(['ab']);
    expect(await addresses.networks()).toEqual(['n']);
  });

  it('takes back what its owner has not asked for since it was seen', async () => {
    const s = subnet('192.0.2.0/24');
    const of = { ownerType: 'instance-ip' };
    await allocate(item('a', [s], of), item('b', [s], of));
    const { addresses: seen } = await addresses.list('n', '');
    expect(seen.map(({ owner, ownerType }) => [owner, ownerType])).toEqual([
      ['a', 'instance-ip'],
      ['b', 'instance-ip'],
    ]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await allocate(item('b', [s], of))).toEqual(['192.0.2.251']);
    expect(await addresses.reclaim(seen)).toBe(1);
    expect(await addresses.reclaim(seen)).toBe(0);
    const { addresses: left } = await addresses.list('n', '');
    expect(left.map(({ owner }) => owner)).toEqual(['b']);
  });

  it('knows which networks starve, and counts what could be given', async () => {
    await addresses.close();
    addresses = open(100);
    const s = subnet('192.0.2.0/30', { gateway: undefined, dns: undefined });
    expect(await addresses.countFree(s, 100)).toBe(2);
    expect(await addresses.countFree(s, 1)).toBe(1);
    await allocate(item('a', [s]), item('b', [s]));
    expect([await addresses.countFree(s, 100), await addresses.starved(0)]).toEqual([0, []]);
    const before = Date.now() - 1_000;
    expect(await allocate(item('c', [s]))).toEqual(['exhausted']);
    expect(await addresses.starved(before)).toMatchObject([
      { network: 'n', family: 4, subnetUuids: [s.uuid] },
    ]);
    await addresses.release([{ network: 'n', owner: 'a', address: undefined }]);
    expect(await addresses.countFree(s, 100)).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(await addresses.countFree(s, 100)).toBe(1);
    expect(await addresses.starved(Date.now() + 60_000)).toEqual([]);
    expect(await addresses.starved(before)).toEqual([]);
  });

  it('finds addresses that a changed definition makes free', async () => {
    const narrow = subnet('192.0.2.0/28', { pools: [pool('192.0.2.2', '192.0.2.3')] });
    expect(await allocate(item('a', [narrow]), item('b', [narrow]), item('c', [narrow]))).toEqual([
      '192.0.2.3',
      '192.0.2.2',
      'exhausted',
    ]);
    const wide = {
      ...subnet('192.0.2.0/28'),
      uuid: narrow.uuid,
      pools: [pool('192.0.2.2', '192.0.2.4')],
    };
    expect(await allocate(item('c', [wide]), item('d', [wide]))).toEqual([
      '192.0.2.4',
      'exhausted',
    ]);
  });
});
