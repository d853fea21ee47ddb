import { formatAddress, formatPrefix } from '@contrail/net';
import type { Route } from '@contrail/proto-gen/control/v1/messages';
import { ipFabricNetworkUuid } from '@contrail/resource-model';
import { Compiled } from '../../testing/compiled';
import { clusterResources, ipam, network, nodeResource, podResources, podUuids, testUuid, uuids } from '../../testing/cluster';

const blue = testUuid(2, 10);
const blueName = ['default-domain', 'k8s-default', 'blue'];
const base = [...clusterResources(), nodeResource(1), nodeResource(2)];

function routesOf(compiled: Compiled, networkUuid: string): Map<string, Route> {
  const vrf = compiled.vrf(networkUuid);
  const routes = compiled.find('route').filter(({ key }) => key?.vrf === vrf);
  return new Map(routes.map((route) => [route.key?.prefix ? formatPrefix(route.key.prefix) : '', route]));
}

function hops(route: Route | undefined): string[] {
  return (route?.paths ?? []).map(({ nextHop }) => {
    switch (nextHop?.$case) {
      case undefined:
        return 'none';
      case 'interface':
        return `${nextHop.value.node} ${nextHop.value.interfaceUuid}`;
      case 'node':
        return `node ${nextHop.value.node}`;
      case 'fabric':
        return `fabric snat=${nextHop.value.snat}`;
      case 'discard':
        return 'discard';
      case 'tunnel':
        return formatAddress(nextHop.value.remote);
    }
  });
}

const podRoute = (n: number, node: string): string => `${node} ${podUuids.interface(n)}`;

describe('routes', () => {
  it('lead to a pod in its own network and in those joined with it, with its VRF and identity', () => {
    const compiled = new Compiled([...base, ...podResources({ n: 1, node: 'node1', address: '10.47.255.250' })]);
    for (const networkUuid of [uuids.podNetwork, ipFabricNetworkUuid]) {
      const route = routesOf(compiled, networkUuid).get('10.47.255.250/32');
      expect(hops(route)).toEqual([podRoute(1, 'node1')]);
      const [path] = route?.paths ?? [];
      expect(path?.nextHop?.$case === 'interface' && path.nextHop.value.vrf).toBe(compiled.vrf(uuids.podNetwork));
      expect(route?.identity).toBe(compiled.find('interface')[0]?.identity);
    }
  });

  it('lead to nodes where a policy joins the network with ip-fabric, and nowhere else', () => {
    const compiled = new Compiled([
      ...base,
      ...network(blue, blueName, { vni: 9, ipams: [uuids.podIpam] }),
      ...podResources({ n: 1, node: 'node1', address: '10.47.255.250' }),
      ...podResources({ n: 2, node: 'node1', address: '10.47.255.249', networkUuid: blue }),
    ]);
    expect(hops(routesOf(compiled, uuids.podNetwork).get('192.0.2.2/32'))).toEqual(['node node2']);
    expect(hops(routesOf(compiled, ipFabricNetworkUuid).get('192.0.2.1/32'))).toEqual(['node node1']);
    expect([...routesOf(compiled, blue).keys()]).toEqual(['10.32.0.0/12', '10.47.255.249/32']);
  });

  it('leave by source translation only where the network has fabric_snat', () => {
    const pod = podResources({ n: 1, node: 'node1', address: '10.47.255.250' });
    const compiled = new Compiled([...base, ...pod]);
    const routes = routesOf(compiled, uuids.podNetwork);
    expect(hops(routes.get('0.0.0.0/0'))).toEqual(['fabric snat=true']);
    expect(routes.has('::/0')).toBe(false);
    expect(routesOf(compiled, ipFabricNetworkUuid).has('0.0.0.0/0')).toBe(false);
  });

  it('of a network with SNAT lead neither to the cluster that it is not joined with nor out with its addresses', () => {
    const pod = podResources({ n: 2, node: 'node1', address: '10.0.0.2', networkUuid: blue, alias: '10.47.255.249' });
    const victim = podResources({ n: 3, node: 'node2', address: '10.0.0.2', networkUuid: uuids.serviceNetwork, alias: '10.47.255.248' });
    const compiled = new Compiled([...base, ...network(blue, blueName, { vni: 9, fabricSnat: true }), ...pod, ...victim]);
    const hopsOf = (prefix: string): string[] => hops(routesOf(compiled, blue).get(prefix));
    expect(hopsOf('0.0.0.0/0')).toEqual(['fabric snat=true']);
    const held = ['10.32.0.0/12', '10.96.0.0/16', '192.0.2.1/32', '192.0.2.2/32'];
    expect(held.map(hopsOf)).toEqual(held.map(() => ['discard']));
    expect(hopsOf('10.47.255.249/32')).toEqual([podRoute(2, 'node1')]);
    // A node and a pool that come later.
    compiled.put([nodeResource(3), ipam(uuids.serviceIpam, 'k8s-service-ipam', { prefix: '10.97.0.0', length: 16 })]);
    expect(['192.0.2.3/32', '10.97.0.0/16', '10.96.0.0/16'].map(hopsOf)).toEqual([['discard'], ['discard'], []]);
    // By a policy the nodes are reachable; without SNAT nothing has to be held.
    compiled.put(network(blue, blueName, { vni: 9, fabricSnat: true, policies: [uuids.fabricPolicy] }));
    expect(hopsOf('192.0.2.2/32')).toEqual(['node node2']);
    compiled.put(network(blue, blueName, { vni: 9 }));
    expect([...routesOf(compiled, blue).keys()]).toEqual(['10.0.0.2/32', '10.47.255.249/32']);
  });

  it('know the networks of the cluster by their whole names', () => {
    const [alike, green] = [testUuid(2, 11), testUuid(3, 11)];
    const compiled = new Compiled([
      ...base,
      ipam(green, 'green-ipam', { prefix: '198.51.100.0', length: 24 }),
      ...network(alike, ['default-domain', 'k8s-green', 'k8s-default-pod-network'], { vni: 10, ipams: [green] }),
      ...network(blue, blueName, { vni: 9, fabricSnat: true }),
      ...podResources({ n: 1, node: 'node1', address: '198.51.100.2', networkUuid: alike }),
      ...podResources({ n: 2, node: 'node1', address: '10.0.0.2', networkUuid: blue, alias: '10.47.255.249' }),
    ]);
    expect(['10.32.0.0/12', '198.51.100.0/24'].map((prefix) => hops(routesOf(compiled, blue).get(prefix)))).toEqual([['discard'], []]);
    const isTenant = (uuid: string): boolean | undefined => compiled.find('vrf').find(({ id }) => id === compiled.vrf(uuid))?.tenant;
    expect([uuids.podNetwork, alike].map(isTenant)).toEqual([false, true]);
  });

  it('discard what nobody has of the own and of joined subnets', () => {
    const compiled = new Compiled([...base, ...podResources({ n: 1, node: 'node1', address: '10.47.255.250' })]);
    const routes = routesOf(compiled, uuids.podNetwork);
    expect(hops(routes.get('10.32.0.0/12'))).toEqual(['discard']);
    expect(hops(routes.get('10.96.0.0/16'))).toEqual(['discard']);
  });

  it('prefer the own network to a node, and a node to a joined network', () => {
    const compiled = new Compiled([
      ...base,
      ...network(blue, blueName, { vni: 9, policies: [uuids.fabricPolicy] }),
      ...podResources({ n: 1, node: 'node1', address: '192.0.2.2' }),
      ...podResources({ n: 2, node: 'node2', address: '198.51.100.7' }),
      ...podResources({ n: 3, node: 'node1', address: '198.51.100.7', networkUuid: blue }),
    ]);
    expect(hops(routesOf(compiled, uuids.podNetwork).get('192.0.2.2/32'))).toEqual([podRoute(1, 'node1')]);
    expect(hops(routesOf(compiled, ipFabricNetworkUuid).get('192.0.2.2/32'))).toEqual(['node node2']);
    // The same address in two networks: each has its own, a third party is never balanced over both.
    expect(hops(routesOf(compiled, uuids.podNetwork).get('198.51.100.7/32'))).toEqual([podRoute(2, 'node2')]);
    expect(hops(routesOf(compiled, blue).get('198.51.100.7/32'))).toEqual([podRoute(3, 'node1')]);
    expect(hops(routesOf(compiled, ipFabricNetworkUuid).get('198.51.100.7/32'))).toEqual([podRoute(2, 'node2')]);
  });

  it('are shared by several interfaces of one network with the address', () => {
    const compiled = new Compiled([
      ...base,
      ...podResources({ n: 1, node: 'node1', address: '10.47.255.250' }),
      ...podResources({ n: 2, node: 'node2', address: '10.47.255.250' }),
    ]);
    expect(hops(routesOf(compiled, uuids.podNetwork).get('10.47.255.250/32'))).toEqual([
      podRoute(1, 'node1'),
      podRoute(2, 'node2'),
    ]);
  });

  it('lead to an alias in its own VRF and from the nodes, and nowhere else', () => {
    const compiled = new Compiled([
      ...base,
      ...network(blue, blueName, { vni: 9, policies: [uuids.servicePolicy] }),
      ...podResources({ n: 1, node: 'node1', address: '10.47.255.250' }),
      ...podResources({ n: 2, node: 'node2', address: '10.0.0.2', networkUuid: blue, alias: '10.47.255.249' }),
    ]);
    for (const networkUuid of [blue, ipFabricNetworkUuid]) {
      const route = routesOf(compiled, networkUuid).get('10.47.255.249/32');
      expect(hops(route)).toEqual([podRoute(2, 'node2')]);
      const [path] = route?.paths ?? [];
      expect(path?.nextHop?.$case === 'interface' && path.nextHop.value.vrf).toBe(compiled.vrf(blue));
    }
    expect(routesOf(compiled, uuids.podNetwork).has('10.47.255.249/32')).toBe(false);
    expect(routesOf(compiled, ipFabricNetworkUuid).has('10.0.0.2/32')).toBe(false);
    const [vmi] = compiled.find('interface').filter(({ uuid }) => uuid === podUuids.interface(2));
    expect(vmi?.addresses.map(({ address, prefixLength, alias }) => [formatAddress(address), prefixLength, alias])).toEqual([
      ['10.0.0.2', 32, false],
      ['10.47.255.249', 32, true],
    ]);
  });

  it('a pod with an alias learns every subnet of its network, also one that comes later; others need none', () => {
    const ipams = [testUuid(3, 21), testUuid(3, 22)];
    const compiled = new Compiled([
      ...base,
      ipam(ipams[0] ?? '', 'blue-1', { prefix: '10.0.0.0', length: 24 }),
      ipam(ipams[1] ?? '', 'blue-2', { prefix: '10.7.0.0', length: 25 }),
      ...network(blue, blueName, { vni: 9, ipams: ipams.slice(0, 1) }),
      ...podResources({ n: 1, node: 'node1', address: '10.47.255.250' }),
      ...podResources({ n: 2, node: 'node2', address: '10.0.0.2', networkUuid: blue, alias: '10.47.255.249' }),
    ]);
    const prefixesOf = (n: number): string[] | undefined =>
      compiled.find('interface').find(({ uuid }) => uuid === podUuids.interface(n))?.networkPrefixes.map(formatPrefix);
    expect([prefixesOf(1), prefixesOf(2)]).toEqual([[], ['10.0.0.0/24']]);
    compiled.put(network(blue, blueName, { vni: 9, ipams }));
    expect([prefixesOf(1), prefixesOf(2)]).toEqual([[], ['10.0.0.0/24', '10.7.0.0/25']]);
  });

  it('to an alias have labels both ways between nodes and the network', () => {
    const compiled = new Compiled([...base, ...network(blue, blueName, { vni: 9 })]);
    const pairs = (): string[] => compiled.find('label').map(({ vrf, senderVrf }) => `${senderVrf}>${vrf}`);
    const [custom, fabric] = [compiled.vrf(blue), compiled.vrf(ipFabricNetworkUuid)];
    expect(pairs()).not.toContain(`${fabric}>${custom}`);
    compiled.put(podResources({ n: 2, node: 'node2', address: '10.0.0.2', networkUuid: blue, alias: '10.47.255.249' }));
    expect(pairs()).toEqual(expect.arrayContaining([`${fabric}>${custom}`, `${custom}>${fabric}`]));
    const toCustom = [...compiled.table.scope('all').keys()].filter((key) => key.startsWith('label/'));
    expect(toCustom.some((key) => key.includes(compiled.topology.networks.get(blue)?.instance ?? 'none'))).toBe(true);
  });

  it('do not exist for a pod that has no node yet', () => {
    const compiled = new Compiled([...base, ...podResources({ n: 1, node: '', address: '10.47.255.250' })]);
    expect(routesOf(compiled, uuids.podNetwork).has('10.47.255.250/32')).toBe(false);
    expect(compiled.find('interface')).toEqual([]);
  });

  it('do not exist in a network without interfaces', () => {
    const compiled = new Compiled([...base, ...network(blue, blueName, { vni: 9, fabricSnat: true })]);
    expect(routesOf(compiled, blue).size).toBe(0);
    expect(routesOf(compiled, uuids.serviceNetwork).size).toBe(0);
  });
});
