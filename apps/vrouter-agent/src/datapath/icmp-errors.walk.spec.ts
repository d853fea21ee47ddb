/** ICMP errors reach who sent the packet they quote, in the terms of that packet. */
import { missingForLab } from './testing/lab';
import { buildFrame, type Frame, readFrame, type Seen, tcpFlags } from './testing/packet';
import { verdicts, Walk, type WalkPod } from './testing/walk';

const missing = missingForLab();
const describeWalk = missing === undefined ? describe : describe.skip;
const gateway = '198.51.100.1';
const node = '192.0.2.1';
const outside = '192.0.2.200';
const router = '192.0.2.254';
const service = '203.0.113.10';
const macOfRouter = Uint8Array.of(2, 0, 0, 0, 0, 0xfe);

const errors = [
  ['port unreachable', 3, 3],
  ['fragmentation needed', 3, 4],
  ['time exceeded', 11, 0],
  ['parameter problem', 12, 0],
] as const;

describeWalk(`ICMP errors${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let walk: Walk;
  let a: WalkPod;
  let b: WalkPod;
  let uplink: number;
  let nextPort = 5000;

  beforeAll(async () => {
    walk = await Walk.create({ flowCapacity: 4096 });
    walk.setPolicy({ policy: 1 }, 'pass', 1);
    a = walk.addPod(1, { address: '198.51.100.11' });
    b = walk.addPod(2, { address: '198.51.100.12' });
    uplink = walk.globals.uplinkIfindex;
    walk.setNextHop(1, { kind: 'receive' });
    walk.setNextHop(5, { kind: 'fabric', snat: true });
    walk.setRoute(1, node, 1);
    walk.setRoute(2, b.address, b.nextHop);
    walk.setRoute(1, '192.0.2.0/24', 5);
    walk.setService(1, service, 53, { id: 1 }, [{ address: b.address, port: 5353 }]);
    walk.setService(2, service, 53, { id: 3 }, [{ address: b.address, port: 5353, vrf: 1 }]);
    walk.setService(2, '0.0.0.0', 30_053, { id: 2, hostPort: true }, [
      { address: b.address, port: 5353, vrf: 1 },
    ]);
  }, 180_000);

  afterAll(() => walk.destroy(), 30_000);

  const from = (pod: WalkPod, frame: Partial<Frame> & { destination: string }): Frame => ({
    sourceMac: pod.mac,
    source: pod.address,
    protocol: 'udp',
    sourcePort: 4000,
    destinationPort: 53,
    payload: Buffer.from('hello!'),
    ...frame,
  });
  const fromOutside = (frame: Partial<Frame>): Frame => ({
    ...from(a, { destination: node }),
    sourceMac: macOfRouter,
    source: outside,
    ...frame,
  });

  /** What of a seen packet an error about it quotes. */
  const quote = (seen: Seen): Buffer => {
    const protocol = ({ 1: 'icmp', 6: 'tcp', 17: 'udp' } as const)[seen.protocol as 1 | 6 | 17];
    return buildFrame({
      sourceMac: macOfRouter,
      source: seen.source,
      destination: seen.destination,
      protocol,
      sourcePort: seen.sourcePort,
      destinationPort: seen.destinationPort,
      flags: seen.flags,
      type: seen.segment.readUInt8(0),
      zeroChecksum: protocol === 'udp' && seen.segment.readUInt16BE(6) === 0,
      payload: seen.segment.subarray(protocol === 'tcp' ? 20 : 8),
    }).subarray(14);
  };

  interface Report {
    readonly hook: 'pod' | 'uplink' | 'host';
    readonly ifindex: number;
    readonly reporter: string;
    readonly mac: Uint8Array;
  }

  /** The error about a packet as it was seen, sent by `reporter`; the answer and what it quotes. */
  const report = (
    seen: Seen,
    { hook, ifindex, reporter, mac }: Report,
    options: { type?: number; code?: number; quoted?: Buffer } = {},
  ) => {
    const { type = 3, code = 3, quoted = quote(seen) } = options;
    const answer = walk.run(hook, ifindex, {
      sourceMac: mac,
      source: reporter,
      destination: seen.source,
      protocol: 'icmp',
      type,
      code,
      sequence: code === 4 ? 1400 : 0,
      payload: quoted,
    });
    const whole = Buffer.concat([Buffer.alloc(14), answer.segment.subarray(8)]);
    return { answer, inner: readFrame(whole) };
  };

  const byPod = (pod: WalkPod): Report => ({
    hook: 'pod',
    ifindex: pod.ifindex,
    reporter: pod.address,
    mac: pod.mac,
  });
  const byRouter = (): Report => ({
    hook: 'uplink',
    ifindex: uplink,
    reporter: router,
    mac: macOfRouter,
  });

  /** A new flow for each case. */
  const port = (): number => (nextPort += 1);

  describe.each(errors)('%s', (_name, type, code) => {
    test.each(['udp', 'tcp'] as const)('about %s to a service', (protocol) => {
      const sourcePort = port();
      const seen = walk.run(
        'pod',
        a.ifindex,
        from(a, { destination: service, protocol, sourcePort }),
      );
      const { answer, inner } = report(seen, byPod(b), { type, code });
      expect(answer).toMatchObject({
        verdict: verdicts.redirect,
        source: service,
        destination: a.address,
        destinationMac: '02:00:00:00:00:01',
        checksumsAreRight: true,
      });
      expect([...answer.segment.subarray(0, 2)]).toEqual([type, code]);
      expect(answer.segment.readUInt16BE(6)).toBe(code === 4 ? 1400 : 0);
      expect(inner).toMatchObject({
        source: a.address,
        sourcePort,
        destination: service,
        destinationPort: 53,
        checksumsAreRight: true,
      });
    });

    test.each(['udp', 'tcp', 'icmp'] as const)(
      'from a router about %s to the outside',
      (protocol) => {
        const sourcePort = port();
        const seen = walk.run(
          'pod',
          a.ifindex,
          from(a, { destination: outside, protocol, sourcePort }),
        );
        expect(seen.source).toBe(node);
        const { answer, inner } = report(seen, byRouter(), { type, code });
        expect(answer).toMatchObject({
          verdict: verdicts.redirect,
          source: router,
          destination: a.address,
          destinationMac: '02:00:00:00:00:01',
          checksumsAreRight: true,
        });
        expect(inner).toMatchObject({
          source: a.address,
          sourcePort,
          destination: outside,
          checksumsAreRight: true,
        });
      },
    );
  });

  test('about a connection to a hostPort, to the client outside', () => {
    const sourcePort = port();
    const seen = walk.run('uplink', uplink, fromOutside({ sourcePort, destinationPort: 30_053 }));
    const { answer, inner } = report(seen, byPod(b));
    expect(answer).toMatchObject({ source: node, destination: outside, checksumsAreRight: true });
    expect(inner).toMatchObject({
      source: outside,
      sourcePort,
      destination: node,
      destinationPort: 30_053,
      checksumsAreRight: true,
    });
  });

  test("about a hostPort's answer, from a router to the pod", () => {
    const destinationPort = port();
    walk.run(
      'uplink',
      uplink,
      fromOutside({ sourcePort: destinationPort, destinationPort: 30_053 }),
    );
    const seen = walk.run(
      'pod',
      b.ifindex,
      from(b, { destination: outside, sourcePort: 5353, destinationPort }),
    );
    expect(seen).toMatchObject({ source: node, sourcePort: 30_053 });
    const { answer, inner } = report(seen, byRouter(), { type: 3, code: 4 });
    expect(answer).toMatchObject({
      source: router,
      destination: b.address,
      checksumsAreRight: true,
    });
    expect(inner).toMatchObject({
      source: b.address,
      sourcePort: 5353,
      destination: outside,
      destinationPort,
      checksumsAreRight: true,
    });
  });

  test('about a pod that reached itself through its service', () => {
    const sourcePort = port();
    const seen = walk.run('pod', b.ifindex, from(b, { destination: service, sourcePort }));
    expect(seen).toMatchObject({ source: gateway, destination: b.address });
    const { answer, inner } = report(seen, byPod(b));
    expect(answer).toMatchObject({
      source: service,
      destination: b.address,
      checksumsAreRight: true,
    });
    expect(inner).toMatchObject({
      source: b.address,
      sourcePort,
      destination: service,
      destinationPort: 53,
      checksumsAreRight: true,
    });
  });

  test('about what the node sent to a service', () => {
    const sourcePort = port();
    const host = walk.globals.hostIfindex;
    const seen = walk.run(
      'host',
      host,
      from(a, { source: node, destination: service, sourcePort }),
    );
    const { answer, inner } = report(seen, byPod(b));
    expect(answer).toMatchObject({
      verdict: verdicts.ok,
      mark: 0x0ce00000,
      source: service,
      destination: node,
      checksumsAreRight: true,
    });
    expect(inner).toMatchObject({ source: node, destination: service, checksumsAreRight: true });
  });

  test('a UDP packet without checksum is quoted without one', () => {
    const frame = from(a, { destination: service, zeroChecksum: true, sourcePort: port() });
    const seen = walk.run('pod', a.ifindex, frame);
    const { answer, inner } = report(seen, byPod(b));
    expect(answer.checksumsAreRight).toBe(true);
    expect(inner.segment.readUInt16BE(6)).toBe(0);
    expect(inner.destinationPort).toBe(53);
  });

  test('eight quoted bytes of TCP are enough', () => {
    const frame = from(a, { destination: service, protocol: 'tcp', sourcePort: port() });
    const seen = walk.run('pod', a.ifindex, frame);
    const { answer } = report(seen, byPod(b), { quoted: quote(seen).subarray(0, 28) });
    expect(answer).toMatchObject({ source: service, checksumsAreRight: true });
    expect(answer.segment.readUInt16BE(8 + 22)).toBe(53);
  });

  describe('are dropped', () => {
    const lost = (reason: string, run: () => { verdict: number }): void => {
      const before = walk.dropCount(reason);
      expect(run().verdict).toBe(verdicts.drop);
      expect(walk.dropCount(reason)).toBe(before + 1);
    };
    const seenByB = (): Seen =>
      walk.run('pod', a.ifindex, from(a, { destination: service, sourcePort: port() }));

    test('about packets that nobody sent', () => {
      const unknown = readFrame(buildFrame(from(a, { destination: b.address, sourcePort: 9 })));
      lost('icmp-error-unrelated', () => report(unknown, byPod(b)).answer);
    });

    test('about later fragments, whose flow is not known', () => {
      const seen = seenByB();
      const quoted = quote(seen);
      quoted.writeUInt16BE(0x0010, 6);
      lost('icmp-error-unrelated', () => report(seen, byPod(b), { quoted }).answer);
    });

    test('about packets that another interface received', () => {
      const c = walk.addPod(7, { address: '198.51.100.17' });
      lost('icmp-error-unrelated', () => report(seenByB(), byPod(c)).answer);
    });

    test('when they quote too little', () => {
      const seen = seenByB();
      lost('malformed', () =>
        walk.runRaw(
          'pod',
          b.ifindex,
          buildFrame({
            ...from(b, { destination: a.address }),
            protocol: 'icmp',
            type: 3,
            code: 3,
            payload: quote(seen).subarray(0, 24),
          }),
        ));
    });
  });

  test("on the uplink those about others' packets are the node's", () => {
    const seen = readFrame(buildFrame(fromOutside({ source: node, destination: outside })));
    expect(report(seen, byRouter()).answer.verdict).toBe(verdicts.ok);
  });

  test('an established connection lives on after one', () => {
    const sourcePort = port();
    const frame = from(a, { destination: service, protocol: 'tcp', sourcePort });
    const seen = walk.run('pod', a.ifindex, frame);
    report(seen, byPod(b), { type: 3, code: 4 });
    expect(walk.run('pod', a.ifindex, { ...frame, flags: tcpFlags.ack })).toMatchObject({
      verdict: verdicts.redirect,
      destination: b.address,
    });
  });
});
