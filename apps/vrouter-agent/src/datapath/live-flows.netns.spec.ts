/** Equal addresses, shared addresses, and ends that move: real packets between two nodes. */
import { spawnSync } from 'node:child_process';
import { parseAddress } from '@contrail/net';
import {
  allowAll,
  baseNextHop,
  fabricVrf,
  hops,
  Lab,
  missingForLab,
  type Node,
  type Pod,
  podIdentity,
  podVrf,
} from './testing/lab';
import type { Answer } from './testing/netns-peer';

const missing = missingForLab();
const describeLab = missing === undefined ? describe : describe.skip;
const tenants = [
  { vrf: 7, identity: 27 },
  { vrf: 8, identity: 28 },
] as const;
const tenantAddress = '198.51.100.50';
const sharedAddress = '198.51.100.60';
const secondUnderlay = '192.0.2.3';

const clientOf = (answer: Answer): string => /^\w+ (?:::ffff:)?(\S+)/.exec(answer.greeting ?? '')?.[1] ?? '';
const serverOf = (answer: Answer): string => (answer.greeting ?? '').split(' ')[0] ?? '';

const ip = (netns: string, ...args: string[]): number | null =>
  spawnSync('nsenter', [`--net=${netns}`, 'ip', ...args]).status;

describeLab(`live flows between nodes${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let lab: Lab;
  let one: Node;
  let two: Node;
  let p1a: Pod;
  let p1b: Pod;
  let p2a: Pod;
  let generation = 1;

  const raiseGeneration = (node: Node): void => {
    generation += 1;
    node.datapath.setGlobals({ ...node.globals, generation });
  };
  /** A label for senders with an identity into a VRF, on both nodes. */
  const setLabel = (vrf: number, identity: number, senderVrf: number, senderSpace = 0): void => {
    const label = 10_000 * vrf + identity;
    for (const { datapath } of [one, two]) {
      datapath.labelsOut.upsert([[{ vrf, identity }, label]]);
      datapath.labelsIn.upsert([[label, { vrf, identity, senderVrf, senderSpace }]]);
    }
  };
  const setIdentity = (pod: Pod, identity: number): void => {
    const { vifs } = pod.node.datapath;
    const key = { ifindex: pod.ifindex, vlan: 0 };
    const vif = vifs.get(key);
    if (vif) vifs.upsert([[key, { ...vif, identity }]]);
  };
  const actionsTo = async (node: Node, address: string, remotePort: number): Promise<string[]> => {
    const actions: string[] = [];
    for await (const batch of node.datapath.flows()) {
      for (const flow of batch) {
        const isWanted = flow.remotePort === remotePort && flow.remoteAddress.join('.') === address;
        if (isWanted) actions.push(flow.action);
      }
    }
    return actions;
  };

  beforeAll(async () => {
    lab = await Lab.create();
    [one, two] = lab.nodes as [Node, Node];
    [p1a, p1b] = one.pods as [Pod, Pod];
    [p2a] = two.pods as [Pod];
    for (const pod of [p1a, p1b]) {
      await pod.peer.serveTcp(8080, pod.name);
      await pod.peer.serveUdp(8080, pod.name);
    }
    await two.peer.serveTcp(9000, two.name);
  }, 240_000);

  afterAll(() => lab.destroy(), 60_000);

  test('two tenants with one address call one pod from one port: each gets its own answers', async () => {
    const callers: Pod[] = [];
    for (const [i, { vrf, identity }] of tenants.entries()) {
      const pod = await two.addPod(lab, `tenant${vrf}`, tenantAddress, { mac: 0x70 + i, vrf });
      setIdentity(pod, identity);
      setLabel(podVrf, identity, vrf);
      setLabel(vrf, podIdentity, podVrf);
      two.setRoute(p1a.address, hops.tunnelPods, [vrf]);
      callers.push(pod);
    }
    const clients: string[] = [];
    for (const pod of callers) {
      for (const protocol of ['sendUdp', 'connectTcp'] as const) {
        const answer = await pod.peer[protocol](p1a.address, 8080, { localPort: 5000, size: 1000 });
        expect(answer).toMatchObject({ greeting: expect.stringMatching(/^p1a /) as string });
        if (protocol === 'sendUdp') clients.push(clientOf(answer));
      }
    }
    expect(clients[0]).toBe(`${tenantAddress}:5000`);
    // The second is told apart by its port.
    expect(Number(clients[1]?.split(':')[1])).toBeGreaterThanOrEqual(61_000);
    // The first still has its own flow, and so has the second.
    for (const [i, pod] of callers.entries()) {
      const again = await pod.peer.sendUdp(p1a.address, 8080, { localPort: 5000 });
      expect(clientOf(again)).toBe(clients[i]);
    }
    // Also when a datagram and its answer come in fragments, which name no ports.
    for (const [i, pod] of callers.entries()) {
      const big = await pod.peer.sendUdp(p1a.address, 8080, { localPort: 5000, size: 8000, echo: true });
      expect([clientOf(big), big.echoed]).toEqual([clients[i], 8000]);
    }
  });

  test('an address of several interfaces is found from the tunnel, and a flow stays when members change', async () => {
    const shared = parseAddress(sharedAddress);
    const composite = 900;
    const slots = [p1a, p1b];
    for (const pod of slots) {
      expect(ip(pod.netns, 'addr', 'add', `${sharedAddress}/32`, 'dev', 'lo')).toBe(0);
      one.datapath.sources.upsert([[{ ifindex: pod.ifindex, vlan: 0, prefix: { address: shared, length: 32 } }, true]]);
      await pod.peer.serveUdp(8081, pod.name, sharedAddress);
    }
    const setMembers = (members: readonly Pod[]): void => {
      one.datapath.composites.upsert(members.map((pod, slot) => [{ nextHop: composite, slot }, { nextHop: pod.nextHop }]));
      one.datapath.nextHops.upsert([[composite, { ...baseNextHop, kind: 'composite', memberCount: members.length }]]);
    };
    setMembers(slots);
    one.setRoute(sharedAddress, composite);
    two.setRoute(sharedAddress, hops.tunnelPods);
    const first = new Map<number, string>();
    for (let localPort = 6000; localPort < 6012; localPort += 1) {
      first.set(localPort, serverOf(await p2a.peer.sendUdp(sharedAddress, 8081, { localPort })));
    }
    expect(new Set(first.values())).toEqual(new Set(['p1a', 'p1b']));
    setMembers([...slots].reverse());
    for (const [localPort, server] of first) {
      expect(serverOf(await p2a.peer.sendUdp(sharedAddress, 8081, { localPort }))).toBe(server);
    }
    // A connection that such an interface begins gets its answers as well.
    const own = await p1b.peer.connectTcp(two.address, 9000, { localAddress: sharedAddress, size: 1000 });
    expect(own).toMatchObject({ echoed: 1000 });
  });

  test('an end that moves to another node is answered there', async () => {
    const call = (): Promise<Answer> => p2a.peer.sendUdp(p1a.address, 8080, { localPort: 7000 });
    expect(serverOf(await call())).toBe('p1a');
    expect(await actionsTo(one, p2a.address, 7000)).toEqual([expect.stringContaining(`tunnel ${two.address} `)]);
    expect(ip(two.netns, 'addr', 'add', `${secondUnderlay}/24`, 'dev', 'eth0')).toBe(0);
    const moved = 901;
    const remote = parseAddress(secondUnderlay);
    one.datapath.nodes.upsert([[{ address: remote }, { self: false }]]);
    one.datapath.nextHops.upsert([[moved, { ...baseNextHop, kind: 'tunnel', remote, vrf: podVrf }]]);
    one.setRoute(p2a.address, moved);
    raiseGeneration(one);
    expect(serverOf(await call())).toBe('p1a');
    expect(await actionsTo(one, p2a.address, 7000)).toEqual([expect.stringContaining(`tunnel ${secondUnderlay} `)]);
    one.setRoute(p2a.address, hops.tunnelPods);
    raiseGeneration(one);
  });

  test('an end whose identity changes is judged by the new one with its next packet', async () => {
    const identity = 33;
    const call = (): Promise<Answer> => p2a.peer.sendUdp(p1a.address, 8080, { localPort: 7100, timeoutMs: 1500 });
    setLabel(podVrf, identity, podVrf);
    expect(serverOf(await call())).toBe('p1a');
    one.datapath.policies.upsert([
      [
        { policy: allowAll, direction: 'ingress', peerIdentity: identity, protocol: 0, port: 0, portLength: 0 },
        { verdict: 'deny', rule: 9 },
      ],
    ]);
    setIdentity(p2a, identity);
    raiseGeneration(two);
    expect(await call()).toMatchObject({ error: 'TIMEOUT' });
    expect(one.dropCount('policy-ingress')).toBeGreaterThan(0);
    setIdentity(p2a, podIdentity);
    raiseGeneration(two);
    expect(serverOf(await call())).toBe('p1a');
  });

  test('an end that left the VRF of its caller answers nothing there, though packets of its own would pass', async () => {
    const [left] = tenants;
    const space = 5;
    const port = { caller: 7300, callee: 8082 };
    const callee = await one.addPod(lab, 'leaver', '198.51.100.70', { mac: 0x7a });
    two.setRoute(callee.address, hops.tunnelPods);
    const call = (): Promise<Answer> => p2a.peer.sendUdp(callee.address, port.callee, { localPort: port.caller, timeoutMs: 500 });
    const answer = (): Promise<Answer> => callee.peer.sendUdp(p2a.address, port.caller, { localPort: port.callee, timeoutMs: 1000 });
    await call();
    await p2a.peer.serveUdp(port.caller, 'p2a');
    expect(serverOf(await answer())).toBe('p2a');

    // Both have labels into the VRF of the other, as for services. Routes have gone.
    setLabel(podVrf, left.identity, left.vrf, space);
    setLabel(left.vrf, podIdentity, podVrf, space);
    const vif = { ifindex: callee.ifindex, vlan: 0 };
    const address = parseAddress(callee.address);
    for (const node of [one, two]) {
      node.datapath.vrfs.upsert([podVrf, left.vrf].map((vrf) => [vrf, { maxFlows: 0, vni: 0, space }]));
      node.datapath.hostRoutes.remove([{ vrf: podVrf, address }]);
    }
    const value = one.datapath.vifs.get(vif);
    if (value) one.datapath.vifs.upsert([[vif, { ...value, vrf: left.vrf, identity: left.identity }]]);
    one.setRoute(callee.address, callee.nextHop, [left.vrf]);
    for (const node of [one, two]) raiseGeneration(node);

    expect(await answer()).toMatchObject({ error: 'TIMEOUT' });
    expect(await answer()).toMatchObject({ error: 'TIMEOUT' });
    expect(two.dropCount('answer-unrelated')).toBeGreaterThan(0);
    // What it begins itself, to where its VRF leads, passes under the same label.
    one.setRoute(p2a.address, hops.tunnelPods, [left.vrf]);
    const own = await callee.peer.sendUdp(p2a.address, port.caller, { localPort: 8083 });
    expect(serverOf(own)).toBe('p2a');
    for (const { datapath } of [one, two]) datapath.vrfs.remove([podVrf, left.vrf]);
  });

  test('an end that moves and says nothing is answered in its new VRF', async () => {
    const [, right] = tenants;
    const space = 6;
    const port = { caller: 7400, callee: 8084 };
    const caller = await two.addPod(lab, 'mover', '198.51.100.71', { mac: 0x7b });
    const address = parseAddress(caller.address);
    one.setRoute(caller.address, hops.tunnelPods);
    setLabel(podVrf, podIdentity, podVrf, space);
    setLabel(podVrf, right.identity, right.vrf, space);
    setLabel(right.vrf, podIdentity, podVrf, space);
    for (const { datapath } of [one, two]) datapath.vrfs.upsert([podVrf, right.vrf].map((vrf) => [vrf, { maxFlows: 0, vni: 0, space }]));
    await caller.peer.sendUdp(p1a.address, port.callee, { localPort: port.caller, timeoutMs: 500 });
    await caller.peer.serveUdp(port.caller, 'mover');
    const push = (): Promise<Answer> => p1a.peer.sendUdp(caller.address, port.caller, { localPort: port.callee, timeoutMs: 1500 });
    expect(serverOf(await push())).toBe('mover');

    const moved = 902;
    one.datapath.nextHops.upsert([[moved, { ...baseNextHop, kind: 'tunnel', remote: parseAddress(two.address), vrf: right.vrf }]]);
    one.setRoute(caller.address, moved, [fabricVrf, right.vrf]);
    two.setRoute(caller.address, caller.nextHop, [right.vrf]);
    two.setRoute(p1a.address, hops.tunnelPods, [right.vrf]);
    const vif = { ifindex: caller.ifindex, vlan: 0 };
    const value = two.datapath.vifs.get(vif);
    if (value) two.datapath.vifs.upsert([[vif, { ...value, vrf: right.vrf, identity: right.identity }]]);
    for (const node of [one, two]) {
      node.datapath.hostRoutes.remove([{ vrf: podVrf, address }]);
      raiseGeneration(node);
    }
    expect(serverOf(await push())).toBe('mover');
    for (const { datapath } of [one, two]) datapath.vrfs.remove([podVrf, right.vrf]);
  });

  test('a caller that left its VRF hears nothing from there, though the way to it is not taken away yet', async () => {
    const [, right] = tenants;
    const space = 5;
    const port = { caller: 7301, callee: 8083 };
    const caller = await one.addPod(lab, 'gone', '198.51.100.72', { mac: 0x7c });
    two.setRoute(caller.address, hops.tunnelPods);
    const answer = (): Promise<Answer> => p2a.peer.sendUdp(caller.address, port.caller, { localPort: port.callee, timeoutMs: 1000 });
    await caller.peer.sendUdp(p2a.address, port.callee, { localPort: port.caller, timeoutMs: 500 });
    await caller.peer.serveUdp(port.caller, 'gone');
    expect(serverOf(await answer())).toBe('gone');

    // Labels are there, as for services. Its node knows of the move and has ended the connection; the other one is to hear of it.
    setLabel(podVrf, podIdentity, podVrf, space);
    setLabel(podVrf, right.identity, right.vrf, space);
    for (const { datapath } of [one, two]) {
      datapath.vrfs.upsert([podVrf, right.vrf].map((vrf) => [vrf, { maxFlows: 0, vni: 0, space }]));
    }
    const vif = { ifindex: caller.ifindex, vlan: 0 };
    const value = one.datapath.vifs.get(vif);
    if (value) one.datapath.vifs.upsert([[vif, { ...value, vrf: right.vrf, identity: right.identity }]]);
    one.setRoute(caller.address, caller.nextHop, [right.vrf]);
    raiseGeneration(one);
    one.datapath.removeFlows(caller.ifindex, 0);
    await one.datapath.flowTable.settled();

    const before = one.dropCount('answer-unrelated');
    expect(await answer()).toMatchObject({ error: 'TIMEOUT' });
    expect(one.dropCount('answer-unrelated')).toBeGreaterThan(before);
    for (const { datapath } of [one, two]) datapath.vrfs.remove([podVrf, right.vrf]);
  });

  test('a pod of a network that the fabric VRF does not know calls its node', async () => {
    const vrf = 9;
    // The address is also that of a pod which the fabric knows.
    const pod = await one.addPod(lab, 'custom', p1b.address, { mac: 0x79, vrf });
    one.setRoute(one.address, hops.receive, [vrf]);
    await one.peer.serveTcp(9100, one.name);
    const answer = await pod.peer.connectTcp(one.address, 9100, { size: 60_000 });
    expect(answer).toMatchObject({ echoed: 60_000 });
    expect(clientOf(answer)).toMatch(/^198\.51\.100\.1:6[1-5]\d{3}$/);
  });
});
