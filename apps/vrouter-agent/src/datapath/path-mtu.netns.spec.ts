/** What senders learn of the path: smaller links behind routers, and an underlay whose MTU changes. */
import { gateway, Lab, missingForLab, type Node, type Pod } from './testing/lab';
import { NetnsPeer } from './testing/netns-peer';
import { runInNetns } from './testing/run-in-netns';

const missing = missingForLab();
const describeLab = missing === undefined ? describe : describe.skip;
const outsideAddress = '192.0.2.100';
const router = '192.0.2.254';
const far = '198.18.0.2';
const bulk = 1_000_000;

const must = (netns: string, ...command: string[]): string => {
  const { status, output } = runInNetns(netns, ...command);
  if (status !== 0) throw new Error(`${command.join(' ')}: ${output}`);
  return output;
};

/** What the pod's kernel knows of the path; undefined: nothing yet. */
const knownMtu = (netns: string, address: string): number | undefined => {
  const found = /mtu (\d+)/.exec(must(netns, 'ip', 'route', 'get', address));
  return found ? Number(found[1]) : undefined;
};

const forget = (pod: Pod): string => must(pod.netns, 'ip', 'route', 'flush', 'cache');

describeLab(`a router with a small link${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let lab: Lab;
  let one: Node;
  let pod: Pod;
  let farPeer: NetnsPeer;

  beforeAll(async () => {
    lab = await Lab.create();
    [one] = lab.nodes as [Node];
    [pod] = one.pods as [Pod];
    const routerNetns = lab.addNetns('router', `${router}/24`);
    const farNetns = lab.addNetns('far');
    const link = ['link', 'add', 'far', 'mtu', '1300', 'type', 'veth', 'peer', 'name', 'eth0'];
    must(routerNetns, 'ip', ...link, 'netns', lab.nameOf('far'));
    must(routerNetns, 'ip', 'addr', 'add', '198.18.0.1/24', 'dev', 'far');
    must(routerNetns, 'ip', 'link', 'set', 'far', 'up');
    must(routerNetns, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    must(farNetns, 'ip', 'addr', 'add', `${far}/24`, 'dev', 'eth0');
    must(farNetns, 'ip', 'link', 'set', 'eth0', 'up');
    // It offers segments that the link does not take: only the router's answer tells the pod.
    const small = ['via', '198.18.0.1', 'mtu', '1300', 'advmss', '1460'];
    must(farNetns, 'ip', 'route', 'add', 'default', ...small);
    must(one.netns, 'ip', 'route', 'add', '198.18.0.0/24', 'via', router);
    farPeer = new NetnsPeer(farNetns);
    await farPeer.serveTcp(7000, 'far');
    await farPeer.serveUdp(7000, 'far');
    await pod.peer.serveTcp(8080, pod.name);
    one.setService('0.0.0.0', 30_080, [{ address: pod.address, port: 8080 }], {
      id: 4,
      hostPort: true,
    });
  }, 180_000);

  afterAll(async () => {
    await farPeer.stop();
    await lab.destroy();
  }, 60_000);

  test('a TCP connection out of a pod finds the size that fits', async () => {
    forget(pod);
    const answer = await pod.peer.connectTcp(far, 7000, { size: bulk, timeoutMs: 15_000 });
    expect(answer).toMatchObject({ echoed: bulk });
    expect(knownMtu(pod.netns, far)).toBe(1300);
  });

  test('so do the answers of a hostPort', async () => {
    forget(pod);
    const answer = await farPeer.connectTcp(one.address, 30_080, { size: bulk, timeoutMs: 15_000 });
    expect(answer).toMatchObject({ echoed: bulk });
    expect(knownMtu(pod.netns, far)).toBe(1300);
  });

  test('a datagram is refused with the size, the next one arrives in fragments', async () => {
    forget(pod);
    expect(await pod.peer.sendUdp(far, 7000, { size: 1400 })).toMatchObject({ error: 'EMSGSIZE' });
    expect(knownMtu(pod.netns, far)).toBe(1300);
    expect(await pod.peer.sendUdp(far, 7000, { size: 1400, echo: true }))
      .toMatchObject({ echoed: 1400 });
  });

  test('a packet that lives too short is reported by the router', () => {
    const { output } = runInNetns(pod.netns, 'ping', '-c', '1', '-W', '2', '-t', '1', far);
    expect(output).toMatch(new RegExp(`From ${router} .*Time to live exceeded`));
  });

  test('a closed port behind the router is refused at once', async () => {
    expect(await pod.peer.sendUdp(far, 9)).toMatchObject({ error: 'ECONNREFUSED' });
  });
});

describeLab(`an underlay of 9000 bytes${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let lab: Lab;
  let one: Node;
  let two: Node;
  let p1a: Pod;
  let p1b: Pod;
  let p2a: Pod;
  let outside: NetnsPeer;

  beforeAll(async () => {
    lab = await Lab.create({ underlayMtu: 9000 });
    [one, two] = lab.nodes as [Node, Node];
    [p1a, p1b] = one.pods as [Pod, Pod];
    [p2a] = two.pods as [Pod, Pod];
    outside = lab.outside as NetnsPeer;
    for (const pod of [p1a, p1b, p2a]) {
      await pod.peer.serveTcp(8080, pod.name);
      await pod.peer.serveUdp(8080, pod.name);
    }
    await two.peer.serveTcp(9000, two.name);
    await outside.serveTcp(7000, 'outside');
    await outside.serveUdp(7000, 'outside');
    one.setService('0.0.0.0', 30_080, [{ address: p1a.address, port: 8080 }], {
      id: 4,
      hostPort: true,
    });
  }, 180_000);

  afterAll(() => lab.destroy(), 60_000);

  const transfer = async (peer: NetnsPeer, address: string, port: number): Promise<unknown> =>
    (await peer.connectTcp(address, port, { size: bulk, timeoutMs: 15_000 })).echoed;

  const echo = async (peer: NetnsPeer, address: string, port: number, size: number): Promise<unknown> =>
    (await peer.sendUdp(address, port, { size, echo: true })).echoed;

  test('carries big packets whole', async () => {
    expect(must(p1a.netns, 'ip', 'link', 'show', 'eth0')).toContain('mtu 8950');
    expect(await echo(p1a.peer, p2a.address, 8080, 8950 - 28)).toBe(8950 - 28);
    expect(await transfer(p1a.peer, p2a.address, 8080)).toBe(bulk);
    expect(await transfer(p1a.peer, outsideAddress, 7000)).toBe(bulk);
    expect(one.dropCount('packet-too-big')).toBe(0);
  });

  describe('that becomes one of 1500', () => {
    beforeAll(() => {
      lab.setUnderlayMtu(1500);
      // A server that still offers big segments, as one behind a router would.
      const route = ['192.0.2.0/24', 'dev', 'eth0', 'src', outsideAddress];
      const netns = `/run/netns/${lab.nameOf('outside')}`;
      must(netns, 'ip', 'route', 'replace', ...route, 'advmss', '8960', 'mtu', '1500');
    });

    const targets: Array<[string, () => string, number, number | undefined]> = [
      ['to the other node', () => p2a.address, 8080, 1450],
      ['to the node itself there, which says what fits', () => two.address, 9000, undefined],
      ['to the outside', () => outsideAddress, 7000, 1500],
    ];
    test.each(targets)('TCP of an old pod %s goes on with what fits', async (_name, to, port, mtu) => {
      forget(p1a);
      // The client has the big MTU as well: the answers must be cut, too.
      expect(await transfer(p1a.peer, to(), port)).toBe(bulk);
      expect(knownMtu(p1a.netns, to())).toBe(mtu);
      expect(one.dropCount('packet-too-big')).toBeGreaterThan(0);
    });

    const hasEthtool = runInNetns('/proc/self/ns/net', 'ethtool', '--version').status === 0;
    (hasEthtool ? test : test.skip)(
      `the answer is right when the kernel fills checksums in${hasEthtool ? '' : ' (no ethtool)'}`,
      async () => {
        must(one.netns, 'ethtool', '-K', `v${p1a.name}`, 'tx', 'off');
        forget(p1a);
        // It would offer smaller segments from the start.
        forget(p2a);
        expect(await transfer(p1a.peer, p2a.address, 8080)).toBe(bulk);
        expect(knownMtu(p1a.netns, p2a.address)).toBe(1450);
        must(one.netns, 'ethtool', '-K', `v${p1a.name}`, 'tx', 'on');
      },
    );

    test('a datagram with DF is refused by the gateway with the size', async () => {
      forget(p1a);
      const { output } = runInNetns(p1a.netns, 'ping', '-c', '1', '-W', '2', '-M', 'do', '-s', '4000', p2a.address);
      expect(output).toMatch(new RegExp(`From ${gateway} .*Frag needed.*mtu = 1450`));
      expect(await echo(p1a.peer, p2a.address, 8080, 8000)).toBe(8000);
    });

    test('without DF it arrives at once: the kernel fragments around the tunnel header', async () => {
      forget(p1a);
      forget(p2a);
      expect(await echo(p1a.peer, p2a.address, 8080, 30_000)).toBe(30_000);
      expect(knownMtu(p1a.netns, p2a.address)).toBeUndefined();
    });

    test('to the outside the second one arrives', async () => {
      forget(p1a);
      await p1a.peer.sendUdp(outsideAddress, 7000, { size: 8000, echo: true, timeoutMs: 500 });
      expect(knownMtu(p1a.netns, outsideAddress)).toBe(1500);
      expect(await echo(p1a.peer, outsideAddress, 7000, 8000)).toBe(8000);
    });

    test('pods of one node go on with big packets', async () => {
      expect(await echo(p1a.peer, p1b.address, 8080, 8000)).toBe(8000);
      expect(knownMtu(p1a.netns, p1b.address)).toBeUndefined();
    });

    test('a new pod has the new MTU and reaches the old ones', async () => {
      const fresh = await one.addPod(lab, 'p1c', '198.51.100.13', { mac: 0x13 });
      two.setRoute(fresh.address, 5);
      expect(must(fresh.netns, 'ip', 'link', 'show', 'eth0')).toContain('mtu 1450');
      expect(await transfer(fresh.peer, p1a.address, 8080)).toBe(bulk);
      expect(await transfer(fresh.peer, p2a.address, 8080)).toBe(bulk);
      expect(await echo(p1a.peer, p1b.address, 8080, 8000)).toBe(8000);
    });
  });

  describe('and grows again', () => {
    test('the node learns what an old, small pod takes', async () => {
      lab.setUnderlayMtu(9000);
      const small = one.pods[2] as Pod;
      await small.peer.serveUdp(8080, small.name);
      await small.peer.serveTcp(8080, small.name);
      const first = await one.peer.sendUdp(small.address, 8080, { size: 8000, timeoutMs: 1000 });
      expect(first).toMatchObject({ error: 'EMSGSIZE' });
      expect(await echo(one.peer, small.address, 8080, 8000)).toBe(8000);
      expect(await transfer(one.peer, small.address, 8080)).toBe(bulk);
    });
  });

  test('a smaller path between the nodes costs fragments of the tunnel, not packets', async () => {
    must(one.netns, 'ip', 'route', 'add', `${two.address}/32`, 'dev', 'eth0', 'mtu', '1400');
    expect(await transfer(p1a.peer, p2a.address, 8080)).toBe(bulk);
    expect(await echo(p1a.peer, p2a.address, 8080, 8000)).toBe(8000);
  });

  test('datagrams to a hostPort on lo are as big as lo takes', async () => {
    const size = 20_000;
    const answers: unknown[] = [];
    for (let attempt = 0; attempt < 2; attempt += 1) {
      answers.push(await one.peer.sendUdp('127.0.0.1', 30_080, { size, echo: true, timeoutMs: 1000 }));
    }
    expect(answers[1]).toMatchObject({ echoed: size });
  });
});
