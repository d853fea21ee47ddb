/** What programs remember for the next connection is forgotten when a table changes: by single packets through the loaded programs. */
import { parseAddress } from '@contrail/net';
import { missingForLab } from './testing/lab';
import { type Step, verdicts, Walk, type WalkPod } from './testing/walk';

const missing = missingForLab();
const describeWalk = missing === undefined ? describe : describe.skip;
const service = '203.0.113.50';
const remotePod = '198.51.100.21';
const remoteNode = '192.0.2.2';
const receiverLabel = 5000;

describeWalk(`the next connection alike${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let walk: Walk;
  let client: WalkPod;
  let one: WalkPod;
  let two: WalkPod;
  let nextPort = 10_000;

  /** A connection of its own: a SYN from a port that none had. */
  const connect = (destination: string, destinationPort = 80): Step =>
    walk.send(client, destination, { sourcePort: nextPort++, destinationPort });
  /** Until every place on the way is known. */
  const connectOften = (destination: string): Step[] => Array.from({ length: 16 }, () => connect(destination));
  const passes = (destination: string): boolean => connectOften(destination).every(({ verdict }) => verdict === verdicts.redirect);
  const receivers = (destination: string): Set<string> => new Set(connectOften(destination).map((step) => step.destination));

  beforeAll(async () => {
    walk = await Walk.create({ flowCapacity: 4096 });
    client = walk.addPod(1, { address: '198.51.100.11' });
    one = walk.addPod(2, { address: '198.51.100.12', identity: 11, policy: 2 });
    two = walk.addPod(3, { address: '198.51.100.13', identity: 12, policy: 2 });
    walk.setNextHop(5, { kind: 'tunnel', remote: parseAddress(remoteNode), vrf: 1 });
    walk.setRoute(1, remotePod, 5);
    walk.datapath.nodes.upsert([[{ address: parseAddress(remoteNode) }, { self: false }]]);
  }, 90_000);

  beforeEach(() => {
    walk.setPolicy({ policy: 1 }, 'pass', 1);
    walk.setPolicy({ policy: 2 }, 'pass', 2);
    walk.datapath.labelsOut.upsert([[{ vrf: 1, identity: 10 }, receiverLabel]]);
    walk.setService(1, service, 80, { id: 50 }, [{ address: one.address, port: 8080 }]);
  });

  afterEach(() => walk.clear(client.ifindex, one.ifindex, two.ifindex));
  afterAll(() => walk.destroy(), 30_000);

  test('goes the same way, to a pod, a service and another node, each with its own record', async () => {
    const destinations = [one.address, service, remotePod];
    for (const destination of destinations) expect(passes(destination)).toBe(true);
    expect(receivers(service)).toEqual(new Set([one.address]));
    const flows = (await walk.flows()).filter(({ zone }) => zone === client.ifindex);
    expect(flows).toHaveLength(16 * 4);
    expect(new Set(flows.map(({ packetsOut }) => packetsOut))).toEqual(new Set([1n]));
    expect(walk.datapath.vifFlows(client.ifindex, 0)).toBe(16 * (2 + 2 + 2 + 1));
  });

  test.each([
    ['egress of the sender', 1],
    ['ingress of the receiver', 2],
  ])('is refused when the policy changed: %s', (_, policy) => {
    expect(passes(one.address)).toBe(true);
    walk.setPolicy({ policy }, 'deny', 7);
    expect(connect(one.address).verdict).toBe(verdicts.drop);
  });

  test('follows the generation alone, too', () => {
    expect(passes(one.address)).toBe(true);
    walk.setGlobals({ generation: walk.globals.generation + 1 });
    expect(passes(one.address)).toBe(true);
  });

  test('follows the route, and its removal', () => {
    expect(passes(one.address)).toBe(true);
    walk.setRoute(1, one.address, 5);
    expect(connect(one.address).verdict).toBe(verdicts.redirect);
    const before = walk.dropCount('no-route');
    walk.datapath.hostRoutes.remove([{ vrf: 1, address: parseAddress(one.address) }]);
    expect(connect(one.address).verdict).toBe(verdicts.drop);
    expect(walk.dropCount('no-route')).toBe(before + 1);
    walk.setRoute(1, one.address, one.nextHop);
    expect(passes(one.address)).toBe(true);
  });

  test('is refused when its label went', () => {
    expect(passes(remotePod)).toBe(true);
    const before = walk.dropCount('no-label-for-identity');
    walk.datapath.labelsOut.remove([{ vrf: 1, identity: 10 }]);
    expect(connect(remotePod).verdict).toBe(verdicts.drop);
    expect(walk.dropCount('no-label-for-identity')).toBe(before + 1);
  });

  test('is refused when the receiver is not programmed any more, and when the sender is not', () => {
    for (const pod of [one, client]) {
      expect(passes(one.address)).toBe(true);
      const key = { ifindex: pod.ifindex, vlan: 0 };
      const vif = walk.datapath.vifs.get(key);
      if (!vif) throw new Error('the interface of the pod is not there');
      walk.datapath.vifs.upsert([[key, { ...vif, policy: 0 }]]);
      expect(connect(one.address).verdict).toBe(verdicts.drop);
      walk.datapath.vifs.upsert([[key, vif]]);
    }
  });

  test('is refused when the source is not the sender’s any more, or its MAC is another', () => {
    expect(passes(one.address)).toBe(true);
    const sourceMac = Uint8Array.of(2, 0, 0, 0, 0, 99);
    expect(walk.send(client, one.address, { sourcePort: nextPort++, sourceMac }).verdict).toBe(verdicts.drop);
    const source = { ifindex: client.ifindex, vlan: 0, prefix: { address: parseAddress(client.address), length: 32 } };
    walk.datapath.sources.remove([source]);
    expect(connect(one.address).verdict).toBe(verdicts.drop);
    walk.datapath.sources.upsert([[source, true]]);
  });

  test('goes to the backends of today, each in its turn', () => {
    expect(receivers(service)).toEqual(new Set([one.address]));
    walk.setService(1, service, 80, { id: 50 }, [one, two].map(({ address }) => ({ address, port: 8080 })));
    expect(receivers(service)).toEqual(new Set([one.address, two.address]));
    expect(receivers(service)).toEqual(new Set([one.address, two.address]));
    walk.setService(1, service, 80, { id: 50 }, [{ address: two.address, port: 8080 }]);
    expect(receivers(service)).toEqual(new Set([two.address]));
    walk.setService(1, service, 80, { id: 50 }, []);
    expect(connect(service)).toMatchObject({ source: service, destination: client.address });
  });

  test('to another port of the same pod is judged by that port', () => {
    walk.setPolicy({ policy: 2, protocol: 6, port: 81, portLength: 16 }, 'deny', 9);
    expect(passes(one.address)).toBe(true);
    expect(connect(one.address, 81).verdict).toBe(verdicts.drop);
    expect(passes(one.address)).toBe(true);
  });

  test('to a service with affinity keeps to its backend', () => {
    const backends = [one, two].map(({ address }) => ({ address, port: 8080 }));
    walk.setService(1, service, 80, { id: 50, affinityTimeoutS: 60 }, backends);
    expect(receivers(service).size).toBe(1);
  });
});
