/** Two tenants with the same addresses, on one node and across nodes: real sockets, ports that collide. */
import { hops, missingForLab, type Pod, podVrf } from './testing/lab';
import type { Answer, NetnsPeer } from './testing/netns-peer';
import { fragmentsOf } from './testing/packet';
import { runInNetns } from './testing/run-in-netns';
import { sendFrames } from './testing/send-frames';
import { createTenantsLab, serverPort, sharedService, type Tenant, type TenantsLab, tenantService } from './testing/tenants-lab';

const missing = missingForLab();
const describeLab = missing === undefined ? describe : describe.skip;
const protocols = ['connectTcp', 'sendUdp'] as const;

/** Name of the server, and the client as it saw it. */
const heard = ({ greeting = '', error }: Answer): string => error ?? greeting.replace('::ffff:', '').split(' ').slice(0, 2).join(' ');

describeLab(`two tenants with equal addresses${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let setup: TenantsLab;
  let tenants: readonly [Tenant, Tenant];

  /** Of clients of both tenants at once. Each test has its own: one pod asked twice from one port is another story. */
  let localPort = 5000;

  /** Both tenants do the same at the same time; what each heard. */
  const both = (act: (tenant: Tenant) => Promise<Answer>): Promise<string[]> =>
    Promise.all(tenants.map(async (tenant) => heard(await act(tenant))));
  const names = (letter: string, client: (tenant: Tenant) => string): string[] =>
    tenants.map((tenant) => `${tenant.name}${letter} ${client(tenant)}:${localPort}`);

  beforeAll(async () => {
    setup = await createTenantsLab();
    tenants = [setup.red, setup.blue];
  }, 240_000);

  beforeEach(() => {
    localPort += 100;
  });

  afterAll(() => setup.lab.destroy(), 60_000);

  describe.each(protocols)('%s', (protocol) => {
    const call = (pod: Pod, address: string, port: number): Promise<Answer> => pod.peer[protocol](address, port, { localPort, size: 1000 });

    test.each([['one node', 'b'], ['two nodes', 'c']] as const)('each reaches its own pods by their own addresses: %s', async (_where, letter) => {
      const answers = await both((tenant) => call(tenant.a, tenant[letter].address, serverPort));
      expect(answers).toEqual(names(letter, ({ a }) => a.address));
    });

    test.each([['one node', 'b'], ['two nodes', 'c']] as const)('and by their alias addresses: %s', async (_where, letter) => {
      const answers = await both((tenant) => call(tenant.a, tenant.alias[letter], serverPort));
      expect(answers).toEqual(names(letter, ({ alias }) => alias.a));
    });

    test('and its own service, which both have under the same address', async () => {
      const seen = new Set<string>();
      for (let port = localPort; port < localPort + 16; port += 1) {
        const answers = await both(({ a }) => a.peer[protocol](tenantService.address, tenantService.port, { localPort: port }));
        for (const [i, answer] of answers.entries()) {
          const { name, alias } = tenants[i] as Tenant;
          expect(answer).toMatch(new RegExp(`^${name}[bc] ${alias.a}:${port}$`));
          seen.add(answer.split(' ')[0] ?? '');
        }
      }
      expect([...seen].sort()).toEqual(['blueb', 'bluec', 'redb', 'redc']);
    });

    test('its own pods are reached from the nodes, from shared pods by a service, and by no other tenant', async () => {
      for (const node of [setup.one, setup.two]) {
        for (const tenant of tenants) {
          for (const letter of ['b', 'c'] as const) {
            const answer = await node.peer[protocol](tenant.alias[letter], serverPort, { size: 100 });
            expect(heard(answer)).toMatch(new RegExp(`^${tenant.name}${letter} ${node.address}:`));
          }
        }
      }
      const [shared] = setup.one.pods as [Pod];
      expect(heard(await call(shared, sharedService.address, sharedService.port))).toMatch(new RegExp(`^red[bc] ${shared.address}:`));
      const foreign = await setup.red.a.peer[protocol](setup.blue.alias.b, serverPort, { timeoutMs: 300 });
      expect(foreign).toMatchObject({ error: 'TIMEOUT' });
      expect(setup.one.dropCount('no-route')).toBeGreaterThan(0);
    });
  });

  test('datagrams in fragments, there and back, at the same time', async () => {
    for (const letter of ['b', 'c'] as const) {
      for (const size of [3000, 30_000]) {
        const options = { localPort, size, echo: true, timeoutMs: 5000 };
        const answers = await Promise.all(tenants.map(({ a, [letter]: to }) => a.peer.sendUdp(to.address, serverPort, options)));
        expect(answers.map(heard)).toEqual(names(letter, ({ a }) => a.address));
        expect(answers.map(({ echoed }) => echoed)).toEqual([size, size]);
      }
    }
  });

  test('fragments of equal addresses and ids to one receiver follow the first one of their own sender', async () => {
    const receiver = setup.two.pods[0] as Pod;
    const clients = tenants.map(({ a, vrf }, i) => {
      setup.one.setRoute(receiver.address, hops.tunnelPods, [vrf]);
      const frame = { sourceMac: a.mac, source: a.address, destination: receiver.address, protocol: 'udp' as const };
      return { pod: a, parts: fragmentsOf({ ...frame, sourcePort: 6000 + i, destinationPort: serverPort, payload: Buffer.alloc(3000, i) }, 1024, 0x4711) };
    });
    const before = setup.two.dropCount('later-fragment');
    // Both first ones, then both second ones.
    for (const index of [0, 1, 2]) {
      for (const { pod, parts } of clients) sendFrames(pod.netns, 'eth0', parts.slice(index, index + 1));
    }
    const packets = async (): Promise<bigint[]> => {
      const found: bigint[] = [];
      for await (const batch of setup.two.datapath.flows()) {
        for (const flow of batch) if (flow.zone === receiver.ifindex && flow.remotePort >= 6000 && flow.remotePort < 6002) found.push(flow.packetsIn);
      }
      return found;
    };
    expect(await packets()).toEqual([3n, 3n]);
    expect(setup.two.dropCount('later-fragment')).toBe(before);
  });

  test('a closed port is reported to who asked it, while the other tenant has that port open', async () => {
    for (const letter of ['b', 'c'] as const) {
      await setup.red[letter].peer.serveUdp(9001, `red${letter}`);
      const answers = await both(({ a, [letter]: to }) => a.peer.sendUdp(to.address, 9001, { localPort }));
      expect(answers).toEqual([`red${letter} ${setup.red.a.address}:${localPort}`, 'ECONNREFUSED']);
    }
  });

  describe('a UDP server on all addresses answers from the one that was asked', () => {
    /** Of the shared network, joined with the red one: knows its pods by their own addresses. */
    let joined: Pod;

    beforeAll(() => {
      joined = setup.one.pods[0] as Pod;
      const { b, c, vrf } = setup.red;
      setup.one.setRoute(b.address, b.nextHop, [podVrf]);
      setup.one.setRoute(c.address, 200 + vrf, [podVrf]);
    });

    test.each([['one node', 'b'], ['two nodes', 'c']] as const)('to clients of a joined network: %s', async (_where, letter) => {
      const server = setup.red[letter];
      for (const size of [100, 8000]) {
        const answer = await joined.peer.sendUdp(server.address, serverPort, { localPort, size, echo: true });
        expect([heard(answer), answer.echoed]).toEqual([`${server.name} ${joined.address}:${localPort}`, size]);
      }
    });

    test.each([['one node', 'b'], ['two nodes', 'c']] as const)('to clients of its network that are bound to the other address: %s', async (_where, letter) => {
      const answers = await both(({ a, alias }) => a.peer.sendUdp(alias[letter], serverPort, { localPort, localAddress: a.address }));
      expect(answers).toEqual(names(letter, ({ a }) => a.address));
      localPort += 1;
      const byAlias = await both(({ a, alias, [letter]: to }) => a.peer.sendUdp(to.address, serverPort, { localPort, localAddress: alias.a }));
      expect(byAlias).toEqual(names(letter, ({ alias }) => alias.a));
      localPort += 1;
      const byService = await both(({ a }) => a.peer.sendUdp(tenantService.address, tenantService.port, { localPort, localAddress: a.address }));
      for (const [i, answer] of byService.entries()) {
        const { name, a } = tenants[i] as Tenant;
        expect(answer).toMatch(new RegExp(`^${name}[bc] ${a.address}:${localPort}$`));
      }
    });
  });

  test('the size that fits is learned by whose packet was too big', async () => {
    setup.lab.setUnderlayMtu(1400);
    const knownMtu = ({ a, c }: Tenant): string | undefined =>
      /mtu (\d+)/.exec(runInNetns(a.netns, 'ip', 'route', 'get', c.address).output)?.[1];
    const send = (peer: NetnsPeer, address: string): Promise<Answer> => peer.sendUdp(address, serverPort, { size: 1400, echo: true, localPort });
    const [red, blue] = tenants;
    expect(await send(red.a.peer, red.c.address)).toMatchObject({ error: 'EMSGSIZE' });
    expect([knownMtu(red), knownMtu(blue)]).toEqual(['1350', undefined]);
    // The first answer was too big, too.
    await send(red.a.peer, red.c.address);
    expect(await send(red.a.peer, red.c.address)).toMatchObject({ echoed: 1400 });
    expect(await send(blue.a.peer, blue.c.address)).toMatchObject({ error: 'EMSGSIZE' });
    expect(knownMtu(blue)).toBe('1350');
    const bulk = await Promise.all(tenants.map(({ a, c }) => a.peer.connectTcp(c.address, serverPort, { size: 1_000_000, timeoutMs: 15_000 })));
    expect(bulk.map(({ echoed }) => echoed)).toEqual([1_000_000, 1_000_000]);
    setup.lab.setUnderlayMtu(1500);
  });

  test('no record leads from a pod of one tenant to one of the other', async () => {
    const owners = new Map(tenants.flatMap(({ a, b, name }) => [a, b].map(({ ifindex }) => [ifindex, name] as const)));
    const seen = new Set<string>();
    for await (const batch of setup.one.datapath.flows()) {
      for (const { zone, action } of batch) {
        const target = /^encap (\d+)$/.exec(action)?.[1];
        const [from, to] = [owners.get(zone), owners.get(Number(target))];
        if (from !== undefined && to !== undefined) seen.add(`${from} > ${to}`);
      }
    }
    expect([...seen].sort()).toEqual(['blue > blue', 'red > red']);
  });
});
