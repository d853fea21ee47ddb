import { tableLayouts } from '../layout/table-layouts';
import type { Datapath, DatapathGlobals, DropCount, DropEvent, Flow, Held, Hook, Upkeep } from '../port';
import { FakeDevices } from './fake-devices';
import { FakeTable } from './fake-table';

/**
 * The port in memory. It keeps what is written and forwards nothing; tests read the public tables and
 * set `flowList` and `dropList` to play the kernel's part.
 */
export class FakeDatapath implements Datapath {
  readonly vifs = new FakeTable(tableLayouts.vifs);
  readonly sources = new FakeTable(tableLayouts.sources);
  readonly hostRoutes = new FakeTable(tableLayouts.hostRoutes);
  readonly prefixRoutes = new FakeTable(tableLayouts.prefixRoutes);
  readonly nextHops = new FakeTable(tableLayouts.nextHops);
  readonly composites = new FakeTable(tableLayouts.composites);
  readonly labelsIn = new FakeTable(tableLayouts.labelsIn);
  readonly labelsOut = new FakeTable(tableLayouts.labelsOut);
  readonly services = new FakeTable(tableLayouts.services);
  readonly backends = new FakeTable(tableLayouts.backends);
  readonly sourceRanges = new FakeTable(tableLayouts.sourceRanges);
  readonly nodes = new FakeTable(tableLayouts.nodes);
  readonly policies = new FakeTable(tableLayouts.policies);
  readonly vrfs = new FakeTable(tableLayouts.vrfs);
  readonly devices = new FakeDevices();
  /** Slow programs and pins that are not as they should be, by object, with what is there instead. */
  readonly swapped = new Map<string, string | undefined>();
  readonly upkeep: Upkeep = {
    inspectHook: (ifindex, hook) => ({ object: `${hook} at ifindex ${ifindex}`, expected: hook, found: this.attached.get(ifindex) }),
    inspectSlowPrograms: () => [this.held('pod_slow')],
    inspectPins: () => [this.held('/pins/vifs')],
    readGlobals: () => this.globals,
    restore: () => this.swapped.clear(),
  };
  readonly layoutVersion = 1;
  globals: DatapathGlobals | undefined;
  readonly attached = new Map<number, Hook>();
  retirements = 0;
  flowList: Flow[] = [];
  flowCapacity = 262_144;
  dropList: DropCount[] = [];
  closed = false;
  private readonly dropListeners: Array<(event: DropEvent) => void> = [];

  setGlobals(globals: DatapathGlobals): void {
    this.globals = globals;
  }

  attach(ifindex: number, hook: Hook): void {
    this.attached.set(ifindex, hook);
  }

  detach(ifindex: number): void {
    this.attached.delete(ifindex);
  }

  retireOtherLayouts(): void {
    this.retirements += 1;
  }

  async *flows(): AsyncIterable<readonly Flow[]> {
    for (let start = 0; start < this.flowList.length; start += 1000) {
      yield await Promise.resolve(this.flowList.slice(start, start + 1000));
    }
  }

  flowCount(): { used: number; capacity: number } {
    return { used: this.flowList.length, capacity: this.flowCapacity };
  }

  vifFlows(ifindex: number, vlan: number): number {
    return this.flowList.filter((flow) => flow.zone === ifindex && flow.vlan === vlan).length;
  }

  vrfFlows(): number {
    return 0;
  }

  removeFlows(ifindex: number, vlan: number): void {
    this.flowList = this.flowList.filter((flow) => flow.zone !== ifindex || flow.vlan !== vlan);
  }

  removeFlowsToBackend(vrf: number, address: Uint8Array, port: number, protocol: number): void {
    const text = `${vrf} ${Buffer.from(address).toString('hex')} ${port} ${protocol}`;
    this.flowList = this.flowList.filter((flow) => this.backendOf.get(flow) !== text);
  }

  /** Says which backend a flow of `flowList` was translated to. */
  setBackend(flow: Flow, vrf: number, address: Uint8Array, port: number): void {
    this.backendOf.set(
      flow,
      `${vrf} ${Buffer.from(address).toString('hex')} ${port} ${flow.protocol}`,
    );
  }

  drops(): DropCount[] {
    return [...this.dropList];
  }

  pruneDrops(vrfs: ReadonlySet<number>): void {
    this.dropList = this.dropList.filter(({ vrf }) => vrf === 0 || vrfs.has(vrf));
  }

  onDrop(listener: (event: DropEvent) => void): void {
    this.dropListeners.push(listener);
  }

  /** What the kernel's event ring does. */
  emitDrop(event: DropEvent): void {
    for (const listener of this.dropListeners) {
      listener(event);
    }
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  private held(object: string): Held {
    return { object, expected: 'own', found: this.swapped.has(object) ? this.swapped.get(object) : 'own' };
  }

  private readonly backendOf = new WeakMap<Flow, string>();
}
