import { parseAddress } from '@contrail/net';
import { systemClock } from '@contrail/reconcile';
import type { HeldAddress } from '@contrail/store';
import { Reclaimer } from './reclaimer';

describe('Reclaimer', () => {
  let held: HeldAddress[];
  let owners: Set<string>;
  let isCurrent: boolean;
  let reclaimer: Reclaimer;

  const hold = (owner: string, changes: Partial<HeldAddress> = {}): void => {
    const address = parseAddress(`192.0.2.${held.length + 1}`);
    held.push({
      ...{ network: 'n', owner, ownerType: 'instance-ip', reserved: false, askedAtMs: 1n },
      ...{ description: '', subnetUuid: 's', address },
      ...changes,
    });
  };
  const left = (): string[] => held.map(({ owner }) => owner);

  beforeEach(() => {
    held = [];
    owners = new Set();
    isCurrent = true;
    reclaimer = new Reclaimer({
      cache: { get isCurrent() { return isCurrent; }, hasOwner: (uuid) => owners.has(uuid) },
      pool: {
        networks: () => Promise.resolve(['n']),
        // Two pages, as of a network with many addresses.
        list: (_, after) => {
          const isFirst = ({ address }: HeldAddress): boolean => (address.at(-1) ?? 0) <= 2;
          return Promise.resolve(
            after === ''
              ? { addresses: held.filter(isFirst), next: 'second' }
              : { addresses: held.filter((entry) => !isFirst(entry)), next: '' },
          );
        },
        reclaim: (gone) => {
          held = held.filter((entry) => !gone.some(({ address }) => address === entry.address));
          return Promise.resolve(gone.length);
        },
      },
      clock: systemClock,
      intervalMs: 1_000,
    });
  });

  it('takes back at the second look what has no owner, on every page', async () => {
    for (const owner of ['a', 'here', 'b', 'c']) hold(owner);
    owners.add('here');
    expect(await reclaimer.observe()).toBe(0);
    expect(left()).toHaveLength(4);
    expect(await reclaimer.observe()).toBe(3);
    expect(left()).toEqual(['here']);
  });

  it('begins anew when the owner is back in between, or has asked again', async () => {
    hold('flaps');
    hold('asks');
    await reclaimer.observe();
    owners.add('flaps');
    held = held.map((entry) => (entry.owner === 'asks' ? { ...entry, askedAtMs: 2n } : entry));
    await reclaimer.observe();
    owners.clear();
    held = held.map((entry) => ({ ...entry, askedAtMs: entry.askedAtMs + 1n }));
    expect(await reclaimer.observe()).toBe(0);
    expect(await reclaimer.observe()).toBe(2);
  });

  it('does not look while config-api is out of view, and forgets what it saw before', async () => {
    hold('gone');
    await reclaimer.observe();
    isCurrent = false;
    expect(await reclaimer.observe()).toBe(0);
    isCurrent = true;
    expect(await reclaimer.observe()).toBe(0);
    expect(await reclaimer.observe()).toBe(1);
  });

  it('leaves what belongs to no resource', async () => {
    hold('user', { ownerType: '' });
    await reclaimer.observe();
    await reclaimer.observe();
    expect(left()).toEqual(['user']);
  });
});
