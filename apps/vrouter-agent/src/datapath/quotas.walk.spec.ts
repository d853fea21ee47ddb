/** Who pays for flows, and who is refused: by single packets through the loaded programs. */
import { join } from 'node:path';
import { layoutFolder } from './bpf/bpf-object';
import { flowKeyV4Struct } from './layout/flow-structs';
import { libbpf } from './bpf/libbpf';
import { missingForLab } from './testing/lab';
import { tcpFlags } from './testing/packet';
import { verdicts, Walk, type WalkPod } from './testing/walk';

const missing = missingForLab();
const describeWalk = missing === undefined ? describe : describe.skip;
const quota = 20;
const tenantVrf = 7;

describeWalk.each([
  ['counted in the kernel', false],
  ['mended in user space', true],
])(`quotas, %s${missing ? ` (skipped: ${missing})` : ''}`, (_place, withoutNewFeatures) => {
  let walk: Walk;
  let flooder: WalkPod;
  let victim: WalkPod;
  let neighbour: WalkPod;
  const used = (pod: WalkPod): number => walk.datapath.vifFlows(pod.ifindex, 0);
  const passes = (from: WalkPod, to: WalkPod, sourcePort: number): boolean =>
    walk.send(from, to.address, { sourcePort }).verdict === verdicts.redirect;
  /** SYNs from as many ports. @returns how many passed. */
  const flood = (count: number, to = victim): number =>
    Array.from({ length: count }, (_, i) => passes(flooder, to, 1000 + i)).filter(Boolean).length;

  beforeAll(async () => {
    walk = await Walk.create({ flowCapacity: 1024, withoutNewFeatures });
    walk.setPolicy({ policy: 1 }, 'pass', 1);
    flooder = walk.addPod(1, { address: '198.51.100.11', maxFlows: quota });
    victim = walk.addPod(2, { address: '198.51.100.12', maxFlows: quota });
    neighbour = walk.addPod(3, { address: '198.51.100.13', maxFlows: quota });
  }, 60_000);

  afterEach(async () => {
    await walk.clear(...new Set((await walk.flows()).map(({ zone }) => zone)));
    await walk.datapath.flowTable.expire(true);
    await walk.datapath.flowTable.expire(true);
    expect(used(flooder)).toBe(0);
  });

  afterAll(() => walk.destroy(), 30_000);

  test('a flood ends at its own quota; whom it calls and its neighbours go on, with new and old flows', async () => {
    expect(passes(neighbour, victim, 1)).toBe(true);
    // Two records each, because both ends are here.
    expect(flood(quota)).toBe(quota / 2);
    expect(used(flooder)).toBe(quota);
    expect(walk.dropCount('flow-quota-of-interface', 1)).toBe(quota / 2);
    expect(used(victim)).toBe(0);
    expect(walk.send(neighbour, victim.address, { sourcePort: 1, flags: tcpFlags.ack }).verdict).toBe(verdicts.redirect);
    expect(passes(neighbour, victim, 2)).toBe(true);
    expect(passes(victim, neighbour, 3)).toBe(true);
    expect(passes(victim, flooder, 4)).toBe(true);
    // The flooder's own live flows go on as well.
    expect(walk.send(flooder, victim.address, { sourcePort: 1000, flags: tcpFlags.ack }).verdict).toBe(verdicts.redirect);
  });

  test('what ends makes room at once, also over a closing connection', async () => {
    const before = walk.dropCount('flow-quota-of-interface', 1);
    expect(flood(quota / 2)).toBe(quota / 2);
    walk.send(flooder, victim.address, { sourcePort: 1000, flags: tcpFlags.rst });
    expect(passes(flooder, victim, 1000)).toBe(true);
    expect(used(flooder)).toBe(quota);
    expect(passes(flooder, victim, 999)).toBe(false);
    expect(walk.dropCount('flow-quota-of-interface', 1)).toBe(before + 1);
  });

  test('a denied packet costs nothing', () => {
    walk.setPolicy({ policy: 2 }, 'deny');
    const closed = walk.addPod(5, { address: '198.51.100.15', policy: 2 });
    expect(passes(flooder, closed, 1)).toBe(false);
    expect(used(flooder)).toBe(0);
  });

  test('a network with a limit is refused as a whole, one without is not', () => {
    const one = walk.addPod(11, { address: '198.51.100.11', vrf: tenantVrf });
    const two = walk.addPod(12, { address: '198.51.100.12', vrf: tenantVrf });
    walk.datapath.vrfs.upsert([[tenantVrf, { maxFlows: 6, vni: 0, space: 0 }], [1, { maxFlows: 0, vni: 0, space: 0 }]]);
    const results = [1, 2, 3, 4].map((port) => passes(port % 2 === 0 ? one : two, port % 2 === 0 ? two : one, port));
    expect(results).toEqual([true, true, true, false]);
    expect(walk.datapath.vrfFlows(tenantVrf)).toBe(6);
    expect(walk.dropCount('flow-quota-of-network', tenantVrf)).toBe(1);
    // The refused connection is not charged to its interface, either.
    expect(used(one) + used(two)).toBe(6);
    expect(passes(neighbour, victim, 1)).toBe(true);
    expect(walk.datapath.vrfFlows(1)).toBe(0);
  });

  test('clients of the underlay pay together by the pod that they call; its own flows do not suffer', () => {
    walk.setRoute(2, victim.address, victim.nextHop);
    walk.setService(2, '192.0.2.1', 30_080, { id: 9, hostPort: true }, [{ address: victim.address, port: 80 }]);
    const { uplinkIfindex } = walk.globals;
    const calls = Array.from({ length: quota }, (_, i) =>
      walk.run('uplink', uplinkIfindex, {
        sourceMac: neighbour.mac,
        source: `192.0.2.${100 + i}`,
        destination: '192.0.2.1',
        protocol: 'tcp',
        sourcePort: 5000,
        destinationPort: 30_080,
      }).verdict,
    );
    expect(calls.filter((verdict) => verdict === verdicts.redirect)).toHaveLength(quota / 2);
    expect(used(victim)).toBe(0);
    expect(passes(victim, neighbour, 1)).toBe(true);
    expect(passes(neighbour, victim, 2)).toBe(true);
  });

  test('a record that was lost without being counted is found by the recount', async () => {
    expect(flood(3)).toBe(3);
    const path = join(layoutFolder(join(walk.folder, 'bpf', 'contrail'), walk.datapath.layoutVersion), 'flows_v4');
    const map = libbpf().get(path);
    for (const flow of await walk.flows()) {
      const key = { ...flow, pad: 0, local: flow.localAddress, remote: flow.remoteAddress, remoteVrf: 0 };
      expect(libbpf().remove(map, flowKeyV4Struct.encode(key))).toBe(0);
    }
    expect(used(flooder)).toBe(6);
    await walk.datapath.flowTable.expire(true);
    expect(used(flooder)).toBe(0);
  });
});
