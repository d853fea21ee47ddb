import { errorText } from '@contrail/errors';
import type { BpfObject, OpenedObject } from './bpf/bpf-object';
import { loadBpfObject } from './bpf/bpf-object';
import type { Direction } from './bpf/classifier';
import { libbpf } from './bpf/libbpf';
import { attachClassifier, detachClassifier } from './bpf/classifier';
import { KernelDevices } from './devices/kernel-devices';
import { RingBuffer, toDropEvent } from './drop-events';
import { pruneDrops, readDrops } from './drop-table';
import { FlowTable } from './flow-table';
import { readUsage, vifOwner, vrfOwner } from './flow-usage';
import type { KernelProbes } from './kernel-features';
import { requireKernelFeatures } from './kernel-features';
import { kernelProbes } from './kernel-probes';
import { KernelGlobals } from './kernel-globals';
import { KernelTable } from './kernel-table';
import { KernelUpkeep } from './kernel-upkeep';
import type { TableLayout } from './layout/table-layouts';
import { tableLayouts } from './layout/table-layouts';
import type { Datapath, DatapathGlobals, DropCount, DropEvent, Flow, Hook } from './port';
import { findOtherLayouts, type OtherLayout, prepareConverter, Takeover } from './takeover';
import type { Timeouts } from './user-sweep';

export interface KernelDatapathOptions {
  /** The compiled programs, vrouter.bpf.o. */
  readonly objectFile: string;
  /** Folder on a bpf file system; maps go into a folder of their layout below it. */
  readonly pinPath: string;
  /** Flow records in the table; ignored when a table exists already. */
  readonly flowCapacity: number;
  /** What work in the background met: expiry of flows, removal of devices. Default: a warning. */
  readonly onFailure?: (error: unknown) => void;
  /** How long an ended flow record stays, for tests; default 1000. */
  readonly endedGraceMs?: number;
  /** Do without what kernels before 5.14 lack, for tests; default: what the kernel says. */
  readonly withoutNewFeatures?: boolean;
  /** Default: tries on this node's kernel. */
  readonly probes?: KernelProbes;
}

/** BPF_PROG_TYPE_SYSCALL, since Linux 5.14. */
const taskProgramType = 31;

const expiryIntervalMs = 1000;
/** Of so many sweeps one mends the counts of owners. */
const sweepsPerRecount = 10;
const eventIntervalMs = 100;
const defaultGraceMs = 1000;

const hookDirections: Readonly<Record<Hook, Direction>> = {
  pod: 'ingress',
  tunnel: 'ingress',
  uplink: 'ingress',
  host: 'egress',
  loopback: 'ingress',
};

/** Their order in `slow_programs` of bpf/vrouter.bpf.c is the same in every version. */
const slowPrograms = ['pod_slow', 'tunnel_slow', 'uplink_slow', 'host_slow', 'loopback_slow'];

/**
 * Hooks whose fast half lets packets without a flow go on to the node's stack: they must know the
 * flows of every layout first.
 */
const passingHooks: ReadonlySet<Hook> = new Set<Hook>(['uplink', 'loopback']);

function openTable<K, V>(object: BpfObject, layout: TableLayout<K, V>, onChange: () => void): KernelTable<K, V> {
  return new KernelTable(
    layout,
    layout.maps.map(({ map }) => object.getMap(map)),
    onChange,
  );
}

/** The port on this node's kernel. Maps and programs outlive the process. */
export class KernelDatapath implements Datapath {
  readonly vifs: Datapath['vifs'];
  readonly sources: Datapath['sources'];
  readonly hostRoutes: Datapath['hostRoutes'];
  readonly prefixRoutes: Datapath['prefixRoutes'];
  readonly nextHops: Datapath['nextHops'];
  readonly composites: Datapath['composites'];
  readonly labelsIn: Datapath['labelsIn'];
  readonly labelsOut: Datapath['labelsOut'];
  readonly services: Datapath['services'];
  readonly backends: Datapath['backends'];
  readonly sourceRanges: Datapath['sourceRanges'];
  readonly nodes: Datapath['nodes'];
  readonly policies: Datapath['policies'];
  readonly vrfs: Datapath['vrfs'];
  readonly devices: KernelDevices;
  readonly upkeep: KernelUpkeep;
  readonly layoutVersion: number;
  readonly flowTable: FlowTable;
  private readonly globals: KernelGlobals;
  private readonly ring: RingBuffer;
  private readonly timers: NodeJS.Timeout[];
  private readonly dropListeners: Array<(event: DropEvent) => void> = [];
  private sweeps = 0;

  constructor(
    private readonly object: BpfObject,
    private readonly takeover: Takeover,
    options: { readonly onFailure: (error: unknown) => void; readonly endedGraceMs?: number },
  ) {
    this.layoutVersion = object.layout;
    this.globals = new KernelGlobals(object.getMap('globals'));
    const forget = (): void => this.globals.forgetTables();
    this.vifs = openTable(object, tableLayouts.vifs, forget);
    this.sources = openTable(object, tableLayouts.sources, forget);
    this.hostRoutes = openTable(object, tableLayouts.hostRoutes, forget);
    this.prefixRoutes = openTable(object, tableLayouts.prefixRoutes, forget);
    this.nextHops = openTable(object, tableLayouts.nextHops, forget);
    this.composites = openTable(object, tableLayouts.composites, forget);
    this.labelsIn = openTable(object, tableLayouts.labelsIn, forget);
    this.labelsOut = openTable(object, tableLayouts.labelsOut, forget);
    this.services = openTable(object, tableLayouts.services, forget);
    this.backends = openTable(object, tableLayouts.backends, forget);
    this.sourceRanges = openTable(object, tableLayouts.sourceRanges, forget);
    this.nodes = openTable(object, tableLayouts.nodes, forget);
    this.policies = openTable(object, tableLayouts.policies, forget);
    this.vrfs = openTable(object, tableLayouts.vrfs, forget);
    const { onFailure } = options;
    this.devices = new KernelDevices(onFailure);
    this.upkeep = new KernelUpkeep({
      object,
      directionOf: (hook) => hookDirections[hook],
      readGlobals: () => this.globals.read(),
    });
    this.flowTable = new FlowTable({
      flows: object.getMap('flows_v4'),
      usages: object.getMap('usages'),
      sweepCommand: object.getMap('sweep_command'),
      sweepProgramFd: object.findProgramFd('sweep'),
      graceMs: options.endedGraceMs ?? defaultGraceMs,
      timeouts: () => this.timeouts(),
      onFailure,
    });
    const { fd, maxEntries } = object.getMap('drop_events').shape;
    this.ring = new RingBuffer(fd, maxEntries);
    this.timers = [
      setInterval(() => this.expire(), expiryIntervalMs),
      setInterval(() => this.deliverEvents(), eventIntervalMs),
    ];
    this.timers.forEach((timer) => timer.unref());
  }

  setGlobals(globals: DatapathGlobals): void {
    this.globals.write(globals);
  }

  attach(ifindex: number, hook: Hook): void {
    if (!passingHooks.has(hook)) this.takeover.begin();
    attachClassifier(ifindex, hookDirections[hook], this.programFd(hook));
  }

  retireOtherLayouts(): void {
    void this.takeover.finish();
  }

  /** Resolves when the flows of other layouts are moved. */
  takenOver(): Promise<void> {
    return this.takeover.finish();
  }

  detach(ifindex: number): void {
    detachClassifier(ifindex, 'ingress');
    detachClassifier(ifindex, 'egress');
  }

  /** For runs on single packets. */
  programFd(hook: Hook): number {
    return this.object.getProgramFd(hook);
  }

  flows(): AsyncIterable<readonly Flow[]> {
    return this.flowTable.list();
  }

  flowCount(): { used: number; capacity: number } {
    return this.flowTable.count();
  }

  vifFlows(ifindex: number, vlan: number): number {
    return readUsage(this.object.getMap('usages'), vifOwner(ifindex, vlan));
  }

  vrfFlows(vrf: number): number {
    return readUsage(this.object.getMap('usages'), vrfOwner(vrf));
  }

  removeFlows(ifindex: number, vlan: number): void {
    void this.flowTable.removeZone(ifindex, vlan);
  }

  removeFlowsToBackend(vrf: number, address: Uint8Array, port: number, protocol: number): void {
    void this.flowTable.removeBackend({ vrf, address, port, protocol });
  }

  drops(): DropCount[] {
    return readDrops(this.object.getMap('drop_counts'));
  }

  pruneDrops(vrfs: ReadonlySet<number>): void {
    pruneDrops(this.object.getMap('drop_counts'), vrfs);
  }

  onDrop(listener: (event: DropEvent) => void): void {
    this.dropListeners.push(listener);
  }

  async close(): Promise<void> {
    this.timers.forEach((timer) => clearInterval(timer));
    await this.flowTable.settled();
    await this.devices.close();
    this.ring.close();
  }

  private expire(): void {
    this.sweeps += 1;
    void this.flowTable.expire(this.sweeps % sweepsPerRecount === 0);
  }

  private timeouts(): Timeouts | undefined {
    const globals = this.globals.raw();
    return globals?.tcpEstablishedS === 0 ? undefined : globals;
  }

  /** Nobody listens: events stay in the ring, which then refuses new ones. */
  private deliverEvents(): void {
    if (this.dropListeners.length === 0) {
      return;
    }
    for (const record of this.ring.drain()) {
      const event = toDropEvent(record);
      this.dropListeners.forEach((listener) => listener(event));
    }
  }
}

/**
 * Loads the programs beside the maps of an earlier run, if there are any; nothing is attached yet and
 * nothing is removed. Programs attached by an earlier run go on working meanwhile.
 * @throws ContrailError FAILED_PRECONDITION naming what the kernel or the node lacks.
 */
export function createKernelDatapath(options: KernelDatapathOptions): Promise<KernelDatapath> {
  requireKernelFeatures(options.probes ?? kernelProbes);
  const hasTasks = options.withoutNewFeatures !== true &&
    libbpf().probeProgramType(taskProgramType) === 1;
  const onFailure = options.onFailure ?? ((error: unknown): void => process.emitWarning(errorText(error)));
  let others: OtherLayout[] | undefined;
  const prepare = (opened: OpenedObject): void => {
    others ??= findOtherLayouts(options.pinPath, opened.folder, onFailure);
    prepareConverter(opened, others[0]);
  };
  const object = loadBpfObject({
    objectFile: options.objectFile,
    pinPath: options.pinPath,
    maxEntries: { flows_v4: options.flowCapacity },
    transient: ['scratch', 'adoption_scratch', 'tunnel_places', 'known_courses', 'other_flows'],
    perCpu: ['drop_counts', 'scratch', 'adoption_scratch', 'tunnel_places', 'known_courses'],
    withoutPrograms: hasTasks ? [] : ['sweep'],
    prepare,
  });
  const takeover = new Takeover({
    others: others ?? [],
    flows: object.getMap('flows_v4'),
    records: object.getLayout('flows_v4'),
    otherFlows: object.getMap('other_flows'),
    slowPrograms: slowPrograms.map((name) => object.getProgramFd(name)),
    onFailure,
  });
  const datapath = new KernelDatapath(object, takeover, { ...options, onFailure });
  datapath.devices.ensureGuard();
  return Promise.resolve(datapath);
}
