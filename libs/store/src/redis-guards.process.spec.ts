import { addressFromBigInt, parseAddress, parsePrefix } from '@contrail/net';
import { metaOf, toResource, wellKnownUuid } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { startRedis } from '@contrail/testing';
import type { TestRedis } from '@contrail/testing';
import { AddressPool } from './allocation/address-pool';
import type { AllocationItem } from './allocation/allocation-batch';
import type { PoolSubnet } from './allocation/candidates';
import { openStore } from './redis-store';
import type { ResourceStore, SubnetGuard, TransactionResult } from './store';

const cleanups: (() => Promise<unknown>)[] = [];
let redis: TestRedis;

beforeEach(async () => {
  redis = await startRedis({ args: [] });
  cleanups.push(() => redis.stop());
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function open(idQuarantineMs?: number): ResourceStore {
  const quarantine = idQuarantineMs === undefined ? {} : { idQuarantineMs };
  const store = openStore({ redis: { url: redis.url }, ...quarantine });
  cleanups.push(() => store.close());
  return store;
}

function vm(name: string): Resource {
  return toResource('virtual-machine', {
    meta: { uuid: wellKnownUuid('virtual-machine', [name]), fqName: [name] },
  });
}

describe('a freed number', () => {
  const claim = { space: 'tag-value/9', key: 'a' } as const;

  async function useUp(store: ResourceStore): Promise<void> {
    const keys = Array.from({ length: 65_535 }, (_, i) => (i === 0 ? 'a' : `k${i}`));
    for (let i = 0; i < keys.length; i += 5_000)
      await store.allot(claim.space, keys.slice(i, i + 5_000));
    const writes = [{ kind: 'put', resource: vm('x'), previous: undefined } as const];
    const freed = await store.transact({ writes, claims: [], frees: [claim], traceparent: '' });
    expect(freed.ok).toBe(true);
  }

  it('is not taken again while something may still carry it', async () => {
    const store = open();
    await useUp(store);
    await expect(store.allot(claim.space, ['next'])).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
    });
  });

  it('is taken again when the quarantine is over', async () => {
    const store = open(0);
    await useUp(store);
    expect(await store.allot(claim.space, ['next'])).toEqual([1]);
  });
});

describe('a subnet in use', () => {
  const network = '33333333-3333-4333-8333-333333333333';
  const subnet: PoolSubnet = {
    uuid: '22222222-2222-4222-8222-222222222222',
    prefix: parsePrefix('192.0.2.0/24'),
    gateway: parseAddress('192.0.2.1'),
    dns: addressFromBigInt(0xc0000202n, 4),
    fromStart: true,
    pools: [],
    exclusions: [],
    unit: 1,
  };

  const wantedBy = (owner: string): AllocationItem => ({
    ...{ network, owner, ownerType: '', family: 4, subnets: [subnet], address: undefined },
    ...{ reserved: false, anySubnet: false, description: '' },
  });

  async function transact(store: ResourceStore, guard: Omit<SubnetGuard, 'write'>): Promise<TransactionResult> {
    const writes = [{ kind: 'put', resource: vm('x'), previous: undefined } as const];
    const guards = [{ ...guard, write: 0 }];
    return await store.transact({ writes, claims: [], frees: [], guards, traceparent: '' });
  }

  it('keeps a transaction from taking it away, and says how many addresses are in use', async () => {
    const store = open();
    const pool = new AddressPool({ redis: { url: redis.url } });
    cleanups.push(() => pool.close());
    const owners = ['a', 'b'];
    await pool.allocate(owners.map(wantedBy));
    const inUse = { kind: 'subnet-in-use', write: 0, subnet: subnet.uuid, count: 2 };
    expect(await transact(store, { subnet: subnet.uuid })).toEqual({ ok: false, failure: inUse });
    expect(await transact(store, { subnet: subnet.uuid, network })).toEqual({
      ok: false,
      failure: inUse,
    });
    expect(await store.getMany([metaOf(vm('x')).uuid])).toEqual([undefined]);
    await pool.release(owners.map((owner) => ({ network, owner, address: undefined })));
    expect(await transact(store, { subnet: subnet.uuid })).toMatchObject({ ok: true });
  });

  it('does not hold another network, nor another subnet', async () => {
    const store = open();
    const pool = new AddressPool({ redis: { url: redis.url } });
    cleanups.push(() => pool.close());
    await pool.allocate([wantedBy('a')]);
    const other = '44444444-4444-4444-8444-444444444444';
    const guards = [{ write: 0, subnet: other }, { write: 0, subnet: subnet.uuid, network: other }];
    const writes = [{ kind: 'put', resource: vm('y'), previous: undefined } as const];
    const result = await store.transact({ writes, claims: [], frees: [], guards, traceparent: '' });
    expect(result.ok).toBe(true);
  });
});
