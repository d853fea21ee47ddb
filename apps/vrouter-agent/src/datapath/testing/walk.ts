/**
 * One node in a network namespace whose programs are run on single packets (BPF_PROG_TEST_RUN):
 * packet in, verdict, packet and flow records out. Devices exist, nothing is sent.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAddress } from '@contrail/net';
import { type PacketRun, type PacketRunOptions, runOnPacket } from '../bpf/test-run';
import type { KernelDatapath } from '../kernel-datapath';
import { createKernelDatapath } from '../kernel-datapath';
import { inNetns } from '../netlink/netns';
import type {
  DatapathGlobals,
  Flow,
  Hook,
  NextHopValue,
  PolicyKey,
  ServiceValue,
  VifValue,
} from '../port';
import { baseNextHop, baseService } from './lab';
import { buildFrame, type Frame, readFrame, type Seen } from './packet';

export const verdicts = { ok: 0, drop: 2, redirect: 7 } as const;

export interface WalkPod {
  readonly ifindex: number;
  readonly address: string;
  readonly mac: Uint8Array;
  readonly vrf: number;
  readonly nextHop: number;
}

/** What a walk of one packet showed. */
export interface Step extends Seen {
  readonly verdict: number;
  readonly mark: number;
}

export class Walk {
  private constructor(
    readonly name: string,
    readonly folder: string,
    readonly datapath: KernelDatapath,
    public globals: DatapathGlobals,
  ) {}

  static async create(options: {
    flowCapacity: number;
    withoutNewFeatures?: boolean;
    endedGraceMs?: number;
  }): Promise<Walk> {
    const name = `walk${process.pid}`;
    const folder = mkdtempSync(join(tmpdir(), 'vrouter-walk-'));
    const objectFile = join(folder, 'vrouter.bpf.o');
    execFileSync(join(__dirname, '../../../bpf/build.sh'), [folder]);
    mkdirSync(join(folder, 'bpf'));
    execFileSync('mount', ['-t', 'bpf', 'bpf', join(folder, 'bpf')]);
    for (const netns of [name, `${name}-pods`]) {
      execFileSync('ip', ['netns', 'add', netns]);
      execFileSync('ip', ['-n', netns, 'link', 'set', 'lo', 'up']);
    }
    const link = ['-n', name, 'link'];
    execFileSync('ip', [...link, 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0-peer']);
    execFileSync('ip', ['-n', name, 'addr', 'add', '192.0.2.1/24', 'dev', 'eth0']);
    execFileSync('ip', [...link, 'set', 'eth0', 'up']);
    execFileSync('ip', [...link, 'set', 'eth0-peer', 'up']);
    const datapath = await inNetns(`/run/netns/${name}`, () =>
      createKernelDatapath({
        objectFile,
        pinPath: join(folder, 'bpf', 'contrail'),
        endedGraceMs: 0,
        ...options,
      }));
    const globals = inNetns(`/run/netns/${name}`, () => openDevices(datapath));
    return new Walk(name, folder, datapath, globals);
  }

  /** Changes some of what the programs read. */
  setGlobals(changes: Partial<DatapathGlobals>): void {
    this.globals = { ...this.globals, ...changes };
    this.datapath.setGlobals(this.globals);
  }

  addPod(index: number, options: Partial<VifValue> & { address: string }): WalkPod {
    const { address, ...vif } = options;
    const mac = Uint8Array.of(2, 0, 0, 0, 0, index);
    const { hostIfindex } = inNetns(
      `/run/netns/${this.name}`,
      () =>
        this.datapath.devices.createPodInterface({
          netnsPath: `/run/netns/${this.name}-pods`,
          containerInterface: `c${index}`,
          hostInterface: `v${index}`,
          mac,
          addresses: [],
          gatewayV4: undefined,
          gatewayV6: undefined,
          sourceRoutes: [],
          mtu: 1450,
        }),
    );
    inNetns(`/run/netns/${this.name}`, () => this.datapath.devices.activatePodInterface(hostIfindex));
    const vrf = vif.vrf ?? 1;
    const nextHop = 100 + index;
    const prefix = { address: parseAddress(address), length: 32 };
    this.datapath.vifs.upsert([
      [
        { ifindex: hostIfindex, vlan: 0 },
        {
          kind: 'pod',
          vrf,
          identity: 10,
          policy: 1,
          portSecurity: true,
          mac,
          mtu: 1450,
          maxFlows: 0,
          uuid: new Uint8Array(16),
          addressesV4: [],
          ...vif,
        },
      ],
    ]);
    this.datapath.sources.upsert([[{ ifindex: hostIfindex, vlan: 0, prefix }, true]]);
    this.setNextHop(nextHop, { kind: 'encap', ifindex: hostIfindex, mac });
    this.setRoute(vrf, address, nextHop);
    return { ifindex: hostIfindex, address, mac, vrf, nextHop };
  }

  setNextHop(id: number, hop: Partial<NextHopValue>): void {
    this.datapath.nextHops.upsert([[id, { ...baseNextHop, ...hop }]]);
  }

  setRoute(vrf: number, prefix: string, nextHop: number, identity = 0): void {
    const [address = '', length] = prefix.split('/');
    const value = { nextHop, identity };
    if (length === undefined) {
      this.datapath.hostRoutes.upsert([[{ vrf, address: parseAddress(address) }, value]]);
    } else {
      const key = { vrf, prefix: { address: parseAddress(address), length: Number(length) } };
      this.datapath.prefixRoutes.upsert([[key, value]]);
    }
  }

  setService(
    vrf: number,
    address: string,
    port: number,
    service: Partial<ServiceValue> & { id: number },
    backends: ReadonlyArray<{ address: string; port: number; vrf?: number }>,
  ): void {
    const value = { ...baseService, ...service, slotCount: backends.length };
    this.datapath.services.upsert(
      [6, 17].map((protocol) => [{ vrf, address: parseAddress(address), protocol, port }, value]),
    );
    this.datapath.backends.upsert(
      backends.map((backend, slot) => [
        { service: service.id, slot },
        { address: parseAddress(backend.address), port: backend.port, vrf: backend.vrf ?? vrf },
      ]),
    );
  }

  setPolicy(
    key: Partial<PolicyKey> & { policy: number },
    verdict: 'pass' | 'deny',
    rule = 0,
  ): void {
    for (const direction of key.direction ? [key.direction] : (['ingress', 'egress'] as const)) {
      this.datapath.policies.upsert([
        [
          { peerIdentity: 0, protocol: 0, port: 0, portLength: 0, ...key, direction },
          { verdict, rule },
        ],
      ]);
    }
  }

  /** Runs the program of a hook on bytes. */
  runRaw(
    hook: Hook,
    ifindex: number,
    packet: Buffer,
    options: Partial<PacketRunOptions> = {},
  ): PacketRun {
    return inNetns(
      `/run/netns/${this.name}`,
      () => runOnPacket(this.datapath.programFd(hook), packet, { ifindex, ...options }),
    );
  }

  run(
    hook: Hook,
    ifindex: number,
    frame: Frame,
    options: Partial<PacketRunOptions> = {},
  ): Step {
    const result = this.runRaw(hook, ifindex, buildFrame(frame), options);
    return { ...readFrame(result.packet), verdict: result.verdict, mark: result.mark };
  }

  /** The pod sends; TCP to port 80 when nothing else is said. */
  send(pod: WalkPod, destination: string, frame: Partial<Frame> = {}): Step {
    return this.run('pod', pod.ifindex, {
      sourceMac: pod.mac,
      source: pod.address,
      destination,
      protocol: 'tcp',
      sourcePort: 40_000,
      destinationPort: 80,
      ...frame,
    });
  }

  async flows(): Promise<Flow[]> {
    const all: Flow[] = [];
    for await (const batch of this.datapath.flows()) {
      all.push(...batch);
    }
    return all.sort((a, b) => a.zone - b.zone || a.localPort - b.localPort);
  }

  /** Ends every flow of the pods and devices named. */
  async clear(...ifindexes: readonly number[]): Promise<void> {
    // The first sweep ends, the next deletes.
    [...ifindexes, 0].forEach((ifindex) => this.datapath.removeFlows(ifindex, 0));
    await this.datapath.flowTable.settled();
  }

  dropCount(reason: string, vrf?: number): number {
    return this.datapath
      .drops()
      .filter((drop) => drop.reasonName === reason && (vrf === undefined || drop.vrf === vrf))
      .reduce((sum, { packets }) => sum + Number(packets), 0);
  }

  async destroy(): Promise<void> {
    await this.datapath.close();
    execFileSync('ip', ['netns', 'del', this.name]);
    execFileSync('ip', ['netns', 'del', `${this.name}-pods`]);
    execFileSync('umount', [join(this.folder, 'bpf')]);
    rmSync(this.folder, { recursive: true });
  }
}

function openDevices(datapath: KernelDatapath): DatapathGlobals {
  const node = parseAddress('192.0.2.1');
  const globals: DatapathGlobals = {
    nodeAddressV4: node,
    nodeAddressV6: undefined,
    uplinkIfindex: datapath.devices.findUplink(node).ifindex,
    tunnelIfindex: datapath.devices.ensureTunnel({ mtu: 1450 }).ifindex,
    hostIfindex: datapath.devices.ensureHostInterface({
      mtu: 1450,
      nodeAddress: node,
      prefixes: [{ address: parseAddress('198.51.100.0'), length: 24 }],
    }).ifindex,
    fabricVrf: 2,
    hostIdentity: 1,
    snatPortMin: 61_000,
    snatPortMax: 65_535,
    hairpinAddressV4: parseAddress('198.51.100.1'),
    hairpinAddressV6: undefined,
    generation: 1,
    tcpEstablishedS: 8000,
    tcpHalfOpenS: 60,
    tcpClosingS: 10,
    udpS: 60,
    udpStreamS: 180,
    icmpS: 30,
    uplinkMtu: 1500,
    tunnelMtu: 1450,
  };
  datapath.setGlobals(globals);
  return globals;
}
