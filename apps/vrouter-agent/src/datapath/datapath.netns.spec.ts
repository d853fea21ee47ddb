/** Real packets between network namespaces: what pods, nodes and the outside see. */
import { spawnSync } from 'node:child_process';
import { parseAddress } from '@contrail/net';
import { fabricVrf, gateway, Lab, missingForLab, type Node, type Pod, podVrf } from './testing/lab';
import type { Answer, NetnsPeer } from './testing/netns-peer';

const missing = missingForLab();
const describeLab = missing === undefined ? describe : describe.skip;
const outsideAddress = '192.0.2.100';

/** A greeting of the server `name` that saw the client at `address`. */
const seen = (name: string, address: string): { greeting: unknown } => ({
  greeting: expect.stringMatching(
    new RegExp(`^${name} (::ffff:)?${address.replaceAll('.', '\\.')}:`),
  ),
});

const clientPort = (answer: Answer): number =>
  Number(/:(\d+)(?: \d+)?$/.exec(answer.greeting ?? '')?.[1]);

const run = (netns: string, ...command: string[]): { status: number | null; output: string } => {
  const result = spawnSync('nsenter', [`--net=${netns}`, ...command]);
  return { status: result.status, output: result.stdout.toString() + result.stderr.toString() };
};

const ping = (netns: string, address: string): number | null =>
  run(netns, 'ping', '-c', '1', '-W', '1', address).status;

describeLab(`two nodes with two pods each${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let lab: Lab;
  let one: Node;
  let two: Node;
  let p1a: Pod;
  let p1b: Pod;
  let p2a: Pod;
  let p2b: Pod;
  let outside: NetnsPeer;

  beforeAll(async () => {
    lab = await Lab.create();
    [one, two] = lab.nodes as [Node, Node];
    [p1a, p1b] = one.pods as [Pod, Pod];
    [p2a, p2b] = two.pods as [Pod, Pod];
    outside = lab.outside as NetnsPeer;
    for (const pod of [p1a, p1b, p2a, p2b]) {
      await pod.peer.serveTcp(8080, pod.name);
      await pod.peer.serveUdp(8080, pod.name);
    }
    for (const node of [one, two]) {
      await node.peer.serveTcp(9000, node.name);
      await node.peer.serveUdp(9000, node.name, node.address);
    }
    await outside.serveTcp(7000, 'outside');
    await outside.serveUdp(7000, 'outside');
  }, 240_000);

  afterAll(() => lab.destroy(), 30_000);

  /** The same service on both nodes. */
  const setService: Node['setService'] = (...service) => {
    one.setService(...service);
    two.setService(...service);
  };

  describe('pods reach pods, which see their address', () => {
    test.each([64, 1400, 60_000])('TCP of %d bytes, same node', async (size) => {
      const answer = await p1a.peer.connectTcp(p1b.address, 8080, { size });
      expect(answer).toMatchObject({ echoed: size, ...seen('p1b', p1a.address) });
    });

    test.each([64, 1400, 60_000])('TCP of %d bytes, other node', async (size) => {
      const answer = await p1a.peer.connectTcp(p2a.address, 8080, { size });
      expect(answer).toMatchObject({ echoed: size, ...seen('p2a', p1a.address) });
    });

    test('datagrams, same node and other node', async () => {
      const local = await p1a.peer.sendUdp(p1b.address, 8080, { size: 1400 });
      expect(local).toMatchObject(seen('p1b', p1a.address));
      const remote = await p2b.peer.sendUdp(p1a.address, 8080, { size: 1400 });
      expect(remote).toMatchObject(seen('p1a', p2b.address));
    });

    test('ICMP echo', () => {
      expect(ping(p1a.netns, p1b.address)).toBe(0);
      expect(ping(p1a.netns, p2a.address)).toBe(0);
    });

    test('a closed UDP port is reported at once', async () => {
      expect(await p1a.peer.sendUdp(p1b.address, 9, {})).toMatchObject({ error: 'ECONNREFUSED' });
      expect(await p1a.peer.sendUdp(p2a.address, 9, {})).toMatchObject({ error: 'ECONNREFUSED' });
    });
  });

  test('the gateway answers ARP and ICMP echo', () => {
    run(p1a.netns, 'ip', 'neigh', 'del', gateway, 'dev', 'eth0');
    expect(ping(p1a.netns, gateway)).toBe(0);
    expect(run(p1a.netns, 'ip', 'neigh', 'show', gateway).output).toContain('00:00:5e:00:01:00');
  });

  describe('pods and nodes', () => {
    test('a node reaches its own pods and those of the other node', async () => {
      expect(await one.peer.connectTcp(p1a.address, 8080)).toMatchObject(seen('p1a', one.address));
      expect(await one.peer.sendUdp(p1b.address, 8080)).toMatchObject(seen('p1b', one.address));
      const remote = await one.peer.connectTcp(p2a.address, 8080, { size: 60_000 });
      expect(remote).toMatchObject({ echoed: 60_000, ...seen('p2a', one.address) });
      expect(ping(one.netns, p1a.address)).toBe(0);
      expect(ping(one.netns, p2a.address)).toBe(0);
      expect(ping(one.netns, gateway)).toBe(0);
    });

    test('a pod reaches its own node and the other node, which see its address', async () => {
      const own = await p1a.peer.connectTcp(one.address, 9000, { size: 60_000 });
      expect(own).toMatchObject({ echoed: 60_000, ...seen('n1', p1a.address) });
      expect(await p1a.peer.sendUdp(one.address, 9000)).toMatchObject(seen('n1', p1a.address));
      const other = await p1a.peer.connectTcp(two.address, 9000, { size: 60_000 });
      expect(other).toMatchObject({ echoed: 60_000, ...seen('n2', p1a.address) });
      expect(ping(p1a.netns, one.address)).toBe(0);
      expect(ping(p1a.netns, two.address)).toBe(0);
    });
  });

  describe('services', () => {
    const cluster = '203.0.113.10';

    test('load is spread over local and remote endpoints, which see the client', async () => {
      setService(cluster, 80, [p1b, p2a].map(({ address }) => ({ address, port: 8080 })));
      const names = new Set<string>();
      for (let i = 0; i < 24; i += 1) {
        const answer = await p1a.peer.connectTcp(cluster, 80, { size: 3000 });
        expect(answer).toMatchObject({ echoed: 3000 });
        expect(answer.greeting).toContain(`${p1a.address}:`);
        names.add((answer.greeting ?? '').slice(0, 3));
      }
      expect([...names].sort()).toEqual(['p1b', 'p2a']);
      expect((await p1a.peer.sendUdp(cluster, 80)).greeting).toContain(`${p1a.address}:`);
    });

    test('a node uses services, too', async () => {
      const names = new Set<string>();
      for (let i = 0; i < 24; i += 1) {
        const answer = await one.peer.connectTcp(cluster, 80, { size: 3000 });
        expect(answer).toMatchObject({ echoed: 3000 });
        names.add((answer.greeting ?? '').slice(0, 3));
      }
      expect([...names].sort()).toEqual(['p1b', 'p2a']);
      expect((await one.peer.sendUdp(cluster, 80)).error).toBeUndefined();
    });

    test('with affinity a client stays with one endpoint', async () => {
      setService(
        '203.0.113.11',
        80,
        [p1b, p2a, p2b].map(({ address }) => ({ address, port: 8080 })),
        {
          id: 2,
          affinityTimeoutS: 60,
        },
      );
      const names = new Set<string>();
      for (let i = 0; i < 8; i += 1) {
        names.add(((await p1a.peer.connectTcp('203.0.113.11', 80)).greeting ?? '').slice(0, 3));
      }
      expect(names.size).toBe(1);
    });

    test('a pod that calls its own service is called by the gateway address', async () => {
      setService('203.0.113.12', 80, [{ address: p1a.address, port: 8080 }], { id: 3 });
      const answer = await p1a.peer.connectTcp('203.0.113.12', 80, { size: 60_000 });
      expect(answer).toMatchObject({ echoed: 60_000, ...seen('p1a', gateway) });
      expect(await p1a.peer.sendUdp('203.0.113.12', 80)).toMatchObject(seen('p1a', gateway));
    });

    test('without endpoints clients are refused in milliseconds', async () => {
      setService('203.0.113.13', 80, [], { id: 4 });
      for (const peer of [p1a.peer, one.peer]) {
        for (
          const answer of [
            await peer.connectTcp('203.0.113.13', 80),
            await peer.sendUdp('203.0.113.13', 80),
          ]
        ) {
          expect(answer).toMatchObject({ error: 'ECONNREFUSED' });
          expect(answer.elapsedMs).toBeLessThan(100);
        }
      }
      expect(one.dropCount('service-without-endpoint')).toBeGreaterThanOrEqual(4);
    });

    test('endpoints on nodes: own and other, from pods and from the node', async () => {
      setService('203.0.113.14', 443, [{ address: one.address, port: 9000 }], { id: 5 });
      setService('203.0.113.15', 443, [{ address: two.address, port: 9000 }], { id: 6 });
      for (const node of [one, two]) {
        // From the node itself the backend is looked up in the fabric.
        for (
          const [address, id, target] of [
            ['203.0.113.14', 5, one],
            ['203.0.113.15', 6, two],
          ] as const
        ) {
          const protocol = 6;
          const service = node.datapath.services.get({
            vrf: podVrf,
            address: parseAddress(address),
            protocol,
            port: 443,
          });
          if (service === undefined) {
            throw new Error('no service');
          }
          node.datapath.services.upsert([
            [{ vrf: fabricVrf, address: parseAddress(address), protocol, port: 443 }, {
              ...service,
              id: id + 100,
            }],
          ]);
          node.datapath.backends.upsert([
            [{ service: id + 100, slot: 0 }, {
              address: parseAddress(target.address),
              port: 9000,
              vrf: fabricVrf,
            }],
          ]);
        }
      }
      for (
        const [address, name] of [
          ['203.0.113.14', 'n1'],
          ['203.0.113.15', 'n2'],
        ] as const
      ) {
        const fromPod = await p1a.peer.connectTcp(address, 443, { size: 60_000 });
        expect(fromPod).toMatchObject({ echoed: 60_000, ...seen(name, p1a.address) });
        const fromNode = await one.peer.connectTcp(address, 443, { size: 60_000 });
        expect(fromNode).toMatchObject({ echoed: 60_000 });
        expect(fromNode.greeting).toMatch(new RegExp(`^${name} `));
      }
    });

    test('the same endpoint directly and through its service, from one source port', async () => {
      setService('203.0.113.16', 80, [{ address: p1b.address, port: 8080 }], { id: 7 });
      const options = { localPort: 40_001 };
      const [direct, translated] = await Promise.all([
        p1a.peer.sendUdp(p1b.address, 8080, { localPort: 40_001 }),
        p1a.peer.sendUdp(p1b.address, 8080, { localPort: 40_002 }),
      ]);
      expect(direct).toMatchObject(seen('p1b', p1a.address));
      expect(translated).toMatchObject(seen('p1b', p1a.address));
      const service = await p1a.peer.sendUdp('203.0.113.16', 80, options);
      expect(service).toMatchObject(seen('p1b', p1a.address));
      expect(clientPort(service)).toBeGreaterThanOrEqual(61_000);
    });

    test('an error about a translated flow is translated back', async () => {
      setService('203.0.113.17', 80, [{ address: p2a.address, port: 9 }], { id: 8 });
      expect(await p1a.peer.sendUdp('203.0.113.17', 80)).toMatchObject({ error: 'ECONNREFUSED' });
    });

    test('an unknown port of a service address is dropped with its reason', async () => {
      one.datapath.services.upsert([
        [
          { vrf: podVrf, address: parseAddress(cluster), protocol: 0, port: 0 },
          {
            id: 0,
            slotCount: 0,
            affinityTimeoutS: 0,
            hasSourceRanges: false,
            external: false,
            internalLocalOnly: false,
            externalLocalOnly: false,
            hostPort: false,
          },
        ],
      ]);
      const answer = await p1a.peer.connectTcp(cluster, 81, { timeoutMs: 300 });
      expect(answer).toMatchObject({ error: 'TIMEOUT' });
      expect(ping(p1a.netns, cluster)).not.toBe(0);
      expect(one.dropCount('service-port-unknown')).toBeGreaterThanOrEqual(2);
    });
  });

  test("pods reach the outside with the node's address and a port of our range", async () => {
    const tcp = await p1a.peer.connectTcp(outsideAddress, 7000, { size: 60_000 });
    expect(tcp).toMatchObject({ echoed: 60_000, ...seen('outside', one.address) });
    expect(clientPort(tcp)).toBeGreaterThanOrEqual(61_000);
    const udp = await p2a.peer.sendUdp(outsideAddress, 7000);
    expect(udp).toMatchObject(seen('outside', two.address));
    expect(clientPort(udp)).toBeGreaterThanOrEqual(61_000);
    expect(ping(p1a.netns, outsideAddress)).toBe(0);
    expect(await p1a.peer.sendUdp(outsideAddress, 9)).toMatchObject({ error: 'ECONNREFUSED' });
  });

  describe('hostPort 30080 of p1a', () => {
    beforeAll(() =>
      one.setService('0.0.0.0', 30_080, [{ address: p1a.address, port: 8080 }], {
        id: 20,
        hostPort: true,
      })
    );

    test('from outside, whose address the pod sees', async () => {
      const tcp = await outside.connectTcp(one.address, 30_080, { size: 60_000 });
      expect(tcp).toMatchObject({ echoed: 60_000, ...seen('p1a', outsideAddress) });
      expect(await outside.sendUdp(one.address, 30_080)).toMatchObject(seen('p1a', outsideAddress));
    });

    test.each(['127.0.0.1', '192.0.2.1'])('from the node itself on %s', async (address) => {
      const tcp = await one.peer.connectTcp(address, 30_080, { size: 60_000 });
      expect(tcp).toMatchObject({ echoed: 60_000, ...seen('p1a', gateway) });
      expect(await one.peer.sendUdp(address, 30_080)).toMatchObject(seen('p1a', gateway));
    });

    test('from the other node, and from pods of both', async () => {
      const fromNode = await two.peer.connectTcp(one.address, 30_080, { size: 60_000 });
      expect(fromNode).toMatchObject({ echoed: 60_000, ...seen('p1a', two.address) });
      const neighbour = await p1b.peer.connectTcp(one.address, 30_080, { size: 60_000 });
      expect(neighbour).toMatchObject({ echoed: 60_000, ...seen('p1a', p1b.address) });
      const remote = await p2a.peer.connectTcp(one.address, 30_080, { size: 60_000 });
      expect(remote).toMatchObject({ echoed: 60_000, ...seen('p1a', p2a.address) });
      const own = await p1a.peer.connectTcp(one.address, 30_080, { size: 60_000 });
      expect(own).toMatchObject({ echoed: 60_000, ...seen('p1a', gateway) });
    });

    test('other ports of the node are untouched', async () => {
      expect(await outside.connectTcp(one.address, 9000)).toMatchObject(seen('n1', outsideAddress));
      expect(await outside.connectTcp(one.address, 9999)).toMatchObject({ error: 'ECONNREFUSED' });
      expect(await one.peer.connectTcp('127.0.0.1', 9000)).toMatchObject(seen('n1', '127.0.0.1'));
    });
  });

  describe('what is refused', () => {
    test("a source that is not the pod's is dropped and counted", async () => {
      run(p1a.netns, 'ip', 'addr', 'add', '198.51.100.77/32', 'dev', 'eth0');
      const before = one.dropCount('source-address-spoofed');
      const answer = await p1a.peer.connectTcp(p1b.address, 8080, {
        localAddress: '198.51.100.77',
        timeoutMs: 300,
      });
      expect(answer).toMatchObject({ error: 'TIMEOUT' });
      expect(one.dropCount('source-address-spoofed')).toBeGreaterThan(before);
    });

    test('tunnel packets from a pod, and from an unknown node', async () => {
      await p1a.peer.sendUdp(two.address, 4789, { timeoutMs: 100 });
      await p1a.peer.sendUdp(one.address, 4789, { timeoutMs: 100 });
      expect(one.dropCount('forged-tunnel')).toBe(2);

      // A VXLAN header with a label that exists, and a frame from p2a to p1a.
      const header = Buffer.from('080000000003f200', 'hex');
      const frame = Buffer.from(
        '00005e00010002000000002108004500001c000000004011000000000000000000000000000000080000',
        'hex',
      );
      await outside.sendUdp(one.address, 4789, {
        payload: Buffer.concat([header, frame]).toString('hex'),
        timeoutMs: 100,
      });
      expect(one.dropCount('tunnel-from-unknown-node')).toBe(1);
    });

    test('an interface without policy sends and receives nothing', async () => {
      const key = { ifindex: p1b.ifindex, vlan: 0 };
      const vif = one.datapath.vifs.get(key);
      if (vif === undefined) {
        throw new Error('p1b has no interface');
      }
      one.datapath.vifs.upsert([[key, { ...vif, policy: 0 }]]);
      expect(await p1b.peer.connectTcp(p1a.address, 8080, { timeoutMs: 300 })).toMatchObject({
        error: 'TIMEOUT',
      });
      expect(await p1a.peer.connectTcp(p1b.address, 8080, { timeoutMs: 300 })).toMatchObject({
        error: 'TIMEOUT',
      });
      expect(one.dropCount('interface-not-programmed')).toBeGreaterThan(0);
      expect(one.dropCount('destination-not-programmed')).toBeGreaterThan(0);
      one.datapath.vifs.upsert([[key, vif]]);
      expect(await p1a.peer.connectTcp(p1b.address, 8080)).toMatchObject(seen('p1b', p1a.address));
    });
  });
});
