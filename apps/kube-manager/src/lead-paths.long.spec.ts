import { makeNamespace, makeNode, makePod, makeService, makeSlice, uidOf } from '../testing/kube-makers';
import { clusterNames, namesBecome } from '../testing/names-become';
import { becomes, eventually, settles, World } from '../testing/world';
import type { KubeState } from '../testing/world';

const blue = makeNamespace('blue');
const blueNames = ['project/k8s-blue', 'security-group/k8s-blue-default-sg'];
const web1 = ['instance-ip/web-1__*', 'virtual-machine/k8s__blue__web-1', 'virtual-machine-interface/web-1__*'];
const web2 = ['instance-ip/web-2__*', 'virtual-machine/k8s__blue__web-2', 'virtual-machine-interface/web-2__*'];
const webService = [
  'instance-ip/web__*',
  'loadbalancer-listener/web__*-TCP-80-*',
  'loadbalancer-pool/web__*-TCP-80-*',
  'loadbalancer/web__*',
  'virtual-machine-interface/k8s__Service__web__*',
];
const nodes = [makeNode('node1', '192.0.2.11'), makeNode('node2', '192.0.2.12', '2001:db8::12')];
const nodeNames = ['virtual-router/node1', 'virtual-router/node2'];

/** Named states of a cluster, and what config-api has then besides the cluster's own objects. */
const states: Record<string, { readonly kube: KubeState; readonly names: readonly string[] }> = {
  empty: { kube: {}, names: [] },
  'nodes only': { kube: { nodes }, names: nodeNames },
  'a node without InternalIP': {
    kube: { nodes: [makeNode('node1', '192.0.2.11'), makeNode('mute')] },
    names: ['virtual-router/node1'],
  },
  'two pods': {
    kube: { namespaces: [blue], nodes, pods: [makePod('blue', 'web-1'), makePod('blue', 'web-2', { nodeName: 'node2' })] },
    names: [...blueNames, ...nodeNames, ...web1, ...web2],
  },
  'pods that do not count': {
    kube: {
      namespaces: [blue],
      pods: [
        makePod('blue', 'web-1', { nodeName: '' }),
        makePod('blue', 'web-2', { hostNetwork: true }),
        makePod('blue', 'done', { phase: 'Succeeded' }),
        makePod('blue', 'lost', { phase: 'Failed' }),
      ],
    },
    names: blueNames,
  },
  'the same pod with another uid': {
    kube: { namespaces: [blue], pods: [makePod('blue', 'web-1', { uid: uidOf('Pod', 'blue', 'again') })] },
    names: [...blueNames, ...web1],
  },
  'a service without endpoints': {
    kube: { namespaces: [blue], services: [makeService('blue', 'web')] },
    names: [...blueNames, ...webService],
  },
  'a service with two slices that share an address': {
    kube: {
      namespaces: [blue],
      pods: [makePod('blue', 'web-1')],
      services: [makeService('blue', 'web')],
      slices: [
        makeSlice('blue', 'web', [{ address: '192.0.2.98' }, { address: '192.0.2.99' }]),
        makeSlice('blue', 'web', [{ address: '192.0.2.99', ready: false }, { address: '127.0.0.1' }], { suffix: 'b' }),
      ],
    },
    names: [...blueNames, ...web1, ...webService, 'loadbalancer-member/*', 'loadbalancer-member/*'],
  },
  'a service with other ports': {
    kube: {
      namespaces: [blue],
      services: [makeService('blue', 'web', { ports: [{ name: 'dns', port: 53, protocol: 'UDP' }, { name: 'dns-tcp', port: 53 }] })],
    },
    names: [
      ...blueNames,
      'instance-ip/web__*',
      'loadbalancer-listener/web__*-TCP-53-*',
      'loadbalancer-listener/web__*-UDP-53-*',
      'loadbalancer-pool/web__*-TCP-53-*',
      'loadbalancer-pool/web__*-UDP-53-*',
      'loadbalancer/web__*',
      'virtual-machine-interface/k8s__Service__web__*',
    ],
  },
  'services that do not count': {
    kube: {
      namespaces: [blue],
      services: [
        makeService('blue', 'web', { clusterIP: 'None' }),
        makeService('blue', 'elsewhere', { type: 'ExternalName', clusterIP: '' }),
        makeService('blue', 'meshed', { labels: { 'service.kubernetes.io/service-proxy-name': 'mesh' }, clusterIP: '10.96.0.9' }),
      ],
    },
    names: blueNames,
  },
};

jest.setTimeout(20_000);

let world: World;
afterEach(() => world.close());

async function begin(): Promise<void> {
  world = await World.create({});
  world.startLeader();
  await becomes(() => world.names(), clusterNames);
}

describe('state paths', () => {
  it('reaches every state from every other, reversed and through empty, and each looks the same every time', async () => {
    await begin();
    const names = Object.keys(states);
    const seen = new Map<string, string[]>();
    const go = async (name: string): Promise<void> => {
      const state = states[name];
      if (state === undefined) throw new Error(`no state ${name}`);
      world.become(state.kube);
      await namesBecome(world, state.names);
      // The last pass may still be writing contents that do not change the names.
      const known = seen.get(name) ?? (await settles(() => world.ours()));
      await becomes(() => world.ours(), known);
      seen.set(name, known);
    };
    // Every ordered pair once; `empty` is the first, so each is also reached through it.
    for (const [index, from] of names.entries()) {
      await go(from);
      for (const to of names.slice(index + 1)) {
        await go(to);
        await go(from);
      }
    }
    expect(seen.size).toBe(names.length);
  }, 60_000);

  it.each(Object.keys(states))('a new leader finds "%s" as it is and writes nothing', async (name) => {
    await begin();
    const state = states[name];
    world.become(state?.kube ?? {});
    await namesBecome(world, state?.names ?? []);
    const before = await settles(() => String(world.config.revision));
    await world.stopLeader();
    world.startLeader();
    await eventually(() => expect(world.health.problems()).toEqual([]));
    expect(await settles(() => String(world.config.revision))).toBe(before);
    await namesBecome(world, state?.names ?? []);
  });
});
