import fc from 'fast-check';
import { addressKey } from '@contrail/net';
import { startRedis } from '@contrail/testing';
import type { TestRedis } from '@contrail/testing';
import { addressRange, poolSubnet } from '../../testing/pool-subnet';
import { AddressPool } from './address-pool';
import type { AllocationItem, AllocationOutcome } from './allocation-batch';
import { candidatesAfter, layoutOf } from './candidates';
import type { PoolSubnet } from './candidates';

/** Two networks share the first subnet; the second is of one of them only. */
const subnets: readonly PoolSubnet[] = [
  poolSubnet('192.0.2.0/29', { pools: [addressRange('192.0.2.1', '192.0.2.5')] }),
  poolSubnet('198.51.100.4/31'),
];
const networks = ['m', 'n'] as const;
type Network = (typeof networks)[number];
const subnetsOf = (network: Network): readonly PoolSubnet[] =>
  network === 'm' ? subnets : subnets.slice(0, 1);
const orderOf = new Map(
  subnets.map(({ uuid }, i) => {
    const subnet = subnets[i] ?? poolSubnet('192.0.2.0/29');
    return [uuid, candidatesAfter(layoutOf(subnet), undefined, 100).addresses];
  }),
);

interface Ask {
  readonly kind: 'ask';
  readonly network: Network;
  readonly owner: string;
  /** Offset in the first subnet; undefined: any address. */
  readonly fixed: number | undefined;
}
interface Release {
  readonly kind: 'release';
  readonly network: Network;
  readonly owner: string;
}

const owner = fc.constantFrom('a', 'ab', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
const ask: fc.Arbitrary<Ask> = fc.record({
  kind: fc.constant('ask' as const),
  network: fc.constantFrom(...networks),
  owner,
  fixed: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined, freq: 4 }),
});
const release: fc.Arbitrary<Release> = fc.record({
  kind: fc.constant('release' as const),
  network: fc.constantFrom(...networks),
  owner,
});
const batches = fc.array(
  fc.oneof({ weight: 3, arbitrary: fc.array(ask, { minLength: 1, maxLength: 5 }) }, release),
  { maxLength: 30 },
);

/** What the pool should do, with sets and loops; no released address rests. */
class Model {
  /** "subnet/address" to "network/owner". */
  readonly held = new Map<string, string>();
  readonly #used = new Set<string>();

  /** Every outcome that would be right: `exhausted`, `in-use`, or "subnet/address". */
  rightOutcomes({ network, owner: asker, fixed }: Ask): string[] {
    const asked = fixed === undefined ? undefined : fixedKey(fixed);
    const own = [...this.held]
      .filter(([, holder]) => holder === `${network}/${asker}`)
      .map(([key]) => key)
      .filter((key) => asked === undefined || key === asked);
    if (own.length > 0) return own;
    if (asked !== undefined) return [this.held.has(asked) ? 'in-use' : asked];
    for (const { uuid } of subnetsOf(network)) {
      const free = (orderOf.get(uuid) ?? []).map((address) => `${uuid}/${address}`).filter((key) => !this.held.has(key));
      const neverUsed = free.find((key) => !this.#used.has(key));
      if (neverUsed !== undefined) return [neverUsed];
      if (free.length > 0) return free;
    }
    return ['exhausted'];
  }

  take(key: string, { network, owner: asker }: Ask): void {
    this.held.set(key, `${network}/${asker}`);
    this.#used.add(key);
  }

  release({ network, owner: asker }: Release): number {
    const own = [...this.held].filter(([, holder]) => holder === `${network}/${asker}`);
    for (const [key] of own) this.held.delete(key);
    return own.length;
  }
}

function fixedKey(offset: number): string {
  return `${subnets[0]?.uuid ?? ''}/${addressKey(new Uint8Array([192, 0, 2, offset]))}`;
}

function toItem({ network, owner: asker, fixed }: Ask): AllocationItem {
  return {
    ...{ network, owner: asker, ownerType: '', family: 4, reserved: false },
    ...{ anySubnet: false, description: '' },
    subnets: fixed === undefined ? subnetsOf(network) : subnets.slice(0, 1),
    address: fixed === undefined ? undefined : new Uint8Array([192, 0, 2, fixed]),
  };
}

function outcomeText(outcome: AllocationOutcome | undefined): string {
  if (outcome?.kind !== 'allocated') return outcome?.kind ?? 'none';
  return `${outcome.subnet.uuid}/${addressKey(outcome.address)}`;
}

describe('random sequences', () => {
  let redis: TestRedis;
  let run = 0;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());

  it('end as in a simple model, step by step', async () => {
    await fc.assert(
      fc.asyncProperty(batches, async (steps) => {
        run += 1;
        const options = { redis: { url: redis.url }, deployment: `random-${run}`, quarantineMs: 0 };
        const pool = new AddressPool(options);
        const model = new Model();
        try {
          for (const step of steps) await follow(pool, model, step);
          await compare(pool, model);
        } finally {
          await pool.close();
        }
      }),
      { numRuns: 60 },
    );
  }, 120_000);

  async function follow(pool: AddressPool, model: Model, step: readonly Ask[] | Release): Promise<void> {
    if ('kind' in step) {
      const { network, owner: holder } = step;
      const released = await pool.release([{ network, owner: holder, address: undefined }]);
      expect(released).toBe(model.release(step));
      return;
    }
    const outcomes = await pool.allocate(step.map(toItem));
    for (const [i, one] of step.entries()) {
      const text = outcomeText(outcomes[i]);
      expect(model.rightOutcomes(one)).toContain(text);
      if (outcomes[i]?.kind === 'allocated') model.take(text, one);
    }
  }

  async function compare(pool: AddressPool, model: Model): Promise<void> {
    const lists = await Promise.all(networks.map((network) => pool.list(network, '')));
    const found = lists.flatMap(({ addresses }) =>
      addresses.map((held) => [`${held.subnetUuid}/${addressKey(held.address)}`, `${held.network}/${held.owner}`]),
    );
    expect(found.sort()).toEqual([...model.held].sort());
    const usage = await pool.usage(subnets.map(({ uuid }) => uuid));
    expect(usage.reduce((sum, { allocated }) => sum + allocated, 0)).toBe(model.held.size);
  }
});
