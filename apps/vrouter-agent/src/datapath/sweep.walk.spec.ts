/** How flows end: by the kernel's own program, and as on kernels that cannot run it. */
import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { parseAddress } from '@contrail/net';
import { libbpf } from './bpf/libbpf';
import { layoutFolder } from './bpf/bpf-object';
import { flowKeyV4Struct } from './layout/flow-structs';
import { missingForLab } from './testing/lab';
import { tcpFlags } from './testing/packet';
import { verdicts, Walk, type WalkPod } from './testing/walk';

const missing = missingForLab();
const describeWalk = missing === undefined ? describe : describe.skip;
const flowCapacity = 256;

describeWalk.each([
  ['in the kernel', false],
  ['in user space', true],
])(`flows end %s${missing ? ` (skipped: ${missing})` : ''}`, (_place, withoutNewFeatures) => {
  let walk: Walk;
  let a: WalkPod;
  let b: WalkPod;
  const ports = async (): Promise<number[]> =>
    (await walk.flows()).map(({ localPort }) => localPort);
  const synAck = tcpFlags.syn | tcpFlags.ack;

  /** A connection from `sourcePort` of a, its handshake complete. */
  const connect = (sourcePort: number): void => {
    walk.send(a, b.address, { sourcePort });
    walk.send(b, a.address, { sourcePort: 80, destinationPort: sourcePort, flags: synAck });
    walk.send(a, b.address, { sourcePort, flags: tcpFlags.ack });
  };
  const expire = async (): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    await walk.datapath.flowTable.expire();
  };

  beforeAll(async () => {
    walk = await Walk.create({ flowCapacity, withoutNewFeatures });
    walk.setPolicy({ policy: 1 }, 'pass', 1);
    a = walk.addPod(1, { address: '198.51.100.11' });
    b = walk.addPod(2, { address: '198.51.100.12' });
  }, 60_000);

  afterEach(async () => {
    await walk.clear(a.ifindex, b.ifindex);
    walk.setGlobals({
      tcpHalfOpenS: 60,
      tcpEstablishedS: 8000,
      tcpClosingS: 10,
      udpS: 60,
      udpStreamS: 180,
    });
  });

  afterAll(() => walk.destroy(), 30_000);

  test('half-open before established, both records at once', async () => {
    walk.setGlobals({ tcpHalfOpenS: 0 });
    walk.send(a, b.address, { sourcePort: 1 });
    connect(2);
    await expire();
    expect(await ports()).toEqual([2, 80]);
    expect(walk.datapath.flowCount()).toEqual({ used: 2, capacity: flowCapacity });
  });

  test('after a reset, and after both sides said goodbye; not after one', async () => {
    walk.setGlobals({ tcpClosingS: 0 });
    connect(1);
    walk.send(a, b.address, { sourcePort: 1, flags: tcpFlags.rst });
    connect(2);
    walk.send(a, b.address, { sourcePort: 2, flags: tcpFlags.fin | tcpFlags.ack });
    connect(3);
    walk.send(a, b.address, { sourcePort: 3, flags: tcpFlags.fin | tcpFlags.ack });
    walk.send(b, a.address, {
      sourcePort: 80,
      destinationPort: 3,
      flags: tcpFlags.fin | tcpFlags.ack,
    });
    await expire();
    expect(await ports()).toEqual([2, 80]);
  });

  test('not after a reset by an end that goes on: it did not send that', async () => {
    walk.setGlobals({ tcpClosingS: 0 });
    const fromB = { sourcePort: 80, destinationPort: 1 };
    connect(1);
    walk.send(b, a.address, { ...fromB, flags: tcpFlags.rst });
    walk.send(b, a.address, { ...fromB, flags: tcpFlags.ack });
    await expire();
    expect(await ports()).toEqual([1, 80]);
  });

  test('datagrams: answered ones stay longer', async () => {
    walk.setGlobals({ udpS: 0 });
    walk.send(a, b.address, { protocol: 'udp', sourcePort: 1 });
    walk.send(a, b.address, { protocol: 'udp', sourcePort: 2 });
    walk.send(b, a.address, { protocol: 'udp', sourcePort: 80, destinationPort: 2 });
    await expire();
    expect(await ports()).toEqual([2, 80]);
  });

  test('what is used does not end', async () => {
    connect(1);
    await expire();
    expect(await ports()).toEqual([1, 80]);
  });

  // A dump is older than its look-ups: in user space the other half is there by then.
  (withoutNewFeatures ? test.skip : test)('a half without its other half, in use, too, but not at once', async () => {
    connect(1);
    const key = flowKeyV4Struct.encode({
      zone: a.ifindex,
      vlan: 0,
      protocol: 6,
      pad: 0,
      localPort: 1,
      remotePort: 80,
      local: parseAddress(a.address),
      remote: parseAddress(b.address),
      remoteVrf: 0,
    });
    const path = join(layoutFolder(join(walk.folder, 'bpf', 'contrail'), walk.datapath.layoutVersion), 'flows_v4');
    const fd = libbpf().get(path);
    expect(libbpf().remove(fd, key)).toBe(0);
    closeSync(fd);
    const answer = { sourcePort: 80, destinationPort: 1, flags: tcpFlags.ack };
    await walk.datapath.flowTable.expire();
    expect(await ports()).toEqual([80]);
    walk.send(b, a.address, answer);
    await walk.datapath.flowTable.expire();
    expect(await ports()).toEqual([]);
    // The next packet makes both anew.
    walk.send(b, a.address, answer);
    expect(await ports()).toEqual([1, 80]);
  });

  test('those of an interface, with their other halves', async () => {
    connect(1);
    await walk.clear(b.ifindex);
    expect(await ports()).toEqual([]);
  });

  test('those to a backend that went, in its VRF only', async () => {
    walk.setService(1, '203.0.113.13', 53, { id: 5 }, [{ address: b.address, port: 53 }]);
    walk.send(a, '203.0.113.13', { protocol: 'udp', destinationPort: 53 });
    walk.datapath.removeFlowsToBackend(7, parseAddress(b.address), 53, 17);
    walk.datapath.removeFlowsToBackend(1, parseAddress(b.address), 54, 17);
    await walk.datapath.flowTable.settled();
    expect(await walk.flows()).toHaveLength(2);
    walk.datapath.removeFlowsToBackend(1, parseAddress(b.address), 53, 17);
    await walk.datapath.flowTable.settled();
    expect(await walk.flows()).toEqual([]);
  });
});

describeWalk(`records that ended${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let walk: Walk;

  beforeAll(async () => {
    walk = await Walk.create({ flowCapacity: 4, endedGraceMs: 60_000 });
    walk.setPolicy({ policy: 1 }, 'pass', 1);
  }, 60_000);
  afterAll(() => walk.destroy(), 30_000);

  test('keep their memory while a program may read it, forward nothing, and serve their own key again', async () => {
    const a = walk.addPod(1, { address: '198.51.100.11' });
    const b = walk.addPod(2, { address: '198.51.100.12' });
    const passes = (sourcePort: number, flags: number): boolean =>
      walk.send(a, b.address, { sourcePort, flags }).verdict === verdicts.redirect;
    expect([1, 2, 3].map((port) => passes(port, tcpFlags.syn))).toEqual([true, true, false]);
    await walk.clear(a.ifindex);
    await walk.datapath.flowTable.expire();
    expect(await walk.flows()).toEqual([]);
    expect(walk.datapath.flowCount().used).toBe(0);
    expect(passes(3, tcpFlags.syn)).toBe(false);
    walk.setPolicy({ policy: 1 }, 'deny');
    expect(passes(1, tcpFlags.ack)).toBe(false);
    walk.setPolicy({ policy: 1 }, 'pass');
    expect(passes(1, tcpFlags.syn)).toBe(true);
    expect(await walk.flows()).toHaveLength(2);
    expect((await walk.flows())[0]).toMatchObject({ packetsOut: 1n, packetsIn: 0n });
    expect(walk.datapath.vifFlows(a.ifindex, 0)).toBe(2);
  });
});
