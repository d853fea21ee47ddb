/** Live flows follow what changes under them: by single packets through the loaded programs. */
import { parseAddress } from '@contrail/net';
import { missingForLab } from './testing/lab';
import { tcpFlags } from './testing/packet';
import { type Step, verdicts, Walk, type WalkPod } from './testing/walk';

const missing = missingForLab();
const describeWalk = missing === undefined ? describe : describe.skip;
const remoteAddress = '198.51.100.200';
const remoteVrf = 1;
const receive = 1;
const here = 3;
const there = 4;
const elsewhere = 5;

describeWalk(`live flows${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let walk: Walk;
  let a: WalkPod;
  let b: WalkPod;
  const ack = { flags: tcpFlags.ack };
  const raiseGeneration = (): void => walk.setGlobals({ generation: walk.globals.generation + 1 });
  const actions = async (): Promise<string[]> => (await walk.flows()).map(({ action }) => action);
  const setIdentity = (pod: WalkPod, identity: number): void => {
    const key = { ifindex: pod.ifindex, vlan: 0 };
    const vif = walk.datapath.vifs.get(key);
    if (vif) walk.datapath.vifs.upsert([[key, { ...vif, identity }]]);
  };

  beforeAll(async () => {
    walk = await Walk.create({ flowCapacity: 1024 });
    walk.setPolicy({ policy: 1 }, 'pass', 1);
    a = walk.addPod(1, { address: '198.51.100.11' });
    b = walk.addPod(2, { address: '198.51.100.12' });
    walk.setNextHop(receive, { kind: 'receive' });
    walk.setNextHop(here, { kind: 'tunnel', remote: parseAddress('192.0.2.2'), vrf: remoteVrf });
    walk.setNextHop(there, { kind: 'tunnel', remote: parseAddress('192.0.2.3'), vrf: remoteVrf });
    walk.setNextHop(elsewhere, { kind: 'tunnel', remote: parseAddress('192.0.2.4'), vrf: 9 });
    walk.datapath.labelsOut.upsert([
      [{ vrf: remoteVrf, identity: 10 }, 1010],
      [{ vrf: remoteVrf, identity: 12 }, 1012],
    ]);
  }, 90_000);

  beforeEach(() => {
    walk.setRoute(1, remoteAddress, here, 20);
    setIdentity(a, 10);
  });

  afterEach(async () => {
    await walk.clear(a.ifindex, b.ifindex, walk.globals.hostIfindex);
  });

  afterAll(() => walk.destroy(), 30_000);

  describe('the far end behind a tunnel', () => {
    test('moves to another node when its route does', async () => {
      walk.send(a, remoteAddress);
      expect(await actions()).toEqual(['tunnel 192.0.2.2 label 1010']);
      walk.setRoute(1, remoteAddress, there, 20);
      raiseGeneration();
      expect(walk.send(a, remoteAddress, ack).verdict).toBe(verdicts.redirect);
      expect(await actions()).toEqual(['tunnel 192.0.2.3 label 1010']);
    });

    test('is not taken for an end of another VRF with its address: the connection ends', async () => {
      walk.send(a, remoteAddress);
      walk.setRoute(1, remoteAddress, elsewhere, 20);
      raiseGeneration();
      const before = walk.dropCount('no-label-for-identity', 1);
      expect(walk.send(a, remoteAddress, ack).verdict).toBe(verdicts.drop);
      expect(walk.dropCount('no-label-for-identity', 1)).toBe(before + 1);
      expect(await actions()).toEqual([]);
    });

    test('is the same in a VRF of the same address space', async () => {
      walk.send(a, remoteAddress);
      walk.datapath.vrfs.upsert([1, 9].map((vrf) => [vrf, { maxFlows: 0, vni: 0, space: 5 }]));
      walk.datapath.labelsOut.upsert([[{ vrf: 9, identity: 10 }, 9010]]);
      walk.setRoute(1, remoteAddress, elsewhere, 20);
      raiseGeneration();
      expect(walk.send(a, remoteAddress, ack).verdict).toBe(verdicts.redirect);
      expect(await actions()).toEqual(['tunnel 192.0.2.4 label 9010']);
      walk.datapath.vrfs.remove([1, 9]);
      walk.datapath.labelsOut.remove([{ vrf: 9, identity: 10 }]);
    });

    test('is the same also when the VRF in which the connection began is gone', async () => {
      walk.datapath.vrfs.upsert([1, 9].map((vrf) => [vrf, { maxFlows: 0, vni: 0, space: 5 }]));
      walk.datapath.labelsOut.upsert([[{ vrf: 9, identity: 10 }, 9010]]);
      walk.setRoute(1, remoteAddress, elsewhere, 20);
      walk.send(a, remoteAddress);
      expect(await actions()).toEqual(['tunnel 192.0.2.4 label 9010']);
      walk.setRoute(1, remoteAddress, here, 20);
      walk.datapath.vrfs.remove([9]);
      walk.datapath.labelsOut.remove([{ vrf: 9, identity: 10 }]);
      raiseGeneration();
      expect(walk.send(a, remoteAddress, ack).verdict).toBe(verdicts.redirect);
      // Of both packets: no new one was begun.
      expect(await walk.flows()).toMatchObject([{ action: 'tunnel 192.0.2.2 label 1010', packetsOut: 2n }]);
      walk.datapath.vrfs.remove([1]);
    });

    test('is reached directly once it is on this node', async () => {
      walk.send(a, remoteAddress);
      walk.setRoute(1, remoteAddress, b.nextHop, 20);
      raiseGeneration();
      expect(walk.send(a, remoteAddress, ack).verdict).toBe(verdicts.redirect);
      expect((await actions()).sort()).toEqual([`encap ${a.ifindex}`, `encap ${b.ifindex}`].sort());
    });

    test('hears the label of the identity that the sender has now', async () => {
      walk.send(a, remoteAddress);
      setIdentity(a, 12);
      raiseGeneration();
      walk.send(a, remoteAddress, ack);
      expect(await actions()).toEqual(['tunnel 192.0.2.2 label 1012']);
      setIdentity(a, 99);
      raiseGeneration();
      const before = walk.dropCount('no-label-for-identity', 1);
      expect(walk.send(a, remoteAddress, ack).verdict).toBe(verdicts.drop);
      expect(walk.dropCount('no-label-for-identity', 1)).toBe(before + 1);
      expect(await actions()).toEqual([]);
    });

    test('is judged by the identity that it has now', async () => {
      walk.setPolicy({ policy: 2, peerIdentity: 20 }, 'pass', 1);
      const picky = walk.addPod(3, { address: '198.51.100.13', policy: 2 });
      expect(walk.send(picky, remoteAddress).verdict).toBe(verdicts.redirect);
      walk.setRoute(1, remoteAddress, here, 21);
      raiseGeneration();
      expect(walk.send(picky, remoteAddress, ack).verdict).toBe(verdicts.drop);
      expect(walk.dropCount('policy-egress', 1)).toBe(1);
      expect(await actions()).toEqual([]);
    });
  });

  describe('one port to one end, through a service and directly', () => {
    const service = '203.0.113.30';
    const backend = { vrf: 1, address: parseAddress(remoteAddress), port: 80, protocol: 6 };

    test('the second gets another source port, and the first stays as it is', async () => {
      walk.setService(1, service, 80, { id: 30 }, [{ address: remoteAddress, port: 80 }]);
      walk.send(a, service);
      const second = walk.send(a, remoteAddress);
      expect(second).toMatchObject({ verdict: verdicts.redirect, checksumsAreRight: true });
      expect(second.sourcePort).toBeGreaterThanOrEqual(61_000);
      expect(walk.send(a, service, ack)).toMatchObject({
        ...{ verdict: verdicts.redirect, destination: remoteAddress, sourcePort: 40_000 },
      });
      expect(walk.send(a, remoteAddress, ack).sourcePort).toBe(second.sourcePort);
      expect(await walk.flows()).toHaveLength(4);
    });

    test('the second goes on when the first has ended', async () => {
      walk.setService(1, service, 80, { id: 30 }, [{ address: remoteAddress, port: 80 }]);
      walk.send(a, service);
      const second = walk.send(a, remoteAddress);
      await walk.datapath.flowTable.removeBackend(backend);
      expect(walk.send(a, remoteAddress, ack).sourcePort).toBe(second.sourcePort);
      await walk.clear(a.ifindex);
      expect(await walk.flows()).toEqual([]);
    });
  });

  describe('a sender', () => {
    test('that lost its address is stopped, whether it began the connection or answers', () => {
      const pod = walk.addPod(4, { address: '198.51.100.14' });
      walk.send(pod, b.address);
      walk.send(a, pod.address);
      const prefix = { address: parseAddress(pod.address), length: 32 };
      walk.datapath.sources.remove([{ ifindex: pod.ifindex, vlan: 0, prefix }]);
      raiseGeneration();
      const before = walk.dropCount('source-address-spoofed', 1);
      expect(walk.send(pod, b.address, ack).verdict).toBe(verdicts.drop);
      const answer = { ...ack, sourcePort: 80, destinationPort: 40_000 };
      expect(walk.send(pod, a.address, answer).verdict).toBe(verdicts.drop);
      expect(walk.dropCount('source-address-spoofed', 1)).toBe(before + 2);
    });

    test('is checked from the moment at which port security is switched on', () => {
      const pod = walk.addPod(5, { address: '198.51.100.15', portSecurity: false });
      const foreign = { sourceMac: Uint8Array.of(2, 9, 9, 9, 9, 9) };
      expect(walk.send(pod, b.address, foreign).verdict).toBe(verdicts.redirect);
      const key = { ifindex: pod.ifindex, vlan: 0 };
      const vif = walk.datapath.vifs.get(key);
      if (vif) walk.datapath.vifs.upsert([[key, { ...vif, portSecurity: true }]]);
      raiseGeneration();
      expect(walk.send(pod, b.address, ack).verdict).toBe(verdicts.redirect);
      expect(walk.send(pod, b.address, { ...foreign, ...ack }).verdict).toBe(verdicts.drop);
      expect(walk.dropCount('source-mac-spoofed', 1)).toBe(1);
    });
  });

  describe('a pod that the fabric VRF does not know as its own', () => {
    const port = { sourcePort: 40_000, destinationPort: 6443 };
    const answerOfNode = (seen: Step): Step =>
      walk.run('host', walk.globals.hostIfindex, {
        sourceMac: Uint8Array.of(2, 0, 0, 0, 0, 99),
        source: '192.0.2.1',
        destination: seen.source,
        protocol: 'tcp',
        sourcePort: 6443,
        destinationPort: seen.sourcePort,
        flags: tcpFlags.syn | tcpFlags.ack,
      });

    test('calls its node with the hairpin address; the answer is its own, not that of the pod with its address', () => {
      const tenant = walk.addPod(6, { address: b.address, vrf: 7 });
      walk.setRoute(2, b.address, b.nextHop);
      walk.setRoute(7, '192.0.2.1', receive);
      const call = walk.send(tenant, '192.0.2.1', port);
      expect(call).toMatchObject({ verdict: verdicts.ok, mark: 0x0ce00000, source: '198.51.100.1', checksumsAreRight: true });
      expect(call.sourcePort).toBeGreaterThanOrEqual(61_000);
      expect(answerOfNode(call)).toMatchObject({
        verdict: verdicts.redirect,
        destination: b.address,
        destinationMac: '02:00:00:00:00:06',
        destinationPort: 40_000,
        checksumsAreRight: true,
      });
    });

    test('while the pod that the fabric knows keeps its address', () => {
      walk.setRoute(1, '192.0.2.1', receive);
      const call = walk.send(b, '192.0.2.1', port);
      expect(call).toMatchObject({ verdict: verdicts.ok, source: b.address, sourcePort: 40_000 });
      expect(answerOfNode(call)).toMatchObject({ verdict: verdicts.redirect, destinationMac: '02:00:00:00:00:02' });
    });
  });

  test('drop counts of a VRF that is gone are forgotten, of others and of no VRF kept', () => {
    const gone = walk.addPod(7, { address: '198.51.100.17', vrf: 77 });
    walk.send(gone, '198.51.100.99');
    walk.send(a, '198.51.100.99');
    expect(walk.dropCount('no-route', 77)).toBe(1);
    walk.datapath.pruneDrops(new Set([1]));
    expect(walk.dropCount('no-route', 77)).toBe(0);
    expect(walk.dropCount('no-route', 1)).toBe(1);
  });
});
