import type { AckException, Batch, TracedChange } from '@contrail/proto-gen/control/v1/messages';
import { backoffDelayMs } from '@contrail/reconcile';
import type { Datapath } from '../datapath/port';
import type { NodeDevices } from '../node/node-devices';
import { NodeSync } from '../node/node-sync';
import type { Loss } from '../node/node-sync';
import type { ExpectedNode } from '../node/node-sync';
import { DesiredState } from '../oper/desired-state';
import type { AttachedDevice } from '../oper/facts';
import { globalUnit, interfaceUnit, policyUnit } from '../oper/unit-key';
import { tableNames } from '../oper/desired-tables';
import type { TableName } from '../oper/desired-tables';
import { StaleBackends } from './stale-backends';
import { createSyncedTables, flushTables } from './synced-tables';
import type { SyncedTables } from './synced-tables';
import { withTracedChanges } from './with-traced-changes';

const retryPolicy = { firstMs: 100, maxMs: 10_000, factor: 2, jitter: 0.5 };
/** Changes during the first snapshot whose traces end with its first flush. */
const tracedMax = 1000;

export interface Progress {
  /** Highest revision that is fully programmed, except for the exceptions. */
  readonly revision: bigint;
  /** Of the stream's last batch that is programmed, likewise. */
  readonly sequence: bigint;
  readonly exceptions: readonly AckException[];
}

/**
 * The state of forwarding on this node: takes entries and local facts, keeps the datapath at what
 * they say. Until the first InSync it reads and writes nothing but what the node itself decides
 * (detaching), so that traffic goes on while an agent restarts.
 */
export class ForwardingState {
  readonly desired: DesiredState;
  readonly tables: SyncedTables;
  readonly #datapath: Datapath;
  readonly #node: NodeSync;
  readonly #staleBackends: StaleBackends;
  readonly #listeners = new Set<() => void>();
  #inSync = false;
  #snapshotOpen = false;
  #received = 0n;
  #programmed = 0n;
  #receivedSequence = 0n;
  #programmedSequence = 0n;
  #generation: number;
  #traced: TracedChange[] = [];
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;

  /** @param generation first policy generation: higher than any that a flow in the datapath has. */
  constructor(options: { node: string; datapath: Datapath; nodeDevices: NodeDevices; generation: number }) {
    this.#datapath = options.datapath;
    this.#generation = options.generation;
    this.desired = new DesiredState(options.node, options.datapath);
    this.#node = new NodeSync(options.datapath, options.nodeDevices, this.desired);
    this.tables = createSyncedTables(options.datapath, this.desired.tables);
    this.#staleBackends = new StaleBackends(options.datapath, this.desired.tables);
    for (const name of tableNames) this.tables[name].readBack();
    this.desired.readBack(options.datapath);
    this.#staleBackends.readBack();
  }

  /** True from the first InSync on: the datapath follows control. */
  get inSync(): boolean {
    return this.#inSync;
  }

  get revisionReceived(): bigint {
    return this.#received;
  }

  get revisionProgrammed(): bigint {
    return this.#programmed;
  }

  /** Why devices or programs of the node are not as they should be; undefined when they are. */
  get nodeProblem(): string | undefined {
    return this.#node.problem;
  }

  /** What globals, devices and hooks of the node should be; undefined before the first configuration. */
  expectedNode(): ExpectedNode | undefined {
    return this.#node.expected(this.#generation);
  }

  /** Somebody changed the table behind the agent: reads it back and writes what differs. */
  rewriteTable(name: TableName): void {
    this.tables[name].readBack();
    this.tables[name].markAll();
    if (this.#inSync) this.#flush();
  }

  /** Somebody changed devices, globals or programs: makes all of them anew. */
  rewriteNode(): void {
    this.#node.distrust();
    if (this.#inSync) this.#flush();
  }

  /** Undefined while a snapshot is not complete. */
  progress(): Progress | undefined {
    if (!this.#inSync || this.#snapshotOpen) return undefined;
    return { revision: this.#programmed, sequence: this.#programmedSequence, exceptions: this.#exceptions() };
  }

  /** What stands in the way of the desired state, in sentences. */
  problems(): string[] {
    return this.#exceptions().map(({ key, reason }) => `${key}: ${reason}`);
  }

  /** A stream begins: what it does not mention until its InSync goes then. */
  beginSnapshot(): void {
    this.#snapshotOpen = true;
    this.desired.beginSnapshot();
  }

  applyBatch(batch: Batch): void {
    for (const entry of batch.entries) this.desired.put(entry);
    for (const key of batch.removals) this.desired.remove(key);
    this.#received = batch.revision;
    this.#receivedSequence = batch.sequence;
    const entries = batch.entries.length + batch.removals.length;
    const changes = [...this.#traced, ...batch.traced].slice(0, tracedMax);
    if (!this.#inSync) {
      this.#traced = changes;
      return;
    }
    withTracedChanges({ node: this.desired.self, entries, changes }, () => this.#flush());
  }

  endSnapshot(revision: bigint): void {
    this.desired.endSnapshot();
    this.#snapshotOpen = false;
    this.#received = revision;
    const first = !this.#inSync;
    this.#inSync = true;
    if (first) for (const name of tableNames) this.tables[name].markAll();
    const changes = this.#traced;
    this.#traced = [];
    withTracedChanges({ node: this.desired.self, entries: changes.length, changes }, () => this.#flush());
    if (first) this.desired.releaseUnowned();
    if (first) this.#pruneDrops();
  }

  /** Repairs what others took from devices and programs, and tells it; nothing before the first InSync. */
  recheck(disturbed: ReadonlySet<number> | 'all'): readonly Loss[] {
    if (!this.#inSync) return [];
    const { losses, needsFlush } = this.#node.recheck(disturbed);
    if (needsFlush) this.#flush();
    return losses;
  }

  setDevice(vmiUuid: string, device: AttachedDevice): void {
    this.desired.setDevice(vmiUuid, device);
    if (this.#inSync) this.#flush();
  }

  /** Closes the interface at once, also before the first InSync. */
  removeDevice(vmiUuid: string): void {
    const device = this.desired.device(vmiUuid);
    this.desired.setDevice(vmiUuid, undefined);
    if (this.#inSync) this.#flush();
    if (!device) return;
    const vlan = this.desired.entries.findInterface(vmiUuid)?.vlan ?? 0;
    this.tables.vifs.removeNow({ ifindex: device.ifindex, vlan });
    this.#datapath.removeFlows(device.ifindex, vlan);
  }

  /** Closes a device of which no attachment tells; its rows may be from before a restart. */
  removeUnknownDevice(ifindex: number): void {
    const vmiUuid = this.desired.vmiOf(ifindex);
    if (vmiUuid !== undefined) return this.removeDevice(vmiUuid);
    for (const [key] of [...this.tables.vifs.rows()]) {
      if (key.ifindex === ifindex) this.tables.vifs.removeNow(key);
    }
    this.#datapath.removeFlows(ifindex, 0);
  }

  /** True when everything that the interface wants, and its policy, is in the datapath. */
  holdsInterface(vmiUuid: string): boolean {
    const policy = this.desired.entries.findInterface(vmiUuid)?.policy ?? 0;
    const units = [interfaceUnit(vmiUuid), policyUnit(policy)];
    if (!this.#inSync || policy === 0 || units.some((unit) => this.desired.malformed.has(unit))) return false;
    return units.every((unit) => tableNames.every((name) => this.tables[name].holds(unit)));
  }

  /** Follows the underlay: called every few seconds, it does something when the uplink's MTU changed. */
  followUplink(): void {
    if (this.#inSync && this.#node.followUplink()) this.#flush();
  }

  /** Called after every flush. @returns stops the calls. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  stop(): void {
    clearTimeout(this.#retry);
    this.#listeners.clear();
  }

  #flush(): void {
    this.#node.prepare();
    this.desired.derive();
    for (const name of tableNames) this.tables[name].markChanged();
    const changedServices = this.tables.services.dirtyTexts();
    const result = flushTables(this.tables, this.desired.entries.global()?.fabricVrf ?? 0);
    if (result.verdictsChanged) this.#generation += 1;
    if (result.vrfsRemoved) this.#pruneDrops();
    this.#node.program(this.#generation);
    this.#staleBackends.removeFlows(changedServices);
    this.#programmed = this.#received;
    this.#programmedSequence = this.#receivedSequence;
    this.#scheduleRetry();
    for (const listener of [...this.#listeners]) listener();
  }

  /** Drops are counted for each VRF; those of a VRF that is gone would stay for ever. */
  #pruneDrops(): void {
    this.#datapath.pruneDrops(new Set([...this.tables.vrfs.rows()].map(([id]) => id)));
  }

  #exceptions(): AckException[] {
    const exceptions = new Map<string, string>(this.desired.malformed);
    for (const name of tableNames) {
      for (const { owners, reason } of this.tables[name].failures()) {
        for (const owner of owners) if (!exceptions.has(owner)) exceptions.set(owner, reason);
      }
    }
    const nodeProblem = this.#node.problem;
    if (nodeProblem !== undefined) exceptions.set(globalUnit, nodeProblem);
    return [...exceptions].map(([key, reason]) => ({ key, reason }));
  }

  #scheduleRetry(): void {
    clearTimeout(this.#retry);
    const failed = tableNames.some((name) => this.tables[name].hasFailures);
    if (!failed && this.#node.problem === undefined) {
      this.#failures = 0;
      return;
    }
    this.#failures += 1;
    this.#retry = setTimeout(() => this.#flush(), backoffDelayMs(retryPolicy, this.#failures, Math.random()));
    this.#retry.unref();
  }
}
