/** An interface moves to another VRF while its connections are open: single packets, one node. */
import { parseAddress } from '@contrail/net';
import { missingForLab } from './testing/lab';
import { tcpFlags } from './testing/packet';
import { verdicts, Walk, type WalkPod } from './testing/walk';

const missing = missingForLab();
const describeWalk = missing === undefined ? describe : describe.skip;
const [shared, isolated, fabric] = [1, 7, 2];
const clusterIp = '203.0.113.10';
const service = { id: 10 };
const discard = 8;

describeWalk(`an interface that moves${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let walk: Walk;
  let a: WalkPod;
  let b: WalkPod;
  const ack = { flags: tcpFlags.ack };
  const answer = { flags: tcpFlags.ack, sourcePort: 80, destinationPort: 40_000 };

  const removeRoute = (vrf: number, address: string): void =>
    walk.datapath.hostRoutes.remove([{ vrf, address: parseAddress(address) }]);
  const removeService = (vrf: number): void =>
    walk.datapath.services.remove([6, 17].map((protocol) => ({ vrf, address: parseAddress(clusterIp), protocol, port: 80 })));
  const setVrf = (pod: WalkPod, vrf: number): void => {
    const key = { ifindex: pod.ifindex, vlan: 0 };
    const vif = walk.datapath.vifs.get(key);
    if (vif) walk.datapath.vifs.upsert([[key, { ...vif, vrf }]]);
  };
  /** As a flush of the agent: rows first, then the generation. */
  const raiseGeneration = (): void => walk.setGlobals({ generation: walk.globals.generation + 1 });

  /** Make before break: the new VRF knows the pod before it leaves the old one. */
  const move = (pod: WalkPod, from: number, to: number): void => {
    walk.setRoute(to, pod.address, pod.nextHop);
    raiseGeneration();
    setVrf(pod, to);
    raiseGeneration();
    removeRoute(from, pod.address);
    raiseGeneration();
  };
  const passes = (pod: WalkPod, destination: string, frame: { flags: number } = ack): boolean =>
    walk.send(pod, destination, frame).verdict === verdicts.redirect;

  beforeAll(async () => {
    walk = await Walk.create({ flowCapacity: 1024 });
    walk.setPolicy({ policy: 1 }, 'pass', 1);
    walk.setNextHop(discard, { kind: 'discard' });
    walk.setNextHop(1, { kind: 'receive' });
    walk.setNextHop(2, { kind: 'fabric', snat: true });
    a = walk.addPod(1, { address: '198.51.100.11' });
    b = walk.addPod(2, { address: '198.51.100.12' });
    for (const vrf of [shared, isolated]) walk.setRoute(vrf, '198.51.100.0/24', discard);
  }, 90_000);

  afterEach(async () => {
    for (const pod of [a, b]) {
      setVrf(pod, shared);
      removeRoute(isolated, pod.address);
      walk.setRoute(shared, pod.address, pod.nextHop);
    }
    for (const vrf of [shared, isolated, fabric]) removeService(vrf);
    raiseGeneration();
    await walk.clear(a.ifindex, b.ifindex, walk.globals.uplinkIfindex);
  });

  afterAll(() => walk.destroy(), 30_000);

  test('alone loses what it had, in both directions, and at every moment what is open is allowed before or after', () => {
    walk.send(a, b.address);
    move(a, shared, isolated);
    const before = walk.dropCount('discard-route');
    expect(passes(a, b.address)).toBe(false);
    expect(passes(b, a.address, answer)).toBe(false);
    expect(walk.dropCount('discard-route')).toBe(before + 2);
  });

  test('is cut from whoever called it', () => {
    walk.send(b, a.address);
    move(a, shared, isolated);
    expect(passes(a, b.address, answer)).toBe(false);
    expect(passes(b, a.address)).toBe(false);
  });

  test('keeps its connections with a pod that moves, too, at each step', async () => {
    walk.send(a, b.address);
    const stays = (): void => {
      raiseGeneration();
      expect([passes(a, b.address), passes(b, a.address, answer)]).toEqual([true, true]);
    };
    for (const pod of [a, b]) walk.setRoute(isolated, pod.address, pod.nextHop);
    stays();
    setVrf(a, isolated);
    stays();
    setVrf(b, isolated);
    stays();
    for (const pod of [a, b]) removeRoute(shared, pod.address);
    stays();
    expect(await walk.flows()).toHaveLength(2);
  });

  test('keeps what a policy joins: a route of its new VRF leads to the other', () => {
    walk.send(a, b.address);
    walk.setRoute(isolated, b.address, b.nextHop);
    move(a, shared, isolated);
    expect([passes(a, b.address), passes(b, a.address, answer)]).toEqual([true, true]);
    removeRoute(isolated, b.address);
  });

  test('is not taken for a pod of its new VRF with the address of the other end', async () => {
    const namesake = walk.addPod(3, { address: b.address, vrf: isolated });
    walk.send(a, b.address);
    walk.setRoute(isolated, a.address, a.nextHop);
    setVrf(a, isolated);
    raiseGeneration();
    expect(passes(b, a.address, answer)).toBe(false);
    expect(passes(a, b.address)).toBe(true);
    const zones = (await walk.flows()).map(({ zone }) => zone);
    expect(zones.sort()).toEqual([a.ifindex, namesake.ifindex].sort());
    await walk.clear(namesake.ifindex);
    removeRoute(isolated, b.address);
  });

  describe('through a service', () => {
    const backendIn = (vrf: number) => [{ address: b.address, port: 8080, vrf }];
    const back = { flags: tcpFlags.ack, sourcePort: 8080, destinationPort: 40_000 };

    test('the client moves and still sees the service: translation and backend stay', () => {
      walk.setService(shared, clusterIp, 80, service, backendIn(shared));
      walk.send(a, clusterIp);
      walk.setService(isolated, clusterIp, 80, { id: 11 }, backendIn(shared));
      move(a, shared, isolated);
      expect(walk.send(a, clusterIp, ack)).toMatchObject({ verdict: verdicts.redirect, destination: b.address, destinationPort: 8080 });
      expect(walk.send(b, a.address, back)).toMatchObject({ verdict: verdicts.redirect, source: clusterIp, sourcePort: 80 });
    });

    test('the client moves and sees it no more: cut, whatever the fabric VRF has', () => {
      for (const vrf of [shared, fabric]) walk.setService(vrf, clusterIp, 80, { id: 10 + vrf }, backendIn(shared));
      walk.send(a, clusterIp);
      move(a, shared, isolated);
      expect(passes(a, clusterIp)).toBe(false);
      expect(passes(b, a.address, back)).toBe(false);
    });

    test('the backend moves and stays one: the connection survives', () => {
      walk.setService(shared, clusterIp, 80, service, backendIn(shared));
      walk.send(a, clusterIp);
      walk.setRoute(isolated, b.address, b.nextHop);
      raiseGeneration();
      setVrf(b, isolated);
      walk.setService(shared, clusterIp, 80, service, backendIn(isolated));
      raiseGeneration();
      removeRoute(shared, b.address);
      raiseGeneration();
      expect([passes(a, clusterIp), passes(b, a.address, back)]).toEqual([true, true]);
    });

    test('the backend moves and is one no more: cut, though the service has others', () => {
      const other = walk.addPod(4, { address: '198.51.100.14' });
      walk.setService(shared, clusterIp, 80, service, backendIn(shared));
      walk.send(a, clusterIp);
      move(b, shared, isolated);
      walk.setService(shared, clusterIp, 80, service, [{ address: other.address, port: 8080 }]);
      raiseGeneration();
      expect(passes(b, a.address, back)).toBe(false);
      expect(walk.send(a, clusterIp, ack).destination).not.toBe(b.address);
    });

    test('that is deleted: connections stay between ends that reach each other without it', () => {
      walk.setService(shared, clusterIp, 80, service, backendIn(shared));
      walk.send(a, clusterIp);
      removeService(shared);
      raiseGeneration();
      expect(passes(a, clusterIp)).toBe(true);
    });
  });

  test('loses the node and the outside when its new VRF has no way there', () => {
    walk.setRoute(shared, '192.0.2.1', 1);
    walk.setRoute(shared, '0.0.0.0/0', 2);
    walk.setRoute(fabric, a.address, a.nextHop);
    expect(walk.send(a, '192.0.2.1', { destinationPort: 6443 }).verdict).toBe(verdicts.ok);
    expect(passes(a, '192.0.2.200', { flags: tcpFlags.syn })).toBe(true);
    move(a, shared, isolated);
    expect(walk.send(a, '192.0.2.1', { destinationPort: 6443, ...ack }).verdict).toBe(verdicts.drop);
    expect(passes(a, '192.0.2.200')).toBe(false);
  });

  test('stays reachable for its node', () => {
    walk.setRoute(fabric, a.address, a.nextHop);
    const probe = { sourceMac: Uint8Array.of(2, 0, 0, 0, 0, 99), source: '192.0.2.1', destination: a.address, protocol: 'tcp' as const, sourcePort: 40_000, destinationPort: 80 };
    const { hostIfindex } = walk.globals;
    walk.run('host', hostIfindex, probe);
    move(a, shared, isolated);
    expect(walk.run('host', hostIfindex, { ...probe, ...ack }).verdict).toBe(verdicts.redirect);
    expect(walk.send(a, '192.0.2.1', answer)).toMatchObject({ verdict: verdicts.ok, mark: 0x0ce00000 });
  });
});
