/** Later fragments follow the first one, whatever its flow does; the others are dropped. */
import { missingForLab } from './testing/lab';
import {
  buildFrame,
  type Frame,
  fragmentsOf,
  readFrame,
  reassemble,
  type Seen,
  withFragmentField,
} from './testing/packet';
import { verdicts, Walk, type WalkPod } from './testing/walk';

const missing = missingForLab();
const describeWalk = missing === undefined ? describe : describe.skip;
const gateway = '198.51.100.1';
const node = '192.0.2.1';
const outside = '192.0.2.200';
const service = '203.0.113.10';

describeWalk(`fragments${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let walk: Walk;
  let a: WalkPod;
  let b: WalkPod;
  let uplink: number;
  let host: number;

  beforeAll(async () => {
    walk = await Walk.create({ flowCapacity: 4096 });
    walk.setPolicy({ policy: 1 }, 'pass', 1);
    a = walk.addPod(1, { address: '198.51.100.11' });
    b = walk.addPod(2, { address: '198.51.100.12' });
    ({ uplinkIfindex: uplink, hostIfindex: host } = walk.globals);
    walk.setNextHop(1, { kind: 'receive' });
    walk.setNextHop(2, { kind: 'gateway' });
    walk.setNextHop(5, { kind: 'fabric', snat: true });
    walk.setRoute(1, gateway, 2);
    walk.setRoute(1, node, 1);
    walk.setRoute(2, b.address, b.nextHop);
    walk.setRoute(1, '192.0.2.0/24', 5);
    walk.setService(1, service, 53, { id: 1 }, [{ address: b.address, port: 5353 }]);
    walk.setService(2, '0.0.0.0', 30_053, { id: 2, hostPort: true }, [
      { address: b.address, port: 5353, vrf: 1 },
    ]);
  }, 180_000);

  afterAll(() => walk.destroy(), 30_000);

  const datagram = (frame: Partial<Frame> & { destination: string }): Frame => ({
    sourceMac: a.mac,
    source: a.address,
    protocol: 'udp',
    sourcePort: 4000,
    destinationPort: 53,
    payload: Buffer.alloc(3000, 'contrail'),
    ...frame,
  });

  /** Every fragment passes; what the receiver makes of them. */
  const carry = (hook: 'pod' | 'uplink' | 'host', ifindex: number, frame: Frame): Seen => {
    const out = fragmentsOf(frame, 1024).map((fragment) => walk.runRaw(hook, ifindex, fragment));
    expect(out.map(({ verdict }) => verdict)).toEqual(out.map(() => out[0]?.verdict));
    expect(out[0]?.verdict).not.toBe(verdicts.drop);
    const whole = reassemble(out.map(({ packet }) => packet));
    const seen = readFrame(whole);
    expect(seen.segment.subarray(8)).toEqual(frame.payload);
    return seen;
  };

  const lost = (hook: 'pod' | 'uplink', ifindex: number, packet: Buffer, reason: string): void => {
    const before = walk.dropCount(reason);
    expect(walk.runRaw(hook, ifindex, packet).verdict).toBe(verdicts.drop);
    expect(walk.dropCount(reason)).toBe(before + 1);
  };

  describe('of one packet stay together', () => {
    test.each(['udp', 'icmp'] as const)('%s from pod to pod', (protocol) => {
      const seen = carry('pod', a.ifindex, datagram({ destination: b.address, protocol }));
      expect(seen).toMatchObject({
        source: a.address,
        destination: b.address,
        destinationMac: '02:00:00:00:00:02',
        checksumsAreRight: true,
      });
    });

    test('to a service and back, with the ports in the first one only', () => {
      const there = carry('pod', a.ifindex, datagram({ destination: service }));
      expect(there).toMatchObject({
        destination: b.address,
        destinationPort: 5353,
        checksumsAreRight: true,
      });
      const back = carry('pod', b.ifindex, {
        ...datagram({ destination: a.address }),
        sourceMac: b.mac,
        source: b.address,
        sourcePort: 5353,
        destinationPort: 4000,
      });
      expect(back).toMatchObject({ source: service, sourcePort: 53, checksumsAreRight: true });
    });

    test('from a pod to itself through its service', () => {
      const seen = carry('pod', b.ifindex, {
        ...datagram({ destination: service }),
        sourceMac: b.mac,
        source: b.address,
      });
      expect(seen).toMatchObject({
        source: gateway,
        destination: b.address,
        checksumsAreRight: true,
      });
    });

    test.each(['udp', 'icmp'] as const)('%s to the outside and back', (protocol) => {
      const there = carry('pod', a.ifindex, datagram({ destination: outside, protocol }));
      expect(there).toMatchObject({ source: node, checksumsAreRight: true });
      expect(there.sourcePort).toBeGreaterThanOrEqual(61_000);
      const back = carry('uplink', uplink, {
        ...datagram({ destination: node, protocol }),
        sourceMac: b.mac,
        source: outside,
        type: 0,
        sourcePort: protocol === 'icmp' ? there.sourcePort : 53,
        destinationPort: there.sourcePort,
      });
      expect(back).toMatchObject({ destination: a.address, checksumsAreRight: true });
    });

    test('from outside to a hostPort', () => {
      const seen = carry('uplink', uplink, {
        ...datagram({ destination: node, destinationPort: 30_053 }),
        sourceMac: b.mac,
        source: outside,
      });
      expect(seen).toMatchObject({ destination: b.address, destinationPort: 5353 });
    });

    test('from the node to a pod', () => {
      const seen = carry('host', host, datagram({ source: node, destination: b.address }));
      expect(seen).toMatchObject({ destination: b.address, checksumsAreRight: true });
    });

    test('of an echo request that the gateway answers', () => {
      const seen = carry('pod', a.ifindex, datagram({ destination: gateway, protocol: 'icmp' }));
      expect(seen).toMatchObject({
        source: gateway,
        destination: a.address,
        destinationMac: '02:00:00:00:00:01',
        checksumsAreRight: true,
      });
      expect(seen.segment[0]).toBe(0);
    });
  });

  describe('are dropped', () => {
    test.each<[string, () => Frame]>([
      ['the first one has not come', () => datagram({ destination: b.address, sourcePort: 1 })],
      ['to the outside', () => datagram({ destination: outside, sourcePort: 2 })],
    ])('when %s', (_name, frame) => {
      const [, later] = fragmentsOf(frame(), 1024, 0x7777);
      lost('pod', a.ifindex, later ?? Buffer.alloc(0), 'later-fragment');
    });

    test('when the first one was refused', () => {
      walk.setPolicy({ policy: 9 }, 'deny');
      const closed = walk.addPod(9, { address: '198.51.100.19', policy: 9 });
      const [first, later] = fragmentsOf(datagram({ destination: closed.address }), 1024, 0x7878);
      lost('pod', a.ifindex, first ?? Buffer.alloc(0), 'policy-ingress');
      lost('pod', a.ifindex, later ?? Buffer.alloc(0), 'later-fragment');
    });

    test.each([
      ['of another packet', { id: 0x4321 }],
      ['of another sender', { from: 'b' as const }],
    ])('when the first one was %s', (_name, { id, from }: { id?: number; from?: 'b' }) => {
      const frame = datagram({ destination: a.address });
      const [first] = fragmentsOf({ ...frame, source: b.address, sourceMac: b.mac }, 1024, 0x5151);
      expect(walk.runRaw('pod', b.ifindex, first ?? Buffer.alloc(0)).verdict)
        .toBe(verdicts.redirect);
      const sender = from === 'b' ? a : b;
      const target = from === 'b' ? b : a;
      const [, later] = fragmentsOf(
        datagram({ source: sender.address, sourceMac: sender.mac, destination: target.address }),
        1024,
        id ?? 0x5151,
      );
      lost('pod', sender.ifindex, later ?? Buffer.alloc(0), 'later-fragment');
    });

    test('when they lie over the first one', () => {
      const [first, later] = fragmentsOf(datagram({ destination: b.address }), 1024, 0x6161);
      walk.runRaw('pod', a.ifindex, first ?? Buffer.alloc(0));
      const over = withFragmentField(later ?? Buffer.alloc(0), { offset: 1016, id: 0x6161 });
      lost('pod', a.ifindex, over, 'fragment-overlap');
    });

    test('when they would replace the flags of a TCP header (RFC 1858)', () => {
      const segment = datagram({ destination: b.address, protocol: 'tcp' });
      const [first, later] = fragmentsOf(segment, 24, 0x6262);
      expect(walk.runRaw('pod', a.ifindex, first ?? Buffer.alloc(0)).verdict)
        .toBe(verdicts.redirect);
      const over = withFragmentField(later ?? Buffer.alloc(0), { offset: 8, id: 0x6262 });
      lost('pod', a.ifindex, over, 'fragment-overlap');
    });

    test.each([['tcp', 8], ['tcp', 16]] as const)(
      'when the first one has not the whole header: %s in %d bytes',
      (protocol, size) => {
        const [first, later] = fragmentsOf(datagram({ destination: b.address, protocol }), size);
        lost('pod', a.ifindex, first ?? Buffer.alloc(0), 'first-fragment-tiny');
        expect(later).toBeDefined();
      },
    );

    test('when they end behind the longest packet', () => {
      const [, later] = fragmentsOf(datagram({ destination: b.address }), 1024);
      const behind = withFragmentField(later ?? Buffer.alloc(0), { offset: 65_528 });
      lost('pod', a.ifindex, behind, 'malformed');
    });
  });

  test("on the uplink and on lo those of others are the node's", () => {
    const [, later] = fragmentsOf(
      datagram({ source: outside, sourceMac: b.mac, destination: node }),
      1024,
      0x7979,
    );
    expect(walk.runRaw('uplink', uplink, later ?? Buffer.alloc(0)).verdict).toBe(verdicts.ok);
    expect(walk.runRaw('loopback', 1, later ?? Buffer.alloc(0)).verdict).toBe(verdicts.ok);
  });

  test('a sender of many first fragments displaces only its own', () => {
    const [first, later] = fragmentsOf(datagram({ destination: b.address }), 1024, 0x0101);
    walk.runRaw('pod', a.ifindex, first ?? Buffer.alloc(0));
    const [flood] = fragmentsOf(
      { ...datagram({ destination: a.address }), sourceMac: b.mac, source: b.address },
      1024,
    );
    for (let id = 0; id < 40_000; id += 1) {
      walk.runRaw(
        'pod',
        b.ifindex,
        withFragmentField(flood ?? Buffer.alloc(0), { offset: 0, more: true, id }),
      );
    }
    expect(walk.runRaw('pod', a.ifindex, later ?? Buffer.alloc(0)).verdict)
      .toBe(verdicts.redirect);
  });

  test('a whole packet is no fragment, with or without DF', () => {
    for (const dontFragment of [true, false]) {
      const whole = withFragmentField(buildFrame(datagram({
        destination: b.address,
        payload: Buffer.alloc(100),
      })), { offset: 0, dontFragment });
      expect(walk.runRaw('pod', a.ifindex, whole).verdict).toBe(verdicts.redirect);
    }
  });
});
