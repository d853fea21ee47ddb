import { formatAddress } from '@contrail/net';
import type { Service } from '@contrail/proto-gen/control/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { findMessage, ipFabricNetworkUuid } from '@contrail/resource-model';
import { Compiled } from '../../testing/compiled';
import {
  clusterResources,
  network,
  nodeResource,
  podResources,
  serviceResources,
  testUuid,
  uuids,
} from '../../testing/cluster';
import type { TestMember } from '../../testing/cluster';
import { scopesOfNode } from '../stream/node-needs';

const isolated = testUuid(2, 30);
const pods = [1, 2].flatMap((n) => podResources({ n, node: `node${n}`, address: `10.47.0.${n}` }));
const base = [...clusterResources(), nodeResource(1), nodeResource(2), ...pods];

function service(...members: TestMember[]): Resource[] {
  return serviceResources({ n: 1, clusterIp: '10.96.0.10', port: 80, targetPort: 8080, members });
}

function inVrf(compiled: Compiled, networkUuid: string): Service | undefined {
  return compiled.find('service').find(({ key }) => key?.vrf === compiled.vrf(networkUuid));
}

/** The service with the conditions of its only member changed. */
function withConditions(change: { ready?: boolean; serving?: boolean; terminating?: boolean }): Resource[] {
  const resources = structuredClone(service({ address: '10.47.0.1', pod: 1 }));
  for (const resource of resources) {
    const member = findMessage('loadbalancer-member', resource);
    if (member?.endpointConditions) Object.assign(member.endpointConditions, change);
  }
  return resources;
}

describe('services', () => {
  it('are in the VRF of pods and of the nodes, with backends in the VRF of their pods', () => {
    const compiled = new Compiled([...base, ...service({ address: '10.47.0.1', pod: 1 }, { address: '10.47.0.2', pod: 2 })]);
    expect(compiled.find('service')).toHaveLength(2);
    for (const networkUuid of [uuids.podNetwork, ipFabricNetworkUuid]) {
      const found = inVrf(compiled, networkUuid);
      expect(found?.key && formatAddress(found.key.address)).toBe('10.96.0.10');
      expect(found?.backends.map(({ address, port, vrf, node }) => [formatAddress(address), port, vrf, node])).toEqual([
        ['10.47.0.1', 8080, compiled.vrf(uuids.podNetwork), 'node1'],
        ['10.47.0.2', 8080, compiled.vrf(uuids.podNetwork), 'node2'],
      ]);
    }
  });

  it('have backends that are no pods in the fabric', () => {
    const compiled = new Compiled([...base, ...service({ address: '192.0.2.1', node: 'node1' })]);
    const [backend] = inVrf(compiled, uuids.podNetwork)?.backends ?? [];
    expect(backend).toMatchObject({ vrf: compiled.vrf(ipFabricNetworkUuid), node: 'node1', ready: true });
  });

  it.each([
    ['ready', { ready: true, serving: true, terminating: false }, 1],
    ['terminating but serving', { ready: false, serving: true, terminating: true }, 1],
    ['not ready', { ready: false, serving: false, terminating: false }, 0],
    ['terminating and not serving', { ready: false, serving: false, terminating: true }, 0],
  ])('with only a member that is %s', (_name, conditions, count) => {
    const compiled = new Compiled([...base, ...withConditions(conditions)]);
    expect(inVrf(compiled, uuids.podNetwork)?.backends).toHaveLength(count);
  });

  it('without backends stay, so that calls are refused', () => {
    const compiled = new Compiled([...base, ...service()]);
    expect(inVrf(compiled, uuids.podNetwork)?.backends).toEqual([]);
  });

  it('are not in networks that no policy joins with the service network', () => {
    const compiled = new Compiled([
      ...base,
      ...network(isolated, ['default-domain', 'k8s-default', 'blue'], { vni: 9 }),
      ...podResources({ n: 5, node: 'node1', address: '10.0.0.5', networkUuid: isolated }),
      ...service({ address: '10.47.0.1', pod: 1 }),
    ]);
    expect(inVrf(compiled, isolated)).toBeUndefined();
  });

  it('are hashed over the admitted members only', () => {
    const compiled = new Compiled([
      ...base,
      ...service({ address: '10.47.0.1', pod: 1 }, { address: '10.47.0.2', pod: 2, refused: 'isolated' }),
    ]);
    expect(inVrf(compiled, uuids.podNetwork)?.backends.map(({ address }) => formatAddress(address))).toEqual(['10.47.0.1']);
  });

  it.each(['default/kubernetes', 'kube-system/kube-dns'])('%s is in every VRF', (name) => {
    const compiled = new Compiled([
      ...base,
      ...network(isolated, ['default-domain', 'red', 'red'], { vni: 9 }),
      ...serviceResources({ n: 1, clusterIp: '10.96.0.10', port: 53, targetPort: 53, name, members: [{ address: '10.47.0.1', pod: 1 }] }),
      ...podResources({ n: 5, node: 'node1', address: '10.0.0.5', networkUuid: isolated }),
    ]);
    expect(inVrf(compiled, isolated)?.backends.map(({ vrf }) => vrf)).toEqual([compiled.vrf(uuids.podNetwork)]);
  });

  it('whose admitted backends are all on a custom network are reachable from there without a policy', () => {
    const own = (...more: TestMember[]): Resource[] => service({ address: '10.47.9.9', pod: 5 }, ...more);
    const custom = [
      ...network(isolated, ['default-domain', 'red', 'red'], { vni: 9 }),
      ...podResources({ n: 5, node: 'node1', address: '10.0.0.5', networkUuid: isolated, alias: '10.47.9.9' }),
    ];
    const compiled = new Compiled([...base, ...custom, ...own()]);
    const found = inVrf(compiled, isolated)?.backends.map(({ address, vrf }) => [formatAddress(address), vrf]);
    expect(found).toEqual([['10.47.9.9', compiled.vrf(isolated)]]);
    compiled.put(own({ address: '10.47.0.1', pod: 1 }));
    expect(inVrf(compiled, isolated)).toBeUndefined();
    compiled.put(own({ address: '10.47.0.1', pod: 1, refused: 'isolated' }));
    expect(inVrf(compiled, isolated)?.backends).toHaveLength(1);
  });

  it('may cross into a VRF that no policy joins: then labels and routes for it exist, both ways', () => {
    const compiled = new Compiled([
      ...base,
      ...network(isolated, ['default-domain', 'k8s-iso', 'k8s-iso-pod-network'], { vni: 9, policies: [uuids.servicePolicy] }),
      ...podResources({ n: 5, node: 'node1', address: '10.0.0.5', networkUuid: isolated }),
    ]);
    const labels = (): string[] => compiled.find('label').map(({ vrf, senderVrf }) => `${senderVrf}>${vrf}`);
    const [iso, pod] = [compiled.vrf(isolated), compiled.vrf(uuids.podNetwork)];
    const needs = (): Set<string> => {
      const { table, topology, compiler } = compiled;
      return scopesOfNode({ table, topology, reach: compiler.reach }, 'node1');
    };
    const podRoutes = `routes/${compiled.topology.networks.get(uuids.podNetwork)?.instance ?? ''}`;
    expect(labels()).not.toContain(`${iso}>${pod}`);

    compiled.put(service({ address: '10.47.0.1', pod: 1 }));
    expect(inVrf(compiled, isolated)?.backends[0]?.vrf).toBe(pod);
    expect(labels()).toEqual(expect.arrayContaining([`${iso}>${pod}`, `${pod}>${iso}`]));
    expect(needs().has(podRoutes)).toBe(true);

    compiled.put(service({ address: '10.47.0.1', pod: 1, ready: false }));
    expect(labels()).not.toContain(`${iso}>${pod}`);
  });
});
