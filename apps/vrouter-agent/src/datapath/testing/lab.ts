/**
 * A small cluster of network namespaces: two nodes and the outside on one bridge, two pods on each
 * node, and a kernel datapath for each node, programmed as the agent would in default mode.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAddress, parsePrefix } from '@contrail/net';
import type { KernelDatapath } from '../kernel-datapath';
import { createKernelDatapath } from '../kernel-datapath';
import { writeSysctl } from '../devices/sysctl';
import { inNetns } from '../netlink/netns';
import type { BackendValue, DatapathGlobals, ServiceValue } from '../port';
import { attachPrograms, prepareDevices } from './lab-devices';
import {
  allowAll,
  baseNextHop,
  baseService,
  fabricVrf,
  gateway,
  hops,
  hostIdentity,
  overhead,
  podIdentity,
  podVrf,
} from './lab-plan';
import { NetnsPeer } from './netns-peer';

export { allowAll, baseNextHop, baseService, fabricVrf, gateway, hops, podIdentity, podVrf } from './lab-plan';

const tcp = 6;
const udp = 17;

const ip = (...args: string[]): string => execFileSync('ip', args).toString();

/** Why the tests cannot run here; undefined when they can. */
export function missingForLab(): string | undefined {
  if (process.getuid?.() !== 0) {
    return 'needs root';
  }
  const tool = ['clang', 'llvm-strip', 'ip', 'ping', 'nsenter'].find(
    (each) => spawnSync(each, ['-V']).error !== undefined,
  );
  return tool === undefined ? undefined : `needs the command ${tool}`;
}

export interface Pod {
  readonly name: string;
  readonly netns: string;
  readonly address: string;
  readonly mac: Uint8Array;
  readonly node: Node;
  readonly ifindex: number;
  readonly nextHop: number;
  readonly peer: NetnsPeer;
}

export interface PodOptions {
  /** Last byte of the MAC. */
  readonly mac: number;
  readonly vrf?: number;
  readonly identity?: number;
  readonly policy?: number;
  /** A second address, by which everybody outside `network` (the pod's own subnet) knows it. */
  readonly alias?: { readonly address: string; readonly network: string };
}

export class Node {
  readonly pods: Pod[] = [];
  private constructor(
    readonly name: string,
    readonly netns: string,
    readonly address: string,
    readonly datapath: KernelDatapath,
    readonly peer: NetnsPeer,
    public globals: DatapathGlobals,
  ) {}

  static async create(lab: Lab, name: string, address: string): Promise<Node> {
    const netns = lab.addNetns(name, `${address}/24`);
    const opened = inNetns(netns, () =>
      createKernelDatapath({
        objectFile: lab.objectFile,
        pinPath: join(lab.bpffs, name),
        flowCapacity: lab.flowCapacity,
        onFailure: (error) => process.stderr.write(`${String(error)}\n`),
      }));
    const datapath = await opened;
    // Distributions ship strict reverse-path filters; the datapath must work there, too.
    inNetns(netns, () => ['all', 'default', 'eth0'].forEach((device) => writeSysctl(`ipv4/conf/${device}/rp_filter`, '1')));
    const globals = inNetns(netns, () => prepareDevices(datapath, address));
    inNetns(netns, () => attachPrograms(datapath, globals));
    return new Node(name, netns, address, datapath, new NetnsPeer(netns), globals);
  }

  in<T>(use: () => T): T {
    return inNetns(this.netns, use);
  }

  /** What the agent does when somebody changed the MTU of the uplink. */
  followUplink(): void {
    this.globals = this.in(() => prepareDevices(this.datapath, this.address));
  }

  /** A pod in the pod VRF and the fabric's, or in a tenant's own; the policy allows everything. */
  async addPod(
    lab: Lab,
    name: string,
    address: string,
    options: PodOptions,
  ): Promise<Pod> {
    const { mac, vrf = podVrf, identity = podIdentity, policy = allowAll, alias } = options;
    const addresses = [address, ...(alias ? [alias.address] : [])];
    const netns = lab.addNetns(name);
    const macBytes = Uint8Array.of(2, 0, 0, 0, 0, mac);
    const hostInterface = `v${name}`;
    const { hostIfindex } = this.in(() => {
      const made = this.datapath.devices.createPodInterface({
        netnsPath: netns,
        containerInterface: 'eth0',
        hostInterface,
        mac: macBytes,
        addresses: addresses.map(parseAddress),
        gatewayV4: parseAddress(gateway),
        gatewayV6: undefined,
        sourceRoutes: alias
          ? [
              { prefix: parsePrefix('0.0.0.0/0'), source: parseAddress(alias.address) },
              { prefix: parsePrefix(alias.network), source: parseAddress(address) },
            ]
          : [],
        mtu: lab.podMtu,
      });
      this.datapath.attach(made.hostIfindex, 'pod');
      this.datapath.devices.activatePodInterface(made.hostIfindex);
      return made;
    });
    const nextHop = 100 + hostIfindex;
    const { datapath } = this;
    datapath.vifs.upsert([
      [
        { ifindex: hostIfindex, vlan: 0 },
        {
          kind: 'pod',
          vrf,
          identity,
          policy,
          portSecurity: true,
          mac: macBytes,
          mtu: lab.podMtu,
          maxFlows: 0,
          uuid: new Uint8Array(16),
          addressesV4: alias ? addresses.map(parseAddress) : [],
        },
      ],
    ]);
    datapath.sources.upsert(
      addresses.map((each) => [{ ifindex: hostIfindex, vlan: 0, prefix: parsePrefix(`${each}/32`) }, true]),
    );
    datapath.nextHops.upsert([
      [nextHop, { ...baseNextHop, kind: 'encap', ifindex: hostIfindex, mac: macBytes }],
    ]);
    this.setRoute(address, nextHop, vrf === podVrf ? [podVrf, fabricVrf] : [vrf]);
    if (alias) this.setRoute(alias.address, nextHop, [vrf, fabricVrf]);
    const peer = new NetnsPeer(netns);
    const pod = {
      name,
      netns,
      address,
      mac: macBytes,
      node: this,
      ifindex: hostIfindex,
      nextHop,
      peer,
    };
    this.pods.push(pod);
    return pod;
  }

  setRoute(address: string, nextHop: number, vrfs: readonly number[] = [podVrf, fabricVrf]): void {
    this.datapath.hostRoutes.upsert(
      vrfs.map((vrf) => [{ vrf, address: parseAddress(address) }, { nextHop }]),
    );
  }

  /** A service in both VRFs, as every node of a cluster has it. */
  setService(
    address: string,
    port: number,
    backends: ReadonlyArray<{ address: string; port: number; vrf?: number }>,
    options: Partial<ServiceValue> = {},
  ): void {
    const id = options.id ?? 1;
    const { datapath } = this;
    datapath.backends.upsert(
      backends.map((backend, slot): [{ service: number; slot: number }, BackendValue] => [
        { service: id, slot },
        {
          address: parseAddress(backend.address),
          port: backend.port,
          vrf: backend.vrf ?? podVrf,
        },
      ]),
    );
    const value = { ...baseService, ...options, id, slotCount: backends.length };
    const vrfs = value.hostPort ? [fabricVrf] : [podVrf, fabricVrf];
    datapath.services.upsert(
      vrfs.flatMap((vrf) => [
        [{ vrf, address: parseAddress(address), protocol: tcp, port }, value] as const,
        [{ vrf, address: parseAddress(address), protocol: udp, port }, value] as const,
      ]),
    );
  }

  dropCount(reason: string): number {
    return this.datapath
      .drops()
      .filter(({ reasonName }) => reasonName === reason)
      .reduce((sum, { packets }) => sum + Number(packets), 0);
  }
}

/** Routes, labels and policy of default mode on `node`, with `other` as the only other node. */
export function programNode(node: Node, other: Node): void {
  const { datapath } = node;
  const remote = parseAddress(other.address);
  datapath.nextHops.upsert([
    [hops.receive, { ...baseNextHop, kind: 'receive' }],
    [hops.gateway, { ...baseNextHop, kind: 'gateway' }],
    [hops.fabric, { ...baseNextHop, kind: 'fabric', snat: true }],
    [hops.discard, baseNextHop],
    [hops.tunnelPods, { ...baseNextHop, kind: 'tunnel', remote, vrf: podVrf }],
    [hops.tunnelNode, { ...baseNextHop, kind: 'tunnel', remote, vrf: fabricVrf }],
  ]);
  node.setRoute(node.address, hops.receive);
  node.setRoute(gateway, hops.gateway);
  other.pods.forEach((pod) => node.setRoute(pod.address, hops.tunnelPods));
  datapath.hostRoutes.upsert([
    [{ vrf: podVrf, address: remote }, { nextHop: hops.tunnelNode }],
    [{ vrf: fabricVrf, address: remote }, { nextHop: hops.tunnelNode }],
  ]);
  datapath.prefixRoutes.upsert([
    [{ vrf: podVrf, prefix: { address: parseAddress('0.0.0.0'), length: 0 } }, {
      nextHop: hops.fabric,
    }],
  ]);
  // The label is 1000 * receiver's VRF + sender's identity, 500 more when the sender is in the fabric.
  const labels = [
    { receiverVrf: podVrf, identity: podIdentity, senderVrf: podVrf },
    { receiverVrf: podVrf, identity: hostIdentity, senderVrf: fabricVrf },
    { receiverVrf: fabricVrf, identity: podIdentity, senderVrf: podVrf },
  ];
  for (const { receiverVrf, identity, senderVrf } of labels) {
    const label = 1000 * receiverVrf + identity;
    datapath.labelsOut.upsert([[{ vrf: receiverVrf, identity }, label]]);
    datapath.labelsIn.upsert([[label, { vrf: receiverVrf, identity, senderVrf, senderSpace: 0 }]]);
  }
  datapath.nodes.upsert([
    [{ address: parseAddress(node.address) }, { self: true }],
    [{ address: remote }, { self: false }],
  ]);
  datapath.policies.upsert(
    (['ingress', 'egress'] as const).map((direction) => [
      { policy: allowAll, direction, peerIdentity: 0, protocol: 0, port: 0, portLength: 0 },
      { verdict: 'pass', rule: 1 },
    ]),
  );
}

export interface LabOptions {
  /** Of every link between the nodes; default 1500. */
  readonly underlayMtu?: number;
  /** Default: few, so that a full table is reached soon. */
  readonly flowCapacity?: number;
  /** Sources of the programs; default: where they are as seen from this file, which a bundle is not. */
  readonly programFolder?: string;
}

export class Lab {
  readonly id = `lab${process.pid}`;
  readonly folder = mkdtempSync(join(tmpdir(), 'vrouter-lab-'));
  readonly bpffs = join(this.folder, 'bpf');
  readonly objectFile = join(this.folder, 'vrouter.bpf.o');
  private readonly namespaces: string[] = [];
  /** Namespaces with a device on the bridge. */
  private readonly ends: string[] = [];
  private linkCount = 0;
  nodes: Node[] = [];
  outside: NetnsPeer | undefined;

  private constructor(readonly flowCapacity: number, private underlayMtu: number) {}

  /** Compiles the programs, mounts a bpf file system, and builds the whole cluster. */
  static async create(options: LabOptions = {}): Promise<Lab> {
    const { flowCapacity = 4096, underlayMtu = 1500 } = options;
    const { programFolder = join(__dirname, '../../../bpf') } = options;
    const lab = new Lab(flowCapacity, underlayMtu);
    execFileSync(join(programFolder, 'build.sh'), [lab.folder]);
    mkdirSync(lab.bpffs);
    execFileSync('mount', ['-t', 'bpf', 'bpf', lab.bpffs]);
    lab.addNetns('bridge');
    ip('-n', lab.nameOf('bridge'), 'link', 'add', 'br0', 'type', 'bridge');
    ip('-n', lab.nameOf('bridge'), 'link', 'set', 'br0', 'up');
    lab.outside = new NetnsPeer(lab.addNetns('outside', '192.0.2.100/24'));
    const one = await Node.create(lab, 'n1', '192.0.2.1');
    const two = await Node.create(lab, 'n2', '192.0.2.2');
    lab.nodes = [one, two];
    await one.addPod(lab, 'p1a', '198.51.100.11', { mac: 0x11 });
    await one.addPod(lab, 'p1b', '198.51.100.12', { mac: 0x12 });
    await two.addPod(lab, 'p2a', '198.51.100.21', { mac: 0x21 });
    await two.addPod(lab, 'p2b', '198.51.100.22', { mac: 0x22 });
    programNode(one, two);
    programNode(two, one);
    return lab;
  }

  /** Of pods that are made now. */
  get podMtu(): number {
    return this.underlayMtu - overhead;
  }

  /** Changes every link of the underlay, and what both nodes make of it; pods stay as they are. */
  setUnderlayMtu(mtu: number): void {
    this.underlayMtu = mtu;
    const wires = Array.from({ length: this.linkCount }, (_, index) => `port${index}`);
    const ends = this.ends.map((name) => [name, 'eth0'] as const);
    for (const [name, device] of [...wires.map((wire) => ['bridge', wire] as const), ...ends]) {
      ip('-n', this.nameOf(name), 'link', 'set', device, 'mtu', `${mtu}`);
    }
    this.nodes.forEach((node) => node.followUplink());
  }

  nameOf(name: string): string {
    return `${this.id}-${name}`;
  }

  /** Makes a namespace; with an address also a device eth0 on the bridge. */
  addNetns(name: string, address?: string): string {
    const full = this.nameOf(name);
    ip('netns', 'add', full);
    this.namespaces.push(full);
    ip('-n', full, 'link', 'set', 'lo', 'up');
    if (address !== undefined) {
      const bridge = this.nameOf('bridge');
      const port = `port${this.linkCount++}`;
      const mtu = `${this.underlayMtu}`;
      ip('-n', bridge, 'link', 'add', port, 'mtu', mtu, 'type', 'veth', 'peer', 'name', 'eth0', 'mtu', mtu, 'netns', full);
      this.ends.push(name);
      ip('-n', bridge, 'link', 'set', port, 'master', 'br0', 'up');
      ip('-n', full, 'addr', 'add', address, 'dev', 'eth0');
      ip('-n', full, 'link', 'set', 'eth0', 'up');
    }
    // One after the other, the ways of a spec ask for more errors than Linux sends to one address.
    inNetns(`/run/netns/${full}`, () => writeSysctl('ipv4/icmp_ratelimit', '0'));
    return `/run/netns/${full}`;
  }

  async destroy(): Promise<void> {
    for (const node of this.nodes) {
      await node.datapath.close();
      await node.peer.stop();
      await Promise.all(node.pods.map((pod) => pod.peer.stop()));
    }
    await this.outside?.stop();
    this.namespaces.forEach((name) => ip('netns', 'del', name));
    if (existsSync(this.bpffs)) {
      execFileSync('umount', [this.bpffs]);
    }
    rmSync(this.folder, { recursive: true });
  }
}
