import type { InterfaceAddress, Prefix } from '@contrail/proto-gen/control/v1/messages';
import { formatAddress, parsePrefix } from '@contrail/net';
import * as make from '../testing/entries';
import { toCniResult } from './cni-result';
import { gatewayOf, ownFirst, sourceRoutesOf } from './pod-addressing';
import { sourceRouteText } from './source-route-text';

const own = make.podAddress('198.51.100.5', { gateway: make.bytes('198.51.100.1'), prefixLength: 24 });
const alias = make.podAddress('10.33.0.7', { alias: true });
const vmiWith = (...addresses: InterfaceAddress[]) => make.interfaceValue(1, { addresses });
const prefix = (text: string): Prefix => {
  const { address, length } = parsePrefix(text);
  return { address: Buffer.from(address), length };
};
const texts = (addresses: readonly InterfaceAddress[]): string[] => addresses.map((each) => formatAddress(each.address));

describe('a pod with an alias address, in whatever order control names both', () => {
  it.each([
    ['own first', vmiWith(own, alias)],
    ['alias first', vmiWith(alias, own)],
  ])('%s', (_order, vmi) => {
    expect(texts(ownFirst(vmi.addresses))).toEqual(['198.51.100.5', '10.33.0.7']);
    expect(gatewayOf(vmi, 4)).toEqual(own.gateway);
    expect(sourceRoutesOf(vmi).map(sourceRouteText)).toEqual([
      'default src 10.33.0.7',
      '198.51.100.0/24 src 198.51.100.5',
    ]);
    const added = { cniVersion: '1.0.0' as const, vmi, ifname: 'eth0', netns: '/x', hostInterface: 'tap', mtu: 1450 };
    expect(toCniResult(added)['ips']).toEqual([
      { interface: 1, address: '10.33.0.7/32', gateway: '10.47.255.254' },
      { interface: 1, address: '198.51.100.5/32', gateway: '198.51.100.1' },
    ]);
  });

  it('goes through the gateway of its own network, or else that of the alias', () => {
    const withoutGateway = { ...own, gateway: Buffer.alloc(0) };
    expect(gatewayOf(vmiWith(withoutGateway, alias), 4)).toEqual(alias.gateway);
  });

  it('has no route of its own network when control does not know the subnet', () => {
    const bare = [0, 32].map((prefixLength) => vmiWith({ ...own, prefixLength }, alias));
    for (const vmi of bare) expect(sourceRoutesOf(vmi).map(sourceRouteText)).toEqual(['default src 10.33.0.7']);
  });

  it('uses its own address towards every subnet of its network', () => {
    const second = make.podAddress('203.0.113.5', { prefixLength: 26 });
    const networkPrefixes = ['198.51.100.0/24', '203.0.113.0/26', '192.0.2.0/25', '2001:db8::/64'].map(prefix);
    const routes = sourceRoutesOf({ ...vmiWith(alias, own, second), networkPrefixes }).map(sourceRouteText);
    expect(routes).toEqual([
      'default src 10.33.0.7',
      '198.51.100.0/24 src 198.51.100.5',
      '203.0.113.0/26 src 203.0.113.5',
      '192.0.2.0/25 src 198.51.100.5',
    ]);
  });

  it('has sources for the family of the alias only', () => {
    const six = make.podAddress('2001:db8::7', { prefixLength: 64, gateway: make.bytes('2001:db8::1') });
    expect(sourceRoutesOf(vmiWith(own, six, alias)).map(sourceRouteText)).toEqual([
      'default src 10.33.0.7',
      '198.51.100.0/24 src 198.51.100.5',
    ]);
  });
});

it('a pod without alias leaves the choice to the kernel', () => {
  expect(sourceRoutesOf(vmiWith(own, make.podAddress('198.51.100.6')))).toEqual([]);
});
