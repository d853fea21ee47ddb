import { formatPrefix } from '@contrail/net';
import { NetworkIpam, VirtualNetwork } from '@contrail/proto-gen/config/v1/resources';
import { subnetsOfNetwork } from './network-subnets';

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
