/** Packets that are too big for their way are answered with the size that fits. */
import { parseAddress } from '@contrail/net';
import type { PacketRunOptions } from './bpf/test-run';
import { missingForLab } from './testing/lab';
import { buildFrame, type Frame, readFrame, tcpFlags, withFragmentField } from './testing/packet';
import { verdicts, Walk, type WalkPod } from './testing/walk';

const missing = missingForLab();
const describeWalk = missing === undefined ? describe : describe.skip;
const gateway = '198.51.100.1';
const node = '192.0.2.1';
const remote = '198.51.100.77';
const outside = '192.0.2.200';
const headers = { udp: 28, tcp: 40 } as const;

describeWalk(`path MTU${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let walk: Walk;
  let a: WalkPod;
  let b: WalkPod;

  beforeAll(async () => {
    walk = await Walk.create({ flowCapacity: 1024 });
    walk.setPolicy({ policy: 1 }, 'pass', 1);
    a = walk.addPod(1, { address: '198.51.100.11', mtu: 3000 });
    b = walk.addPod(2, { address: '198.51.100.12', mtu: 1300 });
    walk.setNextHop(1, { kind: 'tunnel', remote: parseAddress('192.0.2.2'), vrf: 1 });
    walk.setNextHop(5, { kind: 'fabric', snat: true });
    walk.datapath.labelsOut.upsert([[{ vrf: 1, identity: 10 }, 1010]]);
    walk.setRoute(1, remote, 1);
    walk.setRoute(2, b.address, b.nextHop);
    walk.setRoute(1, '192.0.2.0/24', 5);
    walk.setService(2, '0.0.0.0', 30_053, { id: 2, hostPort: true }, [
      { address: b.address, port: 5353, vrf: 1 },
    ]);
  }, 180_000);

  afterAll(() => walk.destroy(), 30_000);

  /** A packet with `size` bytes of IP. */
  const packet = (size: number, frame: Partial<Frame> & { destination: string }): Frame => ({
    sourceMac: a.mac,
    source: a.address,
    protocol: 'udp',
    sourcePort: 4000,
    destinationPort: 53,
    payload: Buffer.alloc(size - headers[frame.protocol === 'tcp' ? 'tcp' : 'udp'], 'x'),
    ...frame,
  });

  const sendAt = (
    hook: 'pod' | 'host' | 'loopback',
    ifindex: number,
    frame: Frame,
    options: { dontFragment?: boolean } & Partial<PacketRunOptions> = {},
  ) => {
    const { dontFragment = true, ...run } = options;
    const sent = withFragmentField(buildFrame(frame), { offset: 0, dontFragment });
    const { verdict, packet: out, mark } = walk.runRaw(hook, ifindex, sent, run);
    return { verdict, mark, sent, out, ...readFrame(out) };
  };

  const send = (frame: Frame, options: Parameters<typeof sendAt>[3] = {}) =>
    sendAt('pod', a.ifindex, frame, options);

  const expectTooBig = (answer: ReturnType<typeof send>, mtu: number, destination: string) => {
    expect(answer).toMatchObject({
      verdict: verdicts.redirect,
      protocol: 1,
      source: gateway,
      destination,
      checksumsAreRight: true,
    });
    expect([...answer.segment.subarray(0, 8)]).toEqual(
      [3, 4, ...answer.segment.subarray(2, 4), 0, 0, mtu >> 8, mtu & 0xff],
    );
    const quoted = answer.segment.subarray(8);
    expect(quoted.length).toBeGreaterThanOrEqual(28);
    expect(quoted).toEqual(answer.sent.subarray(14, 14 + quoted.length));
  };

  describe.each(['udp', 'tcp'] as const)('%s', (protocol) => {
    test('the biggest packet that fits passes, also of an old flow; one byte more is answered', () => {
      const fits = packet(1450, { destination: remote, protocol });
      expect(send(fits)).toMatchObject({ verdict: verdicts.redirect, destination: remote });
      const frame = packet(1451, { destination: remote, protocol, flags: tcpFlags.ack });
      const before = walk.dropCount('packet-too-big', 1);
      expectTooBig(send(frame), 1450, a.address);
      expect(send(frame)).toMatchObject({ destinationMac: '02:00:00:00:00:01' });
      expect(walk.dropCount('packet-too-big', 1)).toBe(before + 2);
    });

    test('to the outside the underlay decides', () => {
      const fits = packet(1500, { destination: outside, protocol, sourcePort: 4001 });
      expect(send(fits)).toMatchObject({ verdict: verdicts.redirect, source: node });
      const frame = packet(1501, { destination: outside, protocol, sourcePort: 4001, flags: 16 });
      expectTooBig(send(frame), 1500, a.address);
    });
  });

  test('without DF the kernel fragments around the tunnel header', () => {
    const frame = packet(2000, { destination: remote });
    expect(send(frame, { dontFragment: false })).toMatchObject({
      verdict: verdicts.redirect,
      destination: remote,
    });
  });

  test('without DF nobody fragments what leaves the node directly: the sender is told', () => {
    const frame = packet(2000, { destination: outside });
    expectTooBig(send(frame, { dontFragment: false }), 1500, a.address);
  });

  test('of a packet that stands for several segments those count', () => {
    const frame = packet(2900, { destination: remote, protocol: 'tcp', sourcePort: 4002 });
    expect(send(frame, { gsoSize: 1410 })).toMatchObject({
      verdict: verdicts.redirect,
      destination: remote,
    });
    const answer = send({ ...frame, flags: tcpFlags.ack }, { gsoSize: 1411 });
    expectTooBig(answer, 1450, a.address);
  });

  test('a pod on the same node takes any size', () => {
    expect(send(packet(2900, { destination: b.address }))).toMatchObject({
      verdict: verdicts.redirect,
      destination: b.address,
    });
  });

  test("the node learns the MTU of a pod's interface", () => {
    const frame = packet(1301, { source: node, destination: b.address });
    const answer = sendAt('host', walk.globals.hostIfindex, frame);
    expectTooBig(answer, 1300, node);
    expect(answer.mark).toBe(0x0ce00000);
    const fits = packet(1300, { source: node, destination: b.address });
    expect(sendAt('host', walk.globals.hostIfindex, fits).destination).toBe(b.address);
  });

  test('so do clients of a hostPort on lo', () => {
    const frame = packet(2000, {
      source: '127.0.0.1',
      destination: '127.0.0.1',
      destinationPort: 30_053,
    });
    const answer = sendAt('loopback', 1, frame);
    expectTooBig(answer, 1300, '127.0.0.1');
    expect(answer).toMatchObject({ destinationMac: '00:00:00:00:00:00', mark: 0x0ce00000 });
  });

  test('while the MTU of the underlay is not known nothing is too big', () => {
    const { uplinkMtu, tunnelMtu } = walk.globals;
    walk.setGlobals({ uplinkMtu: 0, tunnelMtu: 0 });
    expect(send(packet(2900, { destination: remote })).destination).toBe(remote);
    expect(send(packet(2900, { destination: outside })).destination).toBe(outside);
    walk.setGlobals({ uplinkMtu, tunnelMtu });
  });

  test('one interface gets a limited number of answers in a second; all are counted', () => {
    const c = walk.addPod(3, { address: '198.51.100.13' });
    const frame = packet(1600, { source: c.address, sourceMac: c.mac, destination: remote });
    const before = walk.dropCount('packet-too-big', 1);
    const answers = Array.from({ length: 3000 }, () => sendAt('pod', c.ifindex, frame).verdict);
    expect(answers[0]).toBe(verdicts.redirect);
    expect(answers.filter((verdict) => verdict === verdicts.drop).length).toBeGreaterThan(0);
    expect(walk.dropCount('packet-too-big', 1)).toBe(before + 3000);
    // Others are not affected.
    expectTooBig(send(packet(1451, { destination: remote })), 1450, a.address);
  });
});
