import { parseAddress, parsePrefix } from '@contrail/net';
import type { Cluster } from './cluster';
import { conflictOf } from './custom-network';

const cluster: Cluster = {
  ...{ name: 'k8s', uid: 'u', domain: 'default-domain', owner: 'k8s', sharedProject: '', ipFabricSnat: true },
  podSubnets: [parsePrefix('10.32.0.0/12')],
  serviceSubnets: [parsePrefix('10.96.0.0/16'), parsePrefix('2001:db8:96::/112')],
  ipFabricSubnets: [parsePrefix('198.51.100.0/24')],
};
const nodes = ['192.0.2.11', '2001:db8::11'].map(parseAddress);

it.each<[string, string[], string | undefined]>([
  ['the range of cluster IPs itself', ['10.96.0.0/16'], 'its subnet 10.96.0.0/16 overlaps 10.96.0.0/16, the range of cluster IPs'],
  ['a part of it', ['10.96.128.0/24'], 'its subnet 10.96.128.0/24 overlaps 10.96.0.0/16, the range of cluster IPs'],
  ['all around it', ['10.0.0.0/8'], 'its subnet 10.0.0.0/8 overlaps 10.96.0.0/16, the range of cluster IPs'],
  ['its IPv6 range', ['2001:db8:96::/64'], 'its subnet 2001:db8:96::/64 overlaps 2001:db8:96::/112, the range of cluster IPs'],
  ['the second of two subnets', ['203.0.113.0/24', '10.96.1.0/24'], 'its subnet 10.96.1.0/24 overlaps 10.96.0.0/16, the range of cluster IPs'],
  ['a range of the underlay', ['198.51.100.128/25'], 'its subnet 198.51.100.128/25 overlaps 198.51.100.0/24, a range of the underlay'],
  ['the address of a node', ['192.0.2.0/28'], 'its subnet 192.0.2.0/28 contains 192.0.2.11, the address of a node'],
  ['an IPv6 address of a node', ['2001:db8::/120'], 'its subnet 2001:db8::/120 contains 2001:db8::11, the address of a node'],
  ['addresses of pods, which custom networks may share', ['10.32.0.0/24'], undefined],
  ['an address that reads like another of the other family', ['::a60:0/112'], undefined],
  ['nothing of these', ['203.0.113.0/24', '2001:db8:1::/64'], undefined],
])('a network with %s: %#', (_name, subnets, conflict) => {
  expect(conflictOf(subnets.map(parsePrefix), cluster, nodes)).toBe(conflict);
});
