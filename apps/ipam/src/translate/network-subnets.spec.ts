import fc from 'fast-check';
import { formatAddress, formatPrefix } from '@contrail/net';
import { NetworkIpam, VirtualNetwork } from '@contrail/proto-gen/config/v1/resources';
import { capacityOf, candidatesAfter, layoutOf } from '@contrail/store';
import { subnetsOfIpam, subnetsOfNetwork } from './network-subnets';

const flat = NetworkIpam.fromPartial({
  meta: { uuid: 'flat', fqName: ['d', 'p', 'pods'] },
  ipamSubnetMethod: 'flat-subnet',
  ipamSubnets: {
    subnets: [
      {
        subnetUuid: 's1',
        subnet: { ipPrefix: '10.32.0.0', ipPrefixLen: 12 },
        defaultGateway: '10.47.255.254',
      },
    ],
  },
});
const own = { subnetUuid: 's2', subnet: { ipPrefix: '192.0.2.0', ipPrefixLen: 24 } };

function network(addressAllocationMode: string, subnets: object[] = []): VirtualNetwork {
  return VirtualNetwork.fromPartial({
    meta: { uuid: 'n', fqName: ['d', 'p', 'net'] },
    addressAllocationMode,
    networkIpamRefs: [{ uuid: 'flat', attr: { ipamSubnets: subnets } }],
  });
}

const prefixes = (subject: VirtualNetwork, ipams = new Map([['flat', flat]])): string[] =>
  subnetsOfNetwork(subject, ipams).map(({ subnet }) => formatPrefix(subnet.prefix));

it.each<[string, string[]]>([
  ['', ['192.0.2.0/24', '10.32.0.0/12']],
  ['user-defined-subnet-preferred', ['192.0.2.0/24', '10.32.0.0/12']],
  ['user-defined-subnet-only', ['192.0.2.0/24']],
  ['flat-subnet-preferred', ['10.32.0.0/12', '192.0.2.0/24']],
  ['flat-subnet-only', ['10.32.0.0/12']],
])('mode "%s" uses %j', (mode, want) => {
  expect(prefixes(network(mode, [own]))).toEqual(want);
});

it('has no subnet without references, as ip-fabric', () => {
  expect(
    prefixes(VirtualNetwork.fromPartial({ meta: { uuid: 'f', fqName: ['d', 'p', 'ip-fabric'] } })),
  ).toEqual([]);
});

it('ignores references to an absent IPAM and entries without prefix', () => {
  expect(prefixes(network('', [{ subnetUuid: 's1' }]), new Map())).toEqual([]);
});

it('names the object that declares a subnet', () => {
  expect(
    subnetsOfNetwork(network('', [own]), new Map([['flat', flat]])).map(({ owner }) => owner),
  ).toEqual(['VirtualNetwork/d:p:net', 'NetworkIpam/d:p:pods']);
});

const ipamOf = (...subnets: object[]): NetworkIpam =>
  NetworkIpam.fromPartial({ ipamSubnetMethod: 'flat-subnet', ipamSubnets: { subnets } });

it.each([
  ['0.0.0.0', undefined],
  ['::', undefined],
  ['192.0.2.1', '192.0.2.1'],
])('gateway %s', (defaultGateway, want) => {
  const [entry] = subnetsOfIpam(ipamOf({ ...own, defaultGateway }));
  const gateway = entry?.subnet.gateway;
  expect(gateway && formatAddress(gateway)).toBe(want);
});

describe('any text as an address or prefix', () => {
  const text = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string(), fc.constantFrom('', '/', '1.2.3', '::1%eth0'));
  const prefix = fc.record({ ipPrefix: text, ipPrefixLen: fc.nat(200) });
  const subnets = fc.array(
    fc.record({
      subnetUuid: fc.constantFrom('', 's1', 's2'),
      subnet: prefix,
      defaultGateway: text,
      dnsServerAddress: text,
      addrFromStart: fc.boolean(),
      allocationPools: fc.array(fc.record({ start: text, end: text }), { maxLength: 3 }),
      exclusions: fc.array(prefix, { maxLength: 3 }),
      allocUnit: fc.constantFrom(0, 1, 2, 256, 2 ** 31),
    }),
    { maxLength: 3 },
  );

  it('gives usable subnets or none, at once', () => {
    fc.assert(
      fc.property(subnets, (declared) => {
        for (const { subnet } of subnetsOfIpam(ipamOf(...declared))) {
          const layout = layoutOf(subnet);
          const { addresses, complete } = candidatesAfter(layout, undefined, 10);
          expect(BigInt(addresses.length)).toBeLessThanOrEqual(capacityOf(layout));
          expect(complete).toBe(BigInt(addresses.length) === capacityOf(layout));
        }
      }),
      { numRuns: 500 },
    );
  });
});
