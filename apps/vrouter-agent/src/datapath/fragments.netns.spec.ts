/** Datagrams that are bigger than the MTU, over every way a pod or a node has, and back. */
import { gateway, Lab, missingForLab, type Node, type Pod } from './testing/lab';
import type { Answer, NetnsPeer } from './testing/netns-peer';
import { ping } from './testing/run-in-netns';

const missing = missingForLab();
const describeLab = missing === undefined ? describe : describe.skip;
const outsideAddress = '192.0.2.100';
const localService = '203.0.113.10';
const remoteService = '203.0.113.11';
const ownService = '203.0.113.12';
const sizes = [3000, 8000, 60_000];

describeLab(`datagrams bigger than the MTU${missing ? ` (skipped: ${missing})` : ''}`, () => {
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
    for (const pod of [p1a, p1b, p2a]) await pod.peer.serveUdp(8080, pod.name);
    for (const node of [one, two]) await node.peer.serveUdp(9000, node.name, node.address);
    await outside.serveUdp(7000, 'outside');
    const endpoint = (pod: Pod) => [{ address: pod.address, port: 8080 }];
    one.setService(localService, 80, endpoint(p1b), { id: 1 });
    one.setService(remoteService, 80, endpoint(p2a), { id: 2 });
    one.setService(ownService, 80, endpoint(p1a), { id: 3 });
    one.setService('0.0.0.0', 30_080, endpoint(p1a), { id: 4, hostPort: true });
  }, 180_000);

  afterAll(() => lab.destroy(), 60_000);

  /** Datagrams promise nothing: a busy receiver may lose one. */
  const exchange = async (
    peer: NetnsPeer,
    target: { address: string; port: number },
    size: number,
  ): Promise<Answer | undefined> => {
    let answer: Answer | undefined;
    for (let attempt = 0; attempt < 3 && answer?.echoed !== size; attempt += 1) {
      answer = await peer.sendUdp(target.address, target.port, { size, echo: true });
    }
    return answer;
  };

  const ways: Array<[string, () => [NetnsPeer, string, number, string]]> = [
    ['pod to pod, same node', () => [p1a.peer, p1b.address, 8080, p1a.address]],
    ['pod to pod, other node', () => [p1a.peer, p2a.address, 8080, p1a.address]],
    ['pod to service, same node', () => [p1a.peer, localService, 80, p1a.address]],
    ['pod to service, other node', () => [p1a.peer, remoteService, 80, p1a.address]],
    ['pod to itself through its service', () => [p1a.peer, ownService, 80, gateway]],
    ['pod to its node', () => [p1a.peer, one.address, 9000, p1a.address]],
    ['pod to the other node', () => [p1a.peer, two.address, 9000, p1a.address]],
    ['pod to the outside', () => [p1a.peer, outsideAddress, 7000, one.address]],
    ['pod to a hostPort', () => [p2a.peer, one.address, 30_080, p2a.address]],
    ['outside to a hostPort', () => [outside, one.address, 30_080, outsideAddress]],
    ['node to its pod', () => [one.peer, p1a.address, 8080, one.address]],
    ['node to a pod of the other', () => [one.peer, p2a.address, 8080, one.address]],
    ['node to service, same node', () => [one.peer, localService, 80, one.address]],
    ['node to service, other node', () => [one.peer, remoteService, 80, one.address]],
  ];

  describe.each(ways)('%s', (_name, way) => {
    test.each(sizes)('%d bytes and as many back', async (size) => {
      const [peer, address, port, client] = way();
      const answer = await exchange(peer, { address, port }, size);
      expect(answer).toMatchObject({ echoed: size });
      expect(answer?.greeting).toContain(` ${client}:`);
      expect(answer?.greeting).toMatch(new RegExp(` ${size}$`));
    });
  });

  test('echo requests of 20 kB, to pods, nodes, the outside and the gateway', () => {
    const targets = [p1b.address, p2a.address, one.address, two.address, outsideAddress, gateway];
    expect(targets.filter((address) => !ping(p1a.netns, address, 20_000))).toEqual([]);
    expect([p1a.address, p2a.address].filter((address) => !ping(one.netns, address, 20_000)))
      .toEqual([]);
  });

  test('senders on several pods at once do not disturb each other', async () => {
    const rounds = Array.from({ length: 20 }, (_, round) => round);
    const answers = await Promise.all(
      rounds.flatMap(() => [
        exchange(p1a.peer, { address: p2a.address, port: 8080 }, 8000),
        exchange(p1b.peer, { address: p2a.address, port: 8080 }, 8000),
        exchange(p1b.peer, { address: outsideAddress, port: 7000 }, 8000),
      ]),
    );
    expect(answers.filter((answer) => answer?.echoed !== 8000)).toEqual([]);
  });

  test('nothing was dropped for its fragments', () => {
    for (const node of [one, two]) {
      expect(node.dropCount('later-fragment') + node.dropCount('fragment-overlap')).toBe(0);
    }
  });
});
