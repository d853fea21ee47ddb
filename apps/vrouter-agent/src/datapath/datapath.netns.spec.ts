import { Lab, missingForLab, type Node, type Pod } from './testing/lab';
import type { NetnsPeer } from './testing/netns-peer';

const missing = missingForLab();
const describeLab = missing === undefined ? describe : describe.skip;

describeLab(`two nodes with two pods each${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let lab: Lab;
  let nodes: { one: Node; two: Node };
  let pods: { p1a: Pod; p1b: Pod; p2a: Pod; p2b: Pod };
  let outside: NetnsPeer;

  beforeAll(async () => {
    lab = await Lab.create();
    const [one, two] = lab.nodes;
    const [p1a, p1b] = one?.pods ?? [];
    const [p2a, p2b] = two?.pods ?? [];
    if (!one || !two || !p1a || !p1b || !p2a || !p2b || !lab.outside) {
      throw new Error('the lab is incomplete');
    }
    nodes = { one, two };
    pods = { p1a, p1b, p2a, p2b };
    outside = lab.outside;
    for (const n of [one,two]) n.datapath.onDrop((e)=>process.stderr.write(n.name+JSON.stringify({...e,source:e.source.join('.'),destination:e.destination.join('.')})+'\n'));
    for (const pod of [p1a, p1b, p2a, p2b]) {
      await pod.peer.serveTcp(8080, pod.name);
      await pod.peer.serveUdp(8080, pod.name);
    }
  }, 60_000);

  afterAll(() => lab.destroy(), 30_000);

  test('a pod reaches a pod of the same node, which sees its address', async () => {
    const answer = await pods.p1a.peer.connectTcp(pods.p1b.address, 8080, { size: 60_000 });
    expect(answer).toMatchObject({ echoed: 60_000 });
    expect(answer.greeting).toMatch(/^p1b (::ffff:)?198\.51\.100\.11:/);
  });

  test('a pod reaches a pod of the other node, which sees its address', async () => {
    const answer = await pods.p1a.peer.connectTcp(pods.p2a.address, 8080, { size: 60_000 });
    expect(answer).toMatchObject({ echoed: 60_000 });
    expect(answer.greeting).toMatch(/^p2a (::ffff:)?198\.51\.100\.11:/);
  });

  test('datagrams pass within and across nodes', async () => {
    expect(await pods.p1a.peer.sendUdp(pods.p1b.address, 8080, { size: 1400 })).toMatchObject({
      greeting: expect.stringMatching(/^p1b 198\.51\.100\.11:\d+ 1400$/),
    });
    expect(await pods.p1a.peer.sendUdp(pods.p2b.address, 8080, { size: 1400 })).toMatchObject({
      greeting: expect.stringMatching(/^p2b 198\.51\.100\.11:\d+ 1400$/),
    });
  });
  test('x', async () => { await new Promise((r) => setTimeout(r, 15)); void outside; const list=[]; for (const n of [nodes.one,nodes.two]) { list.push(n.datapath.drops()); for await (const b of n.datapath.flows()) list.push(...b.map((f)=>({...f, localAddress: f.localAddress.join('.'), remoteAddress: f.remoteAddress.join('.')}))); } process.stderr.write(require('util').inspect(list.filter((x)=>Array.isArray(x)),{depth:5})); }, 40000);
});
