/** The invariants of the forwarding plane, by single packets through the loaded programs. */
import { parseAddress } from '@contrail/net';
import type { DropEvent, Flow } from './port';
import { missingForLab } from './testing/lab';
import { tcpFlags } from './testing/packet';
import { verdicts, Walk, type WalkPod } from './testing/walk';

const missing = missingForLab();
const describeWalk = missing === undefined ? describe : describe.skip;
const flowCapacity = 64;

const words = (flow: Flow): string =>
  `${flow.zone} ${flow.protocol} ${flow.localAddress.join('.')}:${flow.localPort} ` +
  `${flow.remoteAddress.join('.')}:${flow.remotePort} ${flow.action} [${flow.translation}]`;

describeWalk(`invariants${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let walk: Walk;
  let a: WalkPod;
  let b: WalkPod;
  let uplink: number;
  let host: number;

  beforeAll(async () => {
    walk = await Walk.create({ flowCapacity });
    walk.setPolicy({ policy: 1 }, 'pass', 1);
    a = walk.addPod(1, { address: '198.51.100.11' });
    b = walk.addPod(2, { address: '198.51.100.12' });
    uplink = walk.globals.uplinkIfindex;
    host = walk.globals.hostIfindex;
    walk.setNextHop(1, { kind: 'receive' });
    walk.setNextHop(2, { kind: 'fabric', snat: true });
    walk.setNextHop(3, { kind: 'tunnel', remote: parseAddress('192.0.2.2'), vrf: 1 });
    walk.setRoute(1, '192.0.2.1', 1);
    walk.setRoute(2, '192.0.2.1', 1);
    walk.setRoute(1, '0.0.0.0/0', 2);
    for (const pod of [a, b]) {
      walk.setRoute(2, pod.address, pod.nextHop);
    }
  }, 90_000);

  afterEach(async () => {
    const zones = (await walk.flows()).map(({ zone }) => zone);
    await walk.clear(...new Set(zones));
  });

  afterAll(() => walk.destroy(), 30_000);

  describe('1. VRF first', () => {
    test('two tenants use the same addresses, for pods and for services', async () => {
      const red = [
        walk.addPod(11, { address: a.address, vrf: 7 }),
        walk.addPod(12, { address: b.address, vrf: 7 }),
      ] as const;
      walk.setService(1, '203.0.113.10', 80, { id: 1 }, [{ address: b.address, port: 8080 }]);
      walk.setService(7, '203.0.113.10', 80, { id: 2 }, [{ address: b.address, port: 9090 }]);

      walk.send(a, b.address);
      walk.send(red[0], b.address);
      expect(walk.send(a, '203.0.113.10', { sourcePort: 5 })).toMatchObject({
        destinationPort: 8080,
      });
      expect(walk.send(red[0], '203.0.113.10', { sourcePort: 5 })).toMatchObject({
        destinationPort: 9090,
      });

      const flows = (await walk.flows()).map(words);
      expect(flows).toContain(
        `${a.ifindex} 6 198.51.100.11:40000 198.51.100.12:80 encap ${b.ifindex} []`,
      );
      expect(flows).toContain(
        `${red[0].ifindex} 6 198.51.100.11:40000 198.51.100.12:80 encap ${red[1].ifindex} []`,
      );
      expect(flows).toHaveLength(8);
    });

    test('a backend in another VRF is looked up there', async () => {
      const red = walk.addPod(13, { address: '198.51.100.13', vrf: 7 });
      walk.setService(1, '203.0.113.11', 80, { id: 3 }, [{
        address: red.address,
        port: 80,
        vrf: 7,
      }]);
      walk.send(a, '203.0.113.11');
      expect((await walk.flows()).map(words)).toContain(
        `${red.ifindex} 6 198.51.100.13:80 198.51.100.11:40000 encap ${a.ifindex} ` +
          '[203.0.113.11:80 > 198.51.100.11:40000]',
      );
      expect(
        walk.send(red, a.address, {
          flags: tcpFlags.syn | tcpFlags.ack,
          sourcePort: 80,
          destinationPort: 40_000,
        }),
      ).toMatchObject({
        verdict: verdicts.redirect,
        source: '203.0.113.11',
        destination: a.address,
      });
    });
  });

  describe('2. a flow is one', () => {
    test('both records of two local pods are made and ended together', async () => {
      walk.send(a, b.address);
      expect((await walk.flows()).map(({ zone }) => zone)).toEqual([a.ifindex, b.ifindex]);
      await walk.clear(b.ifindex);
      expect(await walk.flows()).toEqual([]);
    });

    test('the answer uses the record that the question made, without policy of its own', async () => {
      walk.setPolicy({ policy: 2, direction: 'egress' }, 'deny');
      const mute = walk.addPod(21, { address: '198.51.100.21', policy: 2 });
      walk.setPolicy({ policy: 2, direction: 'ingress' }, 'pass', 5);
      walk.send(a, mute.address);
      const answer = {
        flags: tcpFlags.syn | tcpFlags.ack,
        sourcePort: 80,
        destinationPort: 40_000,
      };
      expect(walk.send(mute, a.address, answer).verdict).toBe(verdicts.redirect);
      expect(walk.send(mute, a.address, { sourcePort: 1 }).verdict).toBe(verdicts.drop);
      const flow = (await walk.flows()).find(({ zone }) => zone === a.ifindex);
      expect(flow).toMatchObject({ rule: 5, packetsOut: 1n, packetsIn: 1n, tcpState: 'half-open' });
      walk.send(a, mute.address, { flags: tcpFlags.ack });
      const later = (await walk.flows()).find(({ zone }) => zone === a.ifindex);
      expect(later).toMatchObject({ packetsOut: 2n, tcpState: 'established' });
    });

    test('a SYN over a closing connection begins a new one', async () => {
      walk.setService(1, '203.0.113.12', 80, { id: 4 }, [{ address: b.address, port: 1 }]);
      walk.send(a, '203.0.113.12');
      walk.send(b, a.address, { flags: tcpFlags.syn | tcpFlags.ack, sourcePort: 1, destinationPort: 40_000 });
      walk.setService(1, '203.0.113.12', 80, { id: 4 }, [{ address: b.address, port: 2 }]);
      expect(walk.send(a, '203.0.113.12').destinationPort).toBe(1);
      walk.send(a, '203.0.113.12', { flags: tcpFlags.rst });
      expect(walk.send(a, '203.0.113.12').destinationPort).toBe(2);
      expect(await walk.flows()).toHaveLength(2);
    });

    test('the same connection directly and translated: the second gets another source port', async () => {
      walk.setService(1, '203.0.113.14', 80, { id: 6 }, [{ address: b.address, port: 80 }]);
      walk.send(a, b.address);
      const second = walk.send(a, '203.0.113.14');
      expect(second).toMatchObject({ verdict: verdicts.redirect, checksumsAreRight: true });
      expect(second.sourcePort).toBeGreaterThanOrEqual(61_000);
      const answer = walk.send(b, a.address, {
        flags: tcpFlags.syn | tcpFlags.ack,
        sourcePort: 80,
        destinationPort: second.sourcePort,
      });
      expect(answer).toMatchObject({
        source: '203.0.113.14',
        sourcePort: 80,
        destinationPort: 40_000,
      });
      expect(await walk.flows()).toHaveLength(4);
    });
  });

  describe('3. closed until programmed', () => {
    test('an interface without a policy drops, and so does one that is unknown', () => {
      const closed = walk.addPod(31, { address: '198.51.100.31', policy: 0 });
      expect(walk.send(closed, a.address).verdict).toBe(verdicts.drop);
      expect(walk.send(a, closed.address).verdict).toBe(verdicts.drop);
      expect(walk.dropCount('interface-not-programmed', 1)).toBe(1);
      expect(walk.dropCount('destination-not-programmed', 1)).toBe(1);
      expect(walk.send({ ...a, ifindex: uplink }, b.address).verdict).toBe(verdicts.drop);
      expect(walk.dropCount('interface-not-programmed', 0)).toBe(1);
    });

    test('a policy without entries passes nothing', () => {
      const silent = walk.addPod(32, { address: '198.51.100.32', policy: 99 });
      expect(walk.send(silent, a.address).verdict).toBe(verdicts.drop);
      expect(walk.send(a, silent.address).verdict).toBe(verdicts.drop);
      expect(walk.dropCount('policy-ingress')).toBeGreaterThan(0);
    });
  });

  test('5. a full table refuses new flows and keeps those it has', async () => {
    walk.send(a, b.address, { sourcePort: 1 });
    const refused: number[] = [];
    for (let port = 2; port <= flowCapacity; port += 1) {
      if (walk.send(a, b.address, { sourcePort: port }).verdict === verdicts.drop) {
        refused.push(port);
      }
    }
    expect(refused.length).toBeGreaterThan(0);
    expect(walk.dropCount('flow-table-full', 1)).toBe(refused.length);
    expect(walk.send(a, b.address, { sourcePort: 1, flags: tcpFlags.ack }).verdict).toBe(
      verdicts.redirect,
    );
    // No half connection is left: every record has its other half.
    const flows = await walk.flows();
    expect(flows.filter(({ zone }) => zone === a.ifindex)).toHaveLength(flows.length / 2);
  });

  test('6. every drop is counted by reason and VRF, and told with the rule that decided', async () => {
    const events: DropEvent[] = [];
    walk.datapath.onDrop((event) => events.push(event));
    walk.setPolicy({ policy: 3 }, 'pass');
    walk.setPolicy(
      { policy: 3, direction: 'egress', protocol: 6, port: 8000, portLength: 13 },
      'deny',
      77,
    );
    const pod = walk.addPod(61, { address: '198.51.100.61', policy: 3 });
    for (let i = 0; i < 30; i += 1) {
      walk.send(pod, a.address, { destinationPort: 8007, sourcePort: 1000 + i });
    }
    expect(walk.send(pod, a.address, { destinationPort: 8008 }).verdict).toBe(verdicts.redirect);
    expect(walk.dropCount('policy-egress', 1)).toBeGreaterThanOrEqual(30);
    await new Promise((resolve) => setTimeout(resolve, 250));
    const own = events.filter(({ rule }) => rule === 77);
    expect(own[0]).toMatchObject({
      reasonName: 'policy-egress',
      vrf: 1,
      ifindex: pod.ifindex,
      protocol: 6,
      source: parseAddress(pod.address),
      destination: parseAddress(a.address),
      destinationPort: 8007,
    });
    expect(Math.abs((own[0]?.timeMs ?? 0) - Date.now())).toBeLessThan(5000);
    // At most ten a second are told; two seconds may be touched.
    expect(own.length).toBeLessThanOrEqual(20);
  });

  test('7. a new generation judges live flows again and keeps their translation', async () => {
    walk.setPolicy({ policy: 4 }, 'pass', 1);
    const pod = walk.addPod(71, { address: '198.51.100.71', policy: 4 });
    walk.setService(1, '203.0.113.15', 80, { id: 7 }, [{ address: pod.address, port: 8080 }]);
    walk.send(a, '203.0.113.15');
    walk.setService(1, '203.0.113.15', 80, { id: 7 }, [{ address: b.address, port: 9 }]);
    const next = { flags: tcpFlags.ack };
    walk.setPolicy(
      { policy: 4, direction: 'ingress', protocol: 6, port: 8080, portLength: 16 },
      'pass',
      2,
    );
    walk.setGlobals({ generation: 2 });
    expect(walk.send(a, '203.0.113.15', next)).toMatchObject({
      verdict: verdicts.redirect,
      destinationPort: 8080,
    });
    expect((await walk.flows())[0]).toMatchObject({ generation: 2, rule: 2 });

    walk.setPolicy(
      { policy: 4, direction: 'ingress', protocol: 6, port: 8080, portLength: 16 },
      'deny',
      3,
    );
    walk.setGlobals({ generation: 3 });
    // Also when the answering side sends first.
    const answer = { flags: tcpFlags.ack, sourcePort: 8080, destinationPort: 40_000 };
    expect(walk.send(pod, a.address, answer).verdict).toBe(verdicts.drop);
    expect(await walk.flows()).toEqual([]);
  });

  describe('8. the node is an interface', () => {
    test('it reaches a pod whose policy denies all ingress; the answer goes to its stack, marked', async () => {
      walk.setPolicy({ policy: 5 }, 'deny');
      const pod = walk.addPod(81, { address: '198.51.100.81', policy: 5 });
      walk.setRoute(2, pod.address, pod.nextHop);
      const mac = Uint8Array.of(2, 0, 0, 0, 0, 99);
      const probe = {
        sourceMac: mac,
        source: '192.0.2.1',
        destination: pod.address,
        protocol: 'tcp' as const,
        sourcePort: 40_000,
        destinationPort: 80,
      };
      expect(walk.run('host', host, probe)).toMatchObject({
        verdict: verdicts.redirect,
        destinationMac: '02:00:00:00:00:51',
      });
      const answer = walk.send(pod, '192.0.2.1', {
        flags: tcpFlags.syn | tcpFlags.ack,
        sourcePort: 80,
        destinationPort: 40_000,
      });
      expect(answer).toMatchObject({ verdict: verdicts.ok, mark: 0x0ce00000 });
      expect((await walk.flows()).map(words)).toEqual([
        `${pod.ifindex} 6 198.51.100.81:80 192.0.2.1:40000 receive []`,
      ]);
    });

    test('what it only forwards for others is not its own: refused, in new and in live flows', () => {
      const forwarded = (source: string) =>
        walk.run(
          'host',
          host,
          {
            sourceMac: Uint8Array.of(2, 0, 0, 0, 0, 99),
            source,
            destination: a.address,
            protocol: 'tcp',
            sourcePort: 40_000,
            destinationPort: 80,
            flags: tcpFlags.ack,
          },
          { ingressIfindex: uplink },
        ).verdict;
      expect(forwarded('192.0.2.99')).toBe(verdicts.drop);
      expect(walk.send(a, '192.0.2.1', { sourcePort: 80, destinationPort: 40_000 }).verdict)
        .toBe(verdicts.ok);
      expect(forwarded('192.0.2.1')).toBe(verdicts.drop);
      expect(walk.dropCount('forwarded-by-node', 2)).toBe(2);
    });

    test('what it calls on a service is translated and answered', async () => {
      walk.setService(2, '203.0.113.16', 80, { id: 8 }, [{ address: b.address, port: 8080 }]);
      const mac = Uint8Array.of(2, 0, 0, 0, 0, 99);
      const call = walk.run('host', host, {
        sourceMac: mac,
        source: '192.0.2.1',
        destination: '203.0.113.16',
        protocol: 'tcp',
        sourcePort: 40_000,
        destinationPort: 80,
      });
      expect(call).toMatchObject({
        verdict: verdicts.redirect,
        destination: b.address,
        destinationPort: 8080,
        checksumsAreRight: true,
      });
      const answer = walk.send(b, '192.0.2.1', {
        flags: tcpFlags.syn | tcpFlags.ack,
        sourcePort: 8080,
        destinationPort: 40_000,
      });
      expect(answer).toMatchObject({
        verdict: verdicts.ok,
        source: '203.0.113.16',
        sourcePort: 80,
        checksumsAreRight: true,
      });
    });
  });

  describe('11. no spoofing', () => {
    test('a foreign source address or MAC is dropped, in new and in live flows', () => {
      const foreign = Uint8Array.of(2, 9, 9, 9, 9, 9);
      expect(walk.send(a, b.address, { source: '198.51.100.99' }).verdict).toBe(verdicts.drop);
      expect(walk.dropCount('source-address-spoofed', 1)).toBe(1);
      expect(walk.send(a, b.address, { sourceMac: foreign }).verdict).toBe(verdicts.drop);
      walk.send(a, b.address);
      expect(walk.send(a, b.address, { sourceMac: foreign, flags: tcpFlags.ack }).verdict).toBe(
        verdicts.drop,
      );
      expect(walk.dropCount('source-mac-spoofed', 1)).toBe(2);
    });

    test('without port security both pass', () => {
      const open = walk.addPod(111, { address: '198.51.100.111', portSecurity: false });
      const foreign = { source: '198.51.100.99', sourceMac: Uint8Array.of(2, 9, 9, 9, 9, 9) };
      expect(walk.send(open, b.address, foreign).verdict).toBe(verdicts.redirect);
      expect(walk.send(open, b.address, { ...foreign, flags: tcpFlags.ack }).verdict).toBe(
        verdicts.redirect,
      );
    });
  });

  describe('12. no forged tunnels', () => {
    test('a pod cannot send to the tunnel port of a node or of the underlay', () => {
      const tunnel = { protocol: 'udp' as const, destinationPort: 4789 };
      expect(walk.send(a, '192.0.2.1', tunnel).verdict).toBe(verdicts.drop);
      expect(walk.send(a, '192.0.2.7', tunnel).verdict).toBe(verdicts.drop);
      expect(walk.dropCount('forged-tunnel', 1)).toBe(2);
      expect(walk.send(a, b.address, tunnel).verdict).toBe(verdicts.redirect);
    });

    test('what did not come from a known node is dropped', () => {
      const inner = {
        sourceMac: b.mac,
        source: '198.51.100.50',
        destination: a.address,
        protocol: 'udp' as const,
      };
      expect(walk.run('tunnel', walk.globals.tunnelIfindex, inner).verdict).toBe(verdicts.drop);
      expect(walk.dropCount('tunnel-from-unknown-node')).toBe(1);
    });
  });

  describe('13. SNAT ports', () => {
    test("come from their range, outside of the kernel's own, and answers come back", () => {
      const sent = walk.send(a, '192.0.2.200');
      expect(sent).toMatchObject({
        verdict: verdicts.redirect,
        source: '192.0.2.1',
        checksumsAreRight: true,
      });
      expect(sent.sourcePort).toBeGreaterThanOrEqual(61_000);
      const answer = walk.run('uplink', uplink, {
        sourceMac: b.mac,
        source: '192.0.2.200',
        destination: '192.0.2.1',
        protocol: 'tcp',
        sourcePort: 80,
        destinationPort: sent.sourcePort,
        flags: tcpFlags.syn | tcpFlags.ack,
      });
      expect(answer).toMatchObject({
        verdict: verdicts.redirect,
        destination: a.address,
        destinationPort: 40_000,
        checksumsAreRight: true,
      });
    });

    test('are refused with a reason when none is free; other destinations are not touched', () => {
      walk.setGlobals({ snatPortMin: 61_000, snatPortMax: 61_001 });
      const results = [1, 2, 3].map((sourcePort) =>
        walk.send(a, '192.0.2.200', { sourcePort }).verdict
      );
      expect(results).toEqual([verdicts.redirect, verdicts.redirect, verdicts.drop]);
      expect(walk.dropCount('snat-ports-exhausted', 1)).toBe(1);
      expect(walk.send(a, '192.0.2.201').verdict).toBe(verdicts.redirect);
      walk.setGlobals({ snatPortMin: 61_000, snatPortMax: 65_535 });
    });

    test('a sender without a label is dropped instead of being taken for another', () => {
      walk.setRoute(1, '198.51.100.200', 3);
      expect(walk.send(a, '198.51.100.200').verdict).toBe(verdicts.drop);
      expect(walk.dropCount('no-label-for-identity', 1)).toBe(1);
    });
  });
});
