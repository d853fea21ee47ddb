/** Devices and restarts on the kernel. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatAddress, formatMac, parseAddress, parsePrefix } from '@contrail/net';
import { createKernelDatapath, type KernelDatapath } from '../kernel-datapath';
import { inNetns } from '../netlink/netns';
import type { PodInterfaceRequest } from '../port';
import { missingForLab } from '../testing/lab';
import { verdicts, Walk } from '../testing/walk';

const missing = missingForLab();
const describeKernel = missing === undefined ? describe : describe.skip;

describeKernel(`devices${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let walk: Walk;
  let nodePath: string;
  let podPath: string;

  const ip = (netns: string, ...args: string[]): string =>
    execFileSync('ip', ['-n', netns, ...args]).toString();
  const onNode = <T>(use: (datapath: KernelDatapath) => T): T =>
    inNetns(nodePath, () => use(walk.datapath));
  const request = (overrides: Partial<PodInterfaceRequest>): PodInterfaceRequest => ({
    netnsPath: podPath,
    containerInterface: 'eth0',
    hostInterface: 'vpod',
    mac: Uint8Array.of(2, 1, 2, 3, 4, 5),
    addresses: [parseAddress('198.51.100.11'), parseAddress('198.51.100.12')],
    gatewayV4: parseAddress('198.51.100.1'),
    gatewayV6: undefined,
    sourceRoutes: [],
    mtu: 1400,
    ...overrides,
  });

  beforeAll(async () => {
    walk = await Walk.create({ flowCapacity: 64 });
    nodePath = `/run/netns/${walk.name}`;
    podPath = `/run/netns/${walk.name}-pods`;
  }, 60_000);

  afterAll(() => walk.destroy(), 30_000);

  test('a pod interface is made, inspected, named and removed', async () => {
    const made = onNode(({ devices }) => devices.createPodInterface(request({})));
    expect(ip(walk.name, 'link', 'show', 'vpod')).toContain('state DOWN');
    const uuid = '5f5c7b7e-0000-4000-8000-000000000001';
    const reversePathFilter = (): string =>
      inNetns(nodePath, () => readFileSync('/proc/sys/net/ipv4/conf/vpod/rp_filter', 'utf8').trim());
    inNetns(nodePath, () => writeFileSync('/proc/sys/net/ipv4/conf/vpod/rp_filter', '1'));
    onNode(({ devices }) => devices.activatePodInterface(made.hostIfindex, uuid));
    expect(reversePathFilter()).toBe('0');
    expect(ip(walk.name, 'link', 'show', 'vpod')).toContain('state UP');
    onNode(({ devices }) => devices.activatePodInterface(made.hostIfindex));
    const inside = onNode(({ devices }) => devices.inspectPodInterface(podPath, 'eth0'));
    expect(
      inside &&
        {
          ...inside,
          mac: formatMac(inside.mac),
          addresses: inside.addresses.map(formatAddress),
          gateways: inside.gateways.map(formatAddress),
        },
    ).toEqual({
      mac: '02:01:02:03:04:05',
      addresses: ['198.51.100.11', '198.51.100.12'],
      mtu: 1400,
      up: true,
      gateways: ['198.51.100.1'],
      sourceRoutes: [],
      peerIfindex: made.hostIfindex,
    });
    expect(ip(`${walk.name}-pods`, 'route')).toBe(
      'default via 198.51.100.1 dev eth0 proto 140 \n198.51.100.1 dev eth0 proto 140 scope link \n',
    );
    expect(ip(`${walk.name}-pods`, 'link', 'show', 'lo')).toContain('UP');

    expect(onNode(({ devices }) => devices.listPodInterfaces())).toEqual([
      { name: 'vpod', ifindex: made.hostIfindex, vmiUuid: uuid },
    ]);

    onNode(({ devices }) => devices.deletePodInterface('vpod'));
    onNode(({ devices }) => devices.deletePodInterface('absent'));
    await walk.datapath.devices.settled();
    expect(onNode(({ devices }) => devices.listPodInterfaces())).toEqual([]);
    expect(onNode(({ devices }) => devices.inspectPodInterface(podPath, 'eth0'))).toBeUndefined();
  });

  test('a pod with an alias address has two sources, and mending brings them back', async () => {
    const [own, alias] = [parseAddress('198.51.100.11'), parseAddress('203.0.113.9')];
    const wanted = request({
      addresses: [own, alias],
      sourceRoutes: [
        { prefix: parsePrefix('0.0.0.0/0'), source: alias },
        { prefix: parsePrefix('198.51.100.0/24'), source: own },
      ],
    });
    onNode(({ devices }) => devices.createPodInterface(wanted));
    onNode(({ devices }) => devices.mendPodInterface(wanted));
    const pods = `${walk.name}-pods`;
    const routes =
      'default via 198.51.100.1 dev eth0 proto 140 src 203.0.113.9 \n' +
      '198.51.100.0/24 via 198.51.100.1 dev eth0 proto 140 src 198.51.100.11 \n' +
      '198.51.100.1 dev eth0 proto 140 scope link \n';
    onNode(({ devices }) => devices.activatePodInterface(devices.findPodInterface('vpod') ?? 0));
    expect(ip(pods, 'route')).toBe(routes);
    const inside = onNode(({ devices }) => devices.inspectPodInterface(podPath, 'eth0'));
    expect(inside?.sourceRoutes).toEqual(expect.arrayContaining([...wanted.sourceRoutes]));
    ip(pods, 'route', 'replace', 'default', 'via', '198.51.100.1', 'proto', '140');
    expect(onNode(({ devices }) => devices.inspectPodInterface(podPath, 'eth0'))?.sourceRoutes).toHaveLength(1);
    onNode(({ devices }) => devices.mendPodInterface(wanted));
    expect(ip(pods, 'route')).toBe(routes);
    onNode(({ devices }) => devices.deletePodInterface('vpod'));
    await walk.datapath.devices.settled();
  });

  test('a second interface of the same name is refused and changes nothing', async () => {
    onNode(({ devices }) => devices.createPodInterface(request({})));
    expect(() => onNode(({ devices }) => devices.createPodInterface(request({ mtu: 900 }))))
      .toThrow(/exists already/);
    expect(() =>
      onNode(({ devices }) => devices.createPodInterface(request({ hostInterface: 'vother' })))
    ).toThrow(/exists already/);
    expect(onNode(({ devices }) => devices.listPodInterfaces())).toHaveLength(1);
    expect(onNode(({ devices }) => devices.inspectPodInterface(podPath, 'eth0'))?.mtu).toBe(1400);
    onNode(({ devices }) => devices.deletePodInterface('vpod'));
    await walk.datapath.devices.settled();
  });

  test('a namespace that is gone, or a bad address, leaves no device behind', () => {
    expect(() =>
      onNode(({ devices }) =>
        devices.createPodInterface(request({ netnsPath: '/run/netns/absent' }))
      )
    ).toThrow(/Netns \/run\/netns\/absent: cannot be opened/);
    // The kernel refuses a multicast address.
    expect(() =>
      onNode(({ devices }) =>
        devices.createPodInterface(request({ addresses: [parseAddress('ff02::1')] }))
      )
    ).toThrow(/netlink: configuration of eth0/);
    expect(onNode(({ devices }) => devices.listPodInterfaces())).toEqual([]);
  });

  test('tunnel and host interface are made once; routes of old prefixes go', () => {
    const first = onNode(({ devices }) => devices.ensureTunnel({ mtu: 1450 }));
    expect(onNode(({ devices }) => devices.ensureTunnel({ mtu: 1400 }))).toEqual(first);
    expect(ip(walk.name, 'link', 'show', 'vxlan-contrail')).toContain('mtu 1400');
    const prefix = (text: string, length: number) => ({ address: parseAddress(text), length });
    const ensure = (...prefixes: Array<ReturnType<typeof prefix>>) =>
      onNode(({ devices }) =>
        devices.ensureHostInterface({ mtu: 1400, nodeAddress: parseAddress('192.0.2.1'), prefixes })
      );
    const one = ensure(prefix('198.51.100.0', 24), prefix('203.0.113.0', 24));
    expect(ensure(prefix('203.0.113.0', 24), prefix('198.51.100.128', 25))).toEqual(one);
    expect(ip(walk.name, 'route', 'show', 'dev', 'vhost0')).toBe(
      '198.51.100.128/25 proto 140 scope link src 192.0.2.1 \n' +
        '203.0.113.0/24 proto 140 scope link src 192.0.2.1 \n',
    );
    expect(() => onNode(({ devices }) => devices.findUplink(parseAddress('192.0.2.99')))).toThrow(
      'Device: none has the node address 192.0.2.99',
    );
  });

  test('a host interface without prefixes, as before the first configuration, has no routes', () => {
    const prefix = { address: parseAddress('198.51.100.0'), length: 24 };
    const ensure = (...prefixes: Array<typeof prefix>) =>
      onNode(({ devices }) =>
        devices.ensureHostInterface({ mtu: 1400, nodeAddress: parseAddress('192.0.2.1'), prefixes })
      );
    const routes = (): string => ip(walk.name, 'route', 'show', 'dev', 'vhost0');
    const made = ensure();
    expect(routes()).toBe('');
    // Nothing is to be done any more.
    expect(ensure()).toEqual(made);
    expect(ensure(prefix)).toEqual(made);
    expect(routes()).toContain('198.51.100.0/24');
  });

  test('4. a new agent finds tables and flows, and takes the hooks over', async () => {
    walk.setPolicy({ policy: 1 }, 'pass', 1);
    const a = walk.addPod(1, { address: '198.51.100.21' });
    const b = walk.addPod(2, { address: '198.51.100.22' });
    walk.send(a, b.address);
    onNode((datapath) => datapath.attach(a.ifindex, 'pod'));
    const filter = (): string =>
      execFileSync('ip', [
        'netns',
        'exec',
        walk.name,
        'tc',
        'filter',
        'show',
        'dev',
        'v1',
        'ingress',
      ]).toString();
    expect(filter()).toMatch(/pod:\[\d+\] direct-action/);
    const before = filter();

    const next = await inNetns(nodePath, () =>
      createKernelDatapath({
        objectFile: join(walk.folder, 'vrouter.bpf.o'),
        pinPath: join(walk.folder, 'bpf', 'contrail'),
        flowCapacity: 1024,
      }));
    try {
      expect(next.vifs.dump()).toEqual(walk.datapath.vifs.dump());
      expect(next.flowCount().capacity).toBe(64);
      const flows: unknown[] = [];
      for await (const batch of next.flows()) {
        flows.push(...batch);
      }
      expect(flows).toHaveLength(2);
      inNetns(nodePath, () => next.attach(a.ifindex, 'pod'));
      expect(filter()).not.toBe(before);
      expect(filter().match(/direct-action/g)).toHaveLength(1);
      // The old programs go on with the same tables meanwhile.
      expect(walk.send(a, b.address, { sourcePort: 7 }).verdict).toBe(verdicts.redirect);
      inNetns(nodePath, () => next.detach(a.ifindex));
      inNetns(nodePath, () => next.detach(a.ifindex));
      expect(filter()).toBe('');
    } finally {
      await next.close();
    }
  });
});
