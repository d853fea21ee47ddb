/** What the datapath answers itself, how it rewrites, and what it does with bad packets. */
import { parseAddress } from '@contrail/net';
import { missingForLab } from './testing/lab';
import { buildArpRequest, buildFrame, type Frame, readFrame, tcpFlags } from './testing/packet';
import { verdicts, Walk, type WalkPod } from './testing/walk';

const missing = missingForLab();
const describeWalk = missing === undefined ? describe : describe.skip;
const gateway = '198.51.100.1';
const gatewayMac = '00:00:5e:00:01:00';

describeWalk(`answers and rewriting${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let walk: Walk;
  let a: WalkPod;
  let b: WalkPod;
  let uplink: number;

  beforeAll(async () => {
    walk = await Walk.create({ flowCapacity: 1024 });
    walk.setPolicy({ policy: 1 }, 'pass', 1);
    a = walk.addPod(1, { address: '198.51.100.11' });
    b = walk.addPod(2, { address: '198.51.100.12' });
    uplink = walk.globals.uplinkIfindex;
    walk.setNextHop(1, { kind: 'receive' });
    walk.setNextHop(2, { kind: 'gateway' });
    walk.setNextHop(3, { kind: 'composite', memberCount: 2 });
    walk.setNextHop(4, { kind: 'discard' });
    walk.setNextHop(5, { kind: 'fabric', snat: true });
    walk.setRoute(1, gateway, 2);
    walk.setRoute(1, '192.0.2.1', 1);
    walk.setRoute(1, '192.0.2.0/24', 5);
    walk.setRoute(1, '203.0.113.0/24', 4);
  }, 90_000);

  afterAll(() => walk.destroy(), 30_000);

  describe('ARP', () => {
    const ask = (
      sender: string,
      target: string,
      mac = a.mac,
    ): { verdict: number; packet: Buffer } =>
      walk.runRaw('pod', a.ifindex, buildArpRequest({ senderMac: mac, sender, target }));

    test.each([gateway, '198.51.100.12', '192.0.2.77'])('%s is at the gateway MAC', (target) => {
      const { verdict, packet } = ask(a.address, target);
      expect(verdict).toBe(verdicts.redirect);
      expect(packet.toString('hex')).toBe(
        [
          Buffer.from(a.mac).toString('hex'),
          '00005e000100',
          '08060001080006040002',
          '00005e000100',
          Buffer.from(parseAddress(target)).toString('hex'),
          Buffer.from(a.mac).toString('hex'),
          Buffer.from(parseAddress(a.address)).toString('hex'),
        ].join(''),
      );
    });

    test("the pod's own address is not answered: announcements and duplicate detection", () => {
      expect(ask(a.address, a.address).verdict).toBe(verdicts.drop);
      expect(ask('0.0.0.0', a.address).verdict).toBe(verdicts.drop);
      expect(ask('0.0.0.0', gateway).verdict).toBe(verdicts.redirect);
    });

    test('a foreign sender is not answered', () => {
      expect(ask('198.51.100.99', gateway).verdict).toBe(verdicts.drop);
      expect(ask(a.address, gateway, b.mac).verdict).toBe(verdicts.drop);
    });
  });

  test('the gateway answers echo requests, and nothing else', () => {
    const reply = walk.send(a, gateway, {
      protocol: 'icmp',
      sourcePort: 7,
      payload: Buffer.from('abc'),
    });
    expect(reply).toMatchObject({
      verdict: verdicts.redirect,
      source: gateway,
      destination: a.address,
      destinationMac: '02:00:00:00:00:01',
      sourcePort: 7,
      checksumsAreRight: true,
    });
    expect(reply.segment[0]).toBe(0);
    expect(walk.send(a, gateway).verdict).toBe(verdicts.drop);
    expect(walk.dropCount('to-gateway', 1)).toBe(1);
  });

  describe('a service without endpoints', () => {
    beforeAll(() => walk.setService(1, '203.0.113.10', 80, { id: 1 }, []));

    test('resets a new connection', () => {
      const reset = walk.send(a, '203.0.113.10', { payload: Buffer.alloc(100) });
      expect(reset).toMatchObject({
        verdict: verdicts.redirect,
        source: '203.0.113.10',
        destination: a.address,
        sourcePort: 80,
        destinationPort: 40_000,
        flags: tcpFlags.rst | tcpFlags.ack,
        destinationMac: '02:00:00:00:00:01',
        sourceMac: gatewayMac,
        checksumsAreRight: true,
      });
      // The number that acknowledges SYN and payload.
      expect(reset.segment.readUInt32BE(8)).toBe(1000 + 1 + 100);
    });

    test('resets an old connection with the number it expects, and never a reset', () => {
      const reset = walk.send(a, '203.0.113.10', { flags: tcpFlags.ack });
      expect(reset).toMatchObject({ flags: tcpFlags.rst, checksumsAreRight: true });
      expect(walk.send(a, '203.0.113.10', { flags: tcpFlags.rst }).verdict).toBe(verdicts.drop);
    });

    test("tells UDP clients with the datagram's beginning", () => {
      const frame: Partial<Frame> = { protocol: 'udp', payload: Buffer.alloc(500, 1) };
      const error = walk.send(a, '203.0.113.10', frame);
      expect(error).toMatchObject({
        verdict: verdicts.redirect,
        protocol: 1,
        source: '203.0.113.10',
        checksumsAreRight: true,
      });
      expect([...error.segment.subarray(0, 2)]).toEqual([3, 3]);
      const sent = buildFrame({
        sourceMac: a.mac,
        source: a.address,
        destination: '203.0.113.10',
        sourcePort: 40_000,
        destinationPort: 80,
        ...frame,
        protocol: 'udp',
      });
      expect(error.segment.subarray(8)).toEqual(sent.subarray(14, 14 + 28));
    });
  });

  describe('rewriting keeps checksums right', () => {
    beforeAll(() =>
      walk.setService(1, '203.0.113.11', 80, { id: 2 }, [{ address: '198.51.100.12', port: 8080 }])
    );

    test.each(
      [
        ['TCP', { protocol: 'tcp', payload: Buffer.from('odd') }],
        ['UDP', { protocol: 'udp', payload: Buffer.from('odd') }],
        ['UDP without checksum', {
          protocol: 'udp',
          payload: Buffer.from('odd'),
          zeroChecksum: true,
        }],
      ] as const,
    )('%s', (_name, frame) => {
      const out = walk.send(a, '203.0.113.11', { ...frame, sourcePort: 700 });
      expect(out).toMatchObject({
        destination: b.address,
        destinationPort: 8080,
        checksumsAreRight: true,
        ttl: 64,
      });
      const back = walk.send(b, a.address, {
        ...frame,
        flags: tcpFlags.ack,
        sourcePort: 8080,
        destinationPort: 700,
      });
      expect(back).toMatchObject({
        source: '203.0.113.11',
        sourcePort: 80,
        checksumsAreRight: true,
      });
    });

    test('ICMP echo to the outside: the identifier is a port of our range', () => {
      const out = walk.send(a, '192.0.2.200', { protocol: 'icmp', sourcePort: 9 });
      expect(out).toMatchObject({ source: '192.0.2.1', checksumsAreRight: true });
      expect(out.sourcePort).toBeGreaterThanOrEqual(61_000);
      const back = walk.run('uplink', uplink, {
        sourceMac: b.mac,
        source: '192.0.2.200',
        destination: '192.0.2.1',
        protocol: 'icmp',
        type: 0,
        sourcePort: out.sourcePort,
      });
      expect(back).toMatchObject({
        destination: a.address,
        sourcePort: 9,
        checksumsAreRight: true,
      });
    });

    test('an ICMP error about a translated flow, and the packet it quotes', () => {
      const out = walk.send(a, '192.0.2.201', { protocol: 'udp', payload: Buffer.from('x') });
      const quoted = buildFrame({
        sourceMac: b.mac,
        source: '192.0.2.1',
        destination: '192.0.2.201',
        protocol: 'udp',
        sourcePort: out.sourcePort,
        destinationPort: 80,
      }).subarray(14);
      const back = walk.run('uplink', uplink, {
        sourceMac: b.mac,
        source: '192.0.2.254',
        destination: '192.0.2.1',
        protocol: 'icmp',
        type: 3,
        payload: quoted,
      });
      expect(back).toMatchObject({
        verdict: verdicts.redirect,
        source: '192.0.2.254',
        destination: a.address,
        checksumsAreRight: true,
      });
      const inner = readFrame(Buffer.concat([Buffer.alloc(14), back.segment.subarray(8)]));
      expect(inner).toMatchObject({
        source: a.address,
        sourcePort: 40_000,
        destination: '192.0.2.201',
        destinationPort: 80,
      });
    });
  });

  test("an ICMP error about the node's own later fragment reaches the node", () => {
    const quoted = buildFrame({
      sourceMac: b.mac,
      source: '192.0.2.1',
      destination: '192.0.2.201',
      protocol: 'udp',
      sourcePort: 1,
      destinationPort: 2,
    }).subarray(14);
    quoted.writeUInt16BE(0x0010, 6);
    const error = { sourceMac: b.mac, source: '192.0.2.254', destination: '192.0.2.1', type: 3 };
    expect(walk.run('uplink', uplink, { ...error, protocol: 'icmp', payload: quoted }).verdict)
      .toBe(verdicts.ok);
  });

  test('ECMP members are chosen by the 5-tuple, the same for the same connection', () => {
    walk.datapath.composites.upsert([
      [{ nextHop: 3, slot: 0 }, { nextHop: a.nextHop }],
      [{ nextHop: 3, slot: 1 }, { nextHop: b.nextHop }],
    ]);
    const c = walk.addPod(3, { address: '198.51.100.13' });
    walk.setRoute(1, '198.51.100.50', 3);
    const macs = Array.from(
      { length: 32 },
      (_, sourcePort) => walk.send(c, '198.51.100.50', { sourcePort }).destinationMac,
    );
    expect([...new Set(macs)].sort()).toEqual(['02:00:00:00:00:01', '02:00:00:00:00:02']);
  });

  test('only clients inside the source ranges are served', () => {
    walk.setService(1, '203.0.113.12', 80, { id: 3, hasSourceRanges: true }, [{
      address: b.address,
      port: 80,
    }]);
    expect(walk.send(a, '203.0.113.12').verdict).toBe(verdicts.drop);
    expect(walk.dropCount('outside-source-ranges', 1)).toBe(1);
    const prefix = { address: parseAddress('198.51.100.8'), length: 29 };
    walk.datapath.sourceRanges.upsert([[{ service: 3, prefix }, true]]);
    expect(walk.send(a, '203.0.113.12').verdict).toBe(verdicts.redirect);
  });

  describe('the policy entry that decides', () => {
    let nextPod = 100;
    test.each([
      ["the peer's own entries before those of any", 20, 5001, verdicts.drop],
      ['any, where the peer has no entry', 10, 5001, verdicts.redirect],
      ['the longest port prefix', 10, 5004, verdicts.drop],
      ['nothing found denies', 10, 6000, verdicts.drop],
    ])('%s', (_name, identity, port, verdict) => {
      const policy = 50;
      walk.setPolicy({ policy, direction: 'egress' }, 'pass');
      walk.setPolicy(
        { policy, direction: 'ingress', protocol: 6, port: 5000, portLength: 13 },
        'pass',
      );
      walk.setPolicy(
        { policy, direction: 'ingress', protocol: 6, port: 5004, portLength: 16 },
        'deny',
      );
      walk.setPolicy({ policy, direction: 'ingress', peerIdentity: 20 }, 'deny');
      const index = nextPod;
      nextPod += 2;
      const from = walk.addPod(index, { address: `198.51.100.${index}`, identity });
      const to = walk.addPod(index + 1, { address: '198.51.100.99', policy });
      expect(walk.send(from, to.address, { destinationPort: port }).verdict).toBe(verdict);
    });
  });

  describe('the uplink and lo leave alone what is not ours', () => {
    test.each(['tcp', 'udp', 'icmp'] as const)('%s to the node without a flow', (protocol) => {
      const frame = {
        sourceMac: b.mac,
        source: '192.0.2.9',
        destination: '192.0.2.1',
        protocol,
        sourcePort: 1,
        destinationPort: 22,
      };
      expect(walk.run('uplink', uplink, frame)).toMatchObject({ verdict: verdicts.ok, mark: 0 });
      expect(walk.run('loopback', 1, frame)).toMatchObject({ verdict: verdicts.ok, mark: 0 });
    });

    test('a hostPort of the node is not one of hosts behind it', () => {
      walk.setService(2, '0.0.0.0', 30_080, { id: 9, hostPort: true }, [{
        address: a.address,
        port: 80,
        vrf: 1,
      }]);
      const frame = {
        sourceMac: b.mac,
        source: '192.0.2.9',
        protocol: 'tcp' as const,
        sourcePort: 1,
        destinationPort: 30_080,
      };
      expect(walk.run('uplink', uplink, { ...frame, destination: '192.0.2.1' })).toMatchObject({
        verdict: verdicts.redirect,
        destination: a.address,
      });
      expect(walk.run('uplink', uplink, { ...frame, destination: '192.0.2.8' })).toMatchObject({
        verdict: verdicts.ok,
        destination: '192.0.2.8',
      });
    });
  });

  describe('bad packets', () => {
    const good = (): Buffer =>
      buildFrame({
        sourceMac: a.mac,
        source: a.address,
        destination: b.address,
        protocol: 'udp',
        sourcePort: 1,
        destinationPort: 2,
        payload: Buffer.alloc(40),
      });
    const edit = (change: (frame: Buffer) => void): Buffer => {
      const frame = good();
      change(frame);
      return frame;
    };

    /** The same with options, in hexadecimal, padded to whole words. */
    const withOptions = (options: string): Buffer => {
      const bytes = Buffer.from(options.padEnd(Math.ceil(options.length / 8) * 8, '0'), 'hex');
      const frame = Buffer.concat([good().subarray(0, 34), bytes, good().subarray(34)]);
      frame.writeUInt8(0x45 + bytes.length / 4, 14);
      frame.writeUInt16BE(frame.length - 14, 16);
      return frame;
    };

    test.each([
      ['later-fragment', () => edit((frame) => frame.writeUInt16BE(0x0010, 20))],
      ['malformed', () => edit((frame) => frame.writeUInt8(0x41, 14))],
      ['malformed', () => good().subarray(0, 38)],
      ['malformed', () => edit((frame) => frame.writeUInt16BE(1000, 16))],
      ['malformed', () => edit((frame) => frame.writeUInt8(6, 23))],
      ['ip-options-not-served', () => withOptions('94040000')],
      // Strict source route: a node's stack would obey it.
      ['ip-options-not-served', () => withOptions('890703c0000209')],
      ['ipv6-not-served', () => edit((frame) => frame.writeUInt16BE(0x86dd, 12))],
      ['unknown-ethertype', () => edit((frame) => frame.writeUInt16BE(0x88cc, 12))],
      ['not-unicast', () => edit((frame) => frame.writeUInt32BE(0xe0000001, 30))],
      ['not-unicast', () => edit((frame) => frame.writeUInt32BE(0xffffffff, 30))],
      ['not-unicast', () => edit((frame) => frame.writeUInt32BE(0x7f000001, 30))],
      // What a pod sends that joins a group: IGMP, with the router alert option.
      ['not-unicast', () => {
        const frame = withOptions('94040000');
        frame.writeUInt8(2, 23);
        frame.writeUInt32BE(0xe0000016, 30);
        return frame;
      }],
      [
        'discard-route',
        () =>
          edit((frame) =>
            parseAddress('203.0.113.250').forEach((byte, i) => frame.writeUInt8(byte, 30 + i))
          ),
      ],
    ])('%s', (reason, make) => {
      const before = walk.dropCount(reason);
      expect(walk.runRaw('pod', a.ifindex, make()).verdict).toBe(verdicts.drop);
      expect(walk.dropCount(reason)).toBe(before + 1);
    });

    test("a pod's garbage reaches neither the stack nor, unparsed, anybody else", () => {
      let seed = 42;
      const random = (): number => (seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff);
      for (let round = 0; round < 3000; round += 1) {
        const frame = good();
        for (let i = random() % 6; i >= 0; i -= 1) {
          // The addresses stay: what the pod may reach is not the question.
          const at = random() % frame.length;
          if (at < 26 || at > 33) {
            frame.writeUInt8(random() & 0xff, at);
          }
        }
        // A test run takes whole IP headers only.
        const length = 34 + (random() % (frame.length - 33));
        expect([verdicts.drop, verdicts.redirect]).toContain(
          walk.runRaw('pod', a.ifindex, frame.subarray(0, length)).verdict,
        );
      }
    });
  });
});
