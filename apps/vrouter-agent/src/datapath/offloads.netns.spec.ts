/** Checksums and segmentation, whether devices do them or the kernel has to. */
import { Lab, missingForLab, type Node, type Pod } from './testing/lab';
import type { NetnsPeer } from './testing/netns-peer';
import { runInNetns } from './testing/run-in-netns';

const noEthtool = runInNetns('/proc/self/ns/net', 'ethtool', '--version').status !== 0;
const missing = missingForLab() ?? (noEthtool ? 'needs the command ethtool' : undefined);
const describeLab = missing === undefined ? describe : describe.skip;
const outsideAddress = '192.0.2.100';
const localService = '203.0.113.10';
const remoteService = '203.0.113.11';
const ownService = '203.0.113.12';
const nobody = '203.0.113.13';
const bulk = 1_000_000;
const features = ['tx', 'rx', 'sg', 'tso', 'gso', 'gro'];

describeLab(`offloads${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let lab: Lab;
  let one: Node;
  let two: Node;
  let p1a: Pod;
  let p1b: Pod;
  let p2a: Pod;
  let outside: NetnsPeer;

  beforeAll(async () => {
    lab = await Lab.create();
    [one, two] = lab.nodes as [Node, Node];
    [p1a, p1b] = one.pods as [Pod, Pod];
    [p2a] = two.pods as [Pod, Pod];
    outside = lab.outside as NetnsPeer;
    for (const pod of [p1a, p1b, p2a]) {
      await pod.peer.serveTcp(8080, pod.name);
      await pod.peer.serveUdp(8080, pod.name);
    }
    await outside.serveTcp(7000, 'outside');
    await outside.serveUdp(7000, 'outside');
    const endpoint = (pod: Pod) => [{ address: pod.address, port: 8080 }];
    one.setService(localService, 80, endpoint(p1b), { id: 1 });
    one.setService(remoteService, 80, endpoint(p2a), { id: 2 });
    one.setService(ownService, 80, endpoint(p1a), { id: 3 });
    one.setService('0.0.0.0', 30_080, endpoint(p1a), { id: 4, hostPort: true });
    one.setService(nobody, 80, [], { id: 5 });
  }, 180_000);

  afterAll(() => lab.destroy(), 60_000);

  const set = (netns: string, device: string, state: 'on' | 'off'): void => {
    const settings = features.flatMap((feature) => [feature, state]);
    const { status, output } = runInNetns(netns, 'ethtool', '-K', device, ...settings);
    if (status !== 0) throw new Error(`${device}: ${output}`);
  };

  type Place = [netns: string, device: string];
  const inPods = (): Place[] => [p1a, p1b, p2a].map((pod): Place => [pod.netns, 'eth0']);
  const atPods = (): Place[] => [p1a, p1b, p2a].map((pod): Place => [pod.node.netns, `v${pod.name}`]);
  const onNodes = (...devices: string[]): Place[] =>
    [one, two].flatMap((node) => devices.map((device): Place => [node.netns, device]));

  const cases: Array<[string, () => Place[]]> = [
    ['everywhere on', () => []],
    ['off in the pods', inPods],
    ["off at the node's side of the pods", atPods],
    ['off on the uplinks', () => onNodes('eth0')],
    ['off on the tunnel', () => onNodes('vxlan-contrail')],
    ['off on the host interface', () => onNodes('vhost0')],
    ['everywhere off', () => [...inPods(), ...atPods(), ...onNodes('eth0', 'vxlan-contrail', 'vhost0')]],
  ];

  describe.each(cases)('%s', (_name, places) => {
    beforeAll(() => places().forEach(([netns, device]) => set(netns, device, 'off')));
    afterAll(() => places().forEach(([netns, device]) => set(netns, device, 'on')));

    const ways: Array<[string, () => [NetnsPeer, string, number]]> = [
      ['pod to pod, same node', () => [p1a.peer, p1b.address, 8080]],
      ['pod to pod, other node', () => [p1a.peer, p2a.address, 8080]],
      ['pod to service, same node', () => [p1a.peer, localService, 80]],
      ['pod to service, other node', () => [p1a.peer, remoteService, 80]],
      ['pod to itself through its service', () => [p1a.peer, ownService, 80]],
      ['pod to the outside', () => [p1a.peer, outsideAddress, 7000]],
      ['outside to a hostPort', () => [outside, one.address, 30_080]],
      ['node to its own hostPort', () => [one.peer, '127.0.0.1', 30_080]],
      ['node to a pod of the other', () => [one.peer, p2a.address, 8080]],
      ['node to service, other node', () => [one.peer, remoteService, 80]],
    ];

    test.each(ways)('%s', async (_way, way) => {
      const [peer, address, port] = way();
      const stream = await peer.connectTcp(address, port, { size: bulk, timeoutMs: 15_000 });
      expect(stream).toMatchObject({ echoed: bulk });
      for (const size of [101, 1400]) {
        expect((await peer.sendUdp(address, port, { size, echo: true })).echoed).toBe(size);
      }
      const bare = await peer.sendUdp(address, port, { size: 700, echo: true, noChecksum: true });
      expect(bare.echoed).toBe(700);
      // lo takes bigger datagrams than pods do; path-mtu.netns.spec.ts has those.
      if (address !== '127.0.0.1') {
        expect((await peer.sendUdp(address, port, { size: 8000, echo: true })).echoed).toBe(8000);
      }
    });

    test('refusals are understood', async () => {
      expect(await p1a.peer.connectTcp(nobody, 80)).toMatchObject({ error: 'ECONNREFUSED' });
      expect(await p1a.peer.sendUdp(nobody, 80)).toMatchObject({ error: 'ECONNREFUSED' });
      expect(await one.peer.connectTcp(nobody, 80)).toMatchObject({ error: 'ECONNREFUSED' });
      expect(await one.peer.sendUdp(nobody, 80)).toMatchObject({ error: 'ECONNREFUSED' });
    });
  });
});
