/** Invariant 3 on the kernel: without its program an interface is closed, and the loss is noticed. */
import { spawnSync } from 'node:child_process';
import { inNetns } from '../netlink/netns';
import { gateway, Lab, missingForLab, type Node, type Pod } from '../testing/lab';
import { guardTable, HostGuard } from './host-guard';

const missing = missingForLab() ??
  (spawnSync('nft', ['--version']).error === undefined ? undefined : 'needs the command nft');
const describeKernel = missing === undefined ? describe : describe.skip;

jest.setTimeout(180_000);

describeKernel(`3. detached programs are closed${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let lab: Lab;
  let node: Node;
  let pod: Pod;
  let other: Pod;

  const inNode = (command: string, ...args: string[]): string =>
    spawnSync('nsenter', [`--net=${node.netns}`, command, ...args]).stdout.toString();
  const detach = (): void => node.in(() => node.datapath.detach(pod.ifindex));
  const attach = (): void => node.in(() => node.datapath.attach(pod.ifindex, 'pod'));
  const reaches = async (address: string): Promise<boolean> =>
    (await pod.peer.sendUdp(address, 9000, { timeoutMs: 500 })).error === undefined;
  const isAttached = (): boolean => {
    const { expected, found } = node.in(() => node.datapath.upkeep.inspectHook(pod.ifindex, 'pod'));
    return found === expected;
  };
  const dropped = (): number => Number(node.datapath.devices.guardDrops()?.packets ?? -1n);

  beforeAll(async () => {
    lab = await Lab.create();
    const [one] = lab.nodes;
    const [first, second] = one?.pods ?? [];
    if (!one || !first || !second) throw new Error('the lab has no pods');
    node = one;
    pod = first;
    other = second;
    await node.peer.serveUdp(9000, 'n1');
    await other.peer.serveUdp(9000, 'other');
  });

  afterAll(() => lab.destroy());

  test('nothing from the pod reaches the node, nor through it anyone; each packet is counted', async () => {
    expect(await reaches(node.address)).toBe(true);
    expect(await reaches(other.address)).toBe(true);
    detach();
    const before = dropped();
    // Forwarding by the node is on, as on most hosts: only the guard is in the way.
    inNode('sysctl', '-w', 'net.ipv4.ip_forward=1');
    expect(await reaches(node.address)).toBe(false);
    expect(await reaches(other.address)).toBe(false);
    expect(await reaches('192.0.2.100')).toBe(false);
    expect(dropped()).toBeGreaterThan(before + 2);
    attach();
    expect(await reaches(node.address)).toBe(true);
    expect(await reaches(other.address)).toBe(true);
    expect(await reaches(gateway)).toBe(false);
  });

  test('without the rule the node would have answered', async () => {
    detach();
    inNode('nft', 'delete', 'table', 'inet', guardTable);
    expect(node.datapath.devices.guardDrops()).toBeUndefined();
    expect(await reaches(node.address)).toBe(true);
    node.in(() => node.datapath.devices.ensureGuard());
    expect(await reaches(node.address)).toBe(false);
    attach();
  });

  test('the loss of a program is told, and seen', () => {
    node.datapath.devices.takeDisturbed();
    expect(isAttached()).toBe(true);
    inNode('tc', 'filter', 'del', 'dev', `v${pod.name}`, 'ingress');
    expect(node.datapath.devices.takeDisturbed()).toContain(pod.ifindex);
    expect(isAttached()).toBe(false);
    attach();
    expect(isAttached()).toBe(true);
  });

  test('making the rule again changes nothing and leaves the tables of others alone', () => {
    inNode('nft', 'add', 'table', 'inet', 'firewall');
    const before = inNode('nft', 'list', 'ruleset');
    expect(before).toContain('table inet firewall');
    node.in(() => node.datapath.devices.ensureGuard());
    expect(inNode('nft', 'list', 'ruleset')).toBe(before);
    const again = inNetns(node.netns, () => new HostGuard());
    again.ensure();
    again.close();
    expect(inNode('nft', 'list', 'ruleset')).toBe(before);
  });
});
