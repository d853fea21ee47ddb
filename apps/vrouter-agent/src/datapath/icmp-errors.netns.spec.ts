/** A closed UDP port is reported to the socket that used it, over every way a pod or a node has. */
import { Lab, missingForLab, type Node, type Pod } from './testing/lab';
import type { NetnsPeer } from './testing/netns-peer';

const missing = missingForLab();
const describeLab = missing === undefined ? describe : describe.skip;
const outsideAddress = '192.0.2.100';
const localService = '203.0.113.10';
const remoteService = '203.0.113.11';
const ownService = '203.0.113.12';
const nodeService = '203.0.113.13';
const closed = 9;

describeLab(`closed ports${missing ? ` (skipped: ${missing})` : ''}`, () => {
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
    const endpoint = ({ address }: { address: string }) => [{ address, port: closed }];
    one.setService(localService, 80, endpoint(p1b), { id: 1 });
    one.setService(remoteService, 80, endpoint(p2a), { id: 2 });
    one.setService(ownService, 80, endpoint(p1a), { id: 3 });
    one.setService('0.0.0.0', 30_080, endpoint(p1a), { id: 4, hostPort: true });
    one.setService(nodeService, 80, endpoint(two), { id: 5 });
  }, 180_000);

  afterAll(() => lab.destroy(), 60_000);

  const ways: Array<[string, () => [NetnsPeer, string, number]]> = [
    ['pod to pod, same node', () => [p1a.peer, p1b.address, closed]],
    ['pod to pod, other node', () => [p1a.peer, p2a.address, closed]],
    ['pod to service, same node', () => [p1a.peer, localService, 80]],
    ['pod to service, other node', () => [p1a.peer, remoteService, 80]],
    ['pod to service, endpoint on the other node itself', () => [p1a.peer, nodeService, 80]],
    ['pod to itself through its service', () => [p1a.peer, ownService, 80]],
    ['pod to its node', () => [p1a.peer, one.address, closed]],
    ['pod to the other node', () => [p1a.peer, two.address, closed]],
    ['pod to the outside', () => [p1a.peer, outsideAddress, closed]],
    ['pod to a hostPort of the other node', () => [p2a.peer, one.address, 30_080]],
    ['pod to its own hostPort', () => [p1a.peer, one.address, 30_080]],
    ['outside to a hostPort', () => [outside, one.address, 30_080]],
    ['node to its own hostPort', () => [one.peer, one.address, 30_080]],
    ['node to its own hostPort on lo', () => [one.peer, '127.0.0.1', 30_080]],
    ['node to its pod', () => [one.peer, p1a.address, closed]],
    ['node to a pod of the other', () => [one.peer, p2a.address, closed]],
    ['node to service, same node', () => [one.peer, localService, 80]],
    ['node to service, other node', () => [one.peer, remoteService, 80]],
  ];

  test.each(ways)('%s', async (_name, way) => {
    const [peer, address, port] = way();
    expect(await peer.sendUdp(address, port)).toMatchObject({ error: 'ECONNREFUSED' });
  });

  test.each(ways)('%s, with a datagram in fragments', async (_name, way) => {
    const [peer, address, port] = way();
    // lo takes it whole, and tells first what the pod's interface takes.
    if (address === '127.0.0.1' || (peer === one.peer && address === one.address)) {
      await peer.sendUdp(address, port, { size: 8000, timeoutMs: 1000 });
    }
    expect(await peer.sendUdp(address, port, { size: 8000 })).toMatchObject({
      error: 'ECONNREFUSED',
    });
  });
});
