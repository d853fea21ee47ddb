import fc from 'fast-check';
import {
  addressFromBigInt,
  addressKey,
  addressToBigInt,
  formatAddress,
  lastAddress,
  parsePrefix,
  prefixContains,
} from '@contrail/net';
import { addressRange, poolSubnet } from '../../testing/pool-subnet';
import { capacityOf, candidatesAfter, isInRanges, layoutOf } from './candidates';
import type { PoolSubnet } from './candidates';

function first(s: PoolSubnet, count: number): string[] {
  const { addresses } = candidatesAfter(layoutOf(s), undefined, count);
  return addresses.map((hex) => formatAddress(new Uint8Array(Buffer.from(hex, 'hex'))));
}

describe('the order of addresses', () => {
  it.each<[string, PoolSubnet, string[]]>([
    [
      'from the top, after gateway and DNS address (R21)',
      poolSubnet('10.32.0.0/12'),
      ['10.47.255.252', '10.47.255.251'],
    ],
    ['from the start', poolSubnet('192.0.2.0/24', { fromStart: true }), ['192.0.2.3', '192.0.2.4']],
    ['/30: nothing is left', poolSubnet('192.0.2.0/30'), []],
    ['/31: both addresses', poolSubnet('192.0.2.2/31'), ['192.0.2.3', '192.0.2.2']],
    ['/32: its address', poolSubnet('192.0.2.9/32'), ['192.0.2.9']],
    [
      'IPv6 /64 without a bitmap',
      poolSubnet('2001:db8::/64'),
      ['2001:db8::ffff:ffff:ffff:fffc', '2001:db8::ffff:ffff:ffff:fffb'],
    ],
    ['IPv6 /127', poolSubnet('2001:db8::/127'), ['2001:db8::1', '2001:db8::']],
    [
      'pools only, the highest first',
      poolSubnet('192.0.2.0/24', {
        pools: [addressRange('192.0.2.10', '192.0.2.11'), addressRange('192.0.2.30', '192.0.2.30')],
      }),
      ['192.0.2.30', '192.0.2.11', '192.0.2.10'],
    ],
    [
      'overlapping pools once',
      poolSubnet('192.0.2.0/24', {
        pools: [addressRange('192.0.2.10', '192.0.2.11'), addressRange('192.0.2.11', '192.0.2.12')],
      }),
      ['192.0.2.12', '192.0.2.11', '192.0.2.10'],
    ],
    [
      'without exclusions',
      poolSubnet('192.0.2.0/29', { exclusions: [parsePrefix('192.0.2.4/31')] }),
      ['192.0.2.3', '192.0.2.2', '192.0.2.1'],
    ],
    [
      'in units',
      poolSubnet('192.0.2.0/27', { unit: 8, gateway: undefined, dns: undefined }),
      ['192.0.2.16', '192.0.2.8'],
    ],
  ])('%s', (_, s, want) => {
    expect(first(s, Math.max(want.length, 2)).slice(0, Math.max(want.length, 1))).toEqual(want);
  });

  it('counts the capacity', () => {
    expect(capacityOf(layoutOf(poolSubnet('10.32.0.0/12')))).toBe(2n ** 20n - 4n);
    expect(capacityOf(layoutOf(poolSubnet('2001:db8::/64')))).toBe(2n ** 64n - 4n);
    expect(capacityOf(layoutOf(poolSubnet('192.0.2.2/31')))).toBe(2n);
  });

  it('goes on after a position, across pools', () => {
    const layout = layoutOf(
      poolSubnet('192.0.2.0/24', {
        pools: [addressRange('192.0.2.10', '192.0.2.11'), addressRange('192.0.2.30', '192.0.2.31')],
      }),
    );
    expect(candidatesAfter(layout, 'c000021f', 10)).toEqual({
      addresses: ['c000021e', 'c000020b', 'c000020a'],
      complete: true,
    });
    expect(candidatesAfter(layout, 'c000021f', 1)).toEqual({
      addresses: ['c000021e'],
      complete: false,
    });
  });
});

/** Small subnets of all shapes. */
const anySubnet = fc
  .record({
    base: fc.constantFrom({ text: '192.0.2.64', bits: 32 }, { text: '2001:db8::40', bits: 128 }),
    hostBits: fc.integer({ min: 0, max: 6 }),
    pools: fc.array(fc.tuple(fc.nat(70), fc.nat(70)), { maxLength: 3 }),
    exclusions: fc.array(fc.tuple(fc.nat(63), fc.nat(4)), { maxLength: 2 }),
    gateway: fc.option(fc.nat(63), { nil: undefined }),
    dns: fc.option(fc.nat(63), { nil: undefined }),
    fromStart: fc.boolean(),
    unit: fc.constantFrom(0, 1, 2, 4, 8),
  })
  .map(({ base, hostBits, pools, exclusions, gateway, dns, fromStart, unit }): PoolSubnet => {
    const prefix = parsePrefix(`${base.text}/${base.bits - hostBits}`);
    const at = (offset: number): Uint8Array =>
      addressFromBigInt(addressToBigInt(prefix.address) + BigInt(offset), prefix.address.length);
    return {
      uuid: 's',
      prefix,
      gateway: gateway === undefined ? undefined : at(gateway),
      dns: dns === undefined ? undefined : at(dns),
      fromStart,
      pools: pools.map(([a, b]) => ({ start: at(Math.min(a, b)), end: at(Math.max(a, b)) })),
      exclusions: exclusions.map(([offset, size]) =>
        parsePrefix(`${formatAddress(at(offset))}/${base.bits - size}`),
      ),
      unit,
    };
  });

/** What a subnet has to give, address by address, in order. */
function allOf(s: PoolSubnet): string[] {
  const [low, high] = [addressToBigInt(s.prefix.address), addressToBigInt(lastAddress(s.prefix))];
  const isFree = (value: bigint): boolean => {
    if (value < low || value > high) return false;
    if (high - low >= 2n && (value === low || value === high)) return false;
    const address = addressFromBigInt(value, s.prefix.address.length);
    const inPool = s.pools.some(
      ({ start, end }) => value >= addressToBigInt(start) && value <= addressToBigInt(end),
    );
    if (s.pools.length > 0 && !inPool) return false;
    if (s.exclusions.some((exclusion) => prefixContains(exclusion, address))) return false;
    return ![s.gateway, s.dns].some((other) => other && addressToBigInt(other) === value);
  };
  const unit = Math.max(1, s.unit);
  const found: string[] = [];
  for (let value = low; value <= high; value += 1n) {
    const isWhole = Array.from({ length: unit }, (_, i) => isFree(value + BigInt(i))).every(Boolean);
    if (value % BigInt(unit) === 0n && isWhole)
      found.push(addressKey(addressFromBigInt(value, s.prefix.address.length)));
  }
  return s.fromStart ? found : found.reverse();
}

describe('any subnet', () => {
  it('gives exactly its free units, in order, and counts them', () => {
    fc.assert(
      fc.property(anySubnet, (s) => {
        const [layout, all] = [layoutOf(s), allOf(s)];
        expect(candidatesAfter(layout, undefined, 1_000)).toEqual({ addresses: all, complete: true });
        expect(capacityOf(layout)).toBe(BigInt(all.length));
        expect(all.every((address) => isInRanges(layout, address))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('goes on after every address', () => {
    fc.assert(
      fc.property(anySubnet, fc.nat(63), (s, n) => {
        const all = allOf(s);
        const position = all[n % Math.max(1, all.length)];
        if (position === undefined) return;
        const { addresses } = candidatesAfter(layoutOf(s), position, 1_000);
        expect(addresses).toEqual(all.slice(all.indexOf(position) + 1));
      }),
      { numRuns: 300 },
    );
  });
});
