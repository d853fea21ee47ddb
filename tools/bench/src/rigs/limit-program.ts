import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ip, Namespaces, netnsPath, run } from '../netns';
import type { Rig } from './rig';

export const limitSameNode = 'limit, same node';
export const limitAcrossNodes = 'limit, across nodes';

const gateway = '198.51.100.1';
/** Of every device that packets enter a node by: no program has to change it. */
const gatewayMac = '00:00:5e:00:01:00';
const podMtu = 1450;
const tunnel = 'vxlan0';

interface LimitNode {
  readonly name: string;
  readonly address: string;
  readonly pods: ReadonlyArray<{ name: string; address: string }>;
}

const nodes: readonly [LimitNode, LimitNode] = [
  {
    name: 'n1',
    address: '192.0.2.1',
    pods: [
      { name: 'p1a', address: '198.51.100.11' },
      { name: 'p1b', address: '198.51.100.12' },
    ],
  },
  { name: 'n2', address: '192.0.2.2', pods: [{ name: 'p2a', address: '198.51.100.21' }] },
];

/** Bytes of an IPv4 address, as bpftool takes them. */
const addressBytes = (address: string): string[] => address.split('.');
const littleEndian = (value: number): string[] => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return [...bytes].map(String);
};
const ifindexOf = (netns: string, device: string): number =>
  Number(/^(\d+):/.exec(ip('-n', netns, '-o', 'link', 'show', device))?.[1]);

/** Two nodes with the program of limit/limit.bpf.c, joined by a bridge as the vRouter's own. */
class LimitRig implements Rig {
  readonly #namespaces: Namespaces;
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'bench-limit-'));
  readonly #bpffs = path.join(this.#folder, 'bpf');

  constructor(
    private readonly objectFile: string,
    prefix: string,
  ) {
    this.#namespaces = new Namespaces(`${prefix}-limit`);
    mkdirSync(this.#bpffs);
    run('mount', '-t', 'bpf', 'bpf', this.#bpffs);
    const bridge = this.#namespaces.add('bridge');
    ip('-n', bridge, 'link', 'add', 'br0', 'type', 'bridge');
    ip('-n', bridge, 'link', 'set', 'br0', 'up');
    nodes.forEach((node, index) => this.#addNode(node, index, bridge));
  }

  get paths(): Rig['paths'] {
    const clientNetns = this.#namespaces.pathOf('p1a');
    return [
      { name: limitSameNode, clientNetns, address: '198.51.100.12' },
      { name: limitAcrossNodes, clientNetns, address: '198.51.100.21' },
    ];
  }

  get serverNetns(): string[] {
    return ['p1b', 'p2a'].map((name) => this.#namespaces.pathOf(name));
  }

  close(): Promise<void> {
    this.#namespaces.removeAll();
    run('umount', this.#bpffs);
    rmSync(this.#folder, { recursive: true });
    return Promise.resolve();
  }

  #addNode(node: LimitNode, index: number, bridge: string): void {
    const netns = this.#namespaces.add(node.name);
    const port = `port${index}`;
    ip('-n', bridge, 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', netns);
    ip('-n', bridge, 'link', 'set', port, 'master', 'br0', 'up');
    ip('-n', netns, 'addr', 'add', `${node.address}/24`, 'dev', 'eth0');
    ip('-n', netns, 'link', 'set', 'eth0', 'up');
    ip('-n', netns, 'link', 'add', tunnel, 'address', gatewayMac, 'mtu', String(podMtu), 'type', 'vxlan', 'external', 'dstport', '4789');
    ip('-n', netns, 'link', 'set', tunnel, 'up');
    const pins = path.join(this.#bpffs, node.name);
    run('bpftool', 'prog', 'load', this.objectFile, `${pins}-program`, 'type', 'classifier', 'pinmaps', pins);
    this.#attach(netns, tunnel, `${pins}-program`);
    for (const pod of node.pods) {
      this.#addPod(netns, pod);
      this.#attach(netns, `v${pod.name}`, `${pins}-program`);
      this.#setTarget(pins, pod.address, ifindexOf(netns, `v${pod.name}`), 0);
    }
    for (const other of nodes.filter((each) => each !== node)) {
      const remote = Buffer.from(other.address.split('.').map(Number)).readUInt32BE(0);
      other.pods.forEach((pod) => this.#setTarget(pins, pod.address, ifindexOf(netns, tunnel), remote));
    }
  }

  #addPod(nodeNetns: string, pod: { name: string; address: string }): void {
    const netns = this.#namespaces.add(pod.name);
    const device = `v${pod.name}`;
    ip('-n', nodeNetns, 'link', 'add', device, 'address', gatewayMac, 'mtu', String(podMtu), 'type', 'veth', 'peer', 'name', 'eth0', 'mtu', String(podMtu), 'netns', netns);
    ip('-n', nodeNetns, 'link', 'set', device, 'up');
    ip('-n', netns, 'addr', 'add', `${pod.address}/32`, 'dev', 'eth0');
    ip('-n', netns, 'link', 'set', 'eth0', 'up');
    ip('-n', netns, 'route', 'add', gateway, 'dev', 'eth0', 'scope', 'link');
    ip('-n', netns, 'route', 'add', 'default', 'via', gateway, 'dev', 'eth0');
    ip('-n', netns, 'neigh', 'add', gateway, 'lladdr', gatewayMac, 'dev', 'eth0');
  }

  #attach(netns: string, device: string, program: string): void {
    const inNode = ['nsenter', `--net=${netnsPath(netns)}`, 'tc'] as const;
    run(...inNode, 'qdisc', 'add', 'dev', device, 'clsact');
    run(...inNode, 'filter', 'add', 'dev', device, 'ingress', 'bpf', 'direct-action', 'object-pinned', program);
  }

  #setTarget(pins: string, address: string, ifindex: number, remote: number): void {
    const value = [...littleEndian(ifindex), ...littleEndian(remote)];
    run('bpftool', 'map', 'update', 'pinned', path.join(pins, 'targets'), 'key', ...addressBytes(address), 'value', ...value);
  }
}

/** @param objectFile limit.bpf.o */
export function createLimitProgram(objectFile: string, prefix: string): Rig {
  return new LimitRig(objectFile, prefix);
}
