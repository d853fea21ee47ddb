import type { GlobalConfig } from '@contrail/proto-gen/control/v1/messages';
import { errorText } from '@contrail/errors';
import { logger } from '@contrail/telemetry';
import { hostDevice, tunnelDevice } from '../datapath/port';
import type { Datapath, DatapathGlobals, Held, Hook } from '../datapath/port';
import { toDatapathGlobals } from '../oper/datapath-globals';
import type { DesiredState } from '../oper/desired-state';
import type { LocalFacts } from '../oper/facts';
import { nodeHooks } from './node-devices';
import type { NodeDevices } from './node-devices';

const log = logger('node');

/** What the node's own part of the datapath should be. */
export interface ExpectedNode {
  readonly globals: DatapathGlobals;
  readonly config: GlobalConfig;
  readonly local: LocalFacts;
  readonly hooks: ReadonlyArray<{ readonly ifindex: number; readonly hook: Hook }>;
}

/** A device or program that somebody took away, and that is made again. */
export interface Loss extends Held {
  readonly kind: 'device' | 'program';
}

type Step = 'devices' | 'globals' | 'programs';

/** Keeps the node's devices, globals and programs at what configuration and node entry say. */
export class NodeSync {
  readonly #datapath: Datapath;
  readonly #devices: NodeDevices;
  readonly #desired: DesiredState;
  readonly #problems = new Map<Step, string>();
  #inputs: readonly unknown[] = [];
  /** What the globals were made of; compared first, for it is the same with nearly every flush. */
  #globalSources: readonly unknown[] = [];
  #globalsText = '';
  #attached = false;

  constructor(datapath: Datapath, devices: NodeDevices, desired: DesiredState) {
    this.#datapath = datapath;
    this.#devices = devices;
    this.#desired = desired;
  }

  /** The step that fails, in words; it is tried again with every flush. */
  get problem(): string | undefined {
    return [...this.#problems.values()][0];
  }

  /** Undefined while there is no configuration or the devices could not be made. */
  expected(generation: number): ExpectedNode | undefined {
    const { entries, local } = this.#desired;
    const config = entries.global();
    if (!config || local.hostIfindex === 0) return undefined;
    const pods = this.#desired.devices().map(({ ifindex }) => ({ ifindex, hook: 'pod' as const }));
    return { globals: toDatapathGlobals(config, local, generation), config, local, hooks: [...nodeHooks(local), ...pods] };
  }

  /** Devices, globals and programs are done again with the next flush: somebody changed them. */
  distrust(): void {
    this.#inputs = [];
    this.#globalSources = [];
    this.#globalsText = '';
    this.#attached = false;
  }

  /** True when the underlay changed under the devices; the next flush makes them fit. */
  followUplink(): boolean {
    if (!this.#devices.isStale(this.#desired.local)) return false;
    this.#inputs = [];
    return true;
  }

  /** Before rows are derived: devices, and with them the local facts. */
  prepare(): void {
    const { entries, self } = this.#desired;
    const config = entries.global();
    const inputs = [config, entries.node(self)];
    if (!config || inputs.every((value, i) => value === this.#inputs[i])) return;
    this.#attempt('devices', () => {
      this.#desired.setLocal(this.#devices.ensure(config, entries.node(self)));
      this.#inputs = inputs;
      this.#attached = false;
    });
  }

  /** After rows are written: programs find tables and globals complete. */
  program(generation: number): void {
    const { entries, local } = this.#desired;
    const config = entries.global();
    if (!config || local.hostIfindex === 0) return;
    const sources = [config, local, generation];
    if (sources.some((value, i) => value !== this.#globalSources[i])) {
      this.#attempt('globals', () => {
        this.#setGlobals(toDatapathGlobals(config, local, generation));
        this.#globalSources = sources;
      });
    }
    if (this.#attached || this.#problems.has('globals')) return;
    this.#attempt('programs', () => {
      this.#devices.attach(local);
      this.#attached = true;
    });
    this.#attachPods();
    if (this.#attached) this.#datapath.retireOtherLayouts();
  }

  /**
   * Looks after devices that lost something: a pod's gets its program back at once, the node's own with the
   * next flush.
   *
   * @returns what was lost, and whether it needs that flush.
   */
  recheck(disturbed: ReadonlySet<number> | 'all'): { readonly losses: readonly Loss[]; readonly needsFlush: boolean } {
    if (!this.#attached) return { losses: [], needsFlush: false };
    const losses = this.#desired
      .devices()
      .filter(({ ifindex }) => disturbed === 'all' || disturbed.has(ifindex))
      .flatMap(({ ifindex }) => this.#lostPrograms([{ ifindex, hook: 'pod' }]).filter(() => this.#attachPod(ifindex)));
    const ownDevices = nodeHooks(this.#desired.local);
    const ownConcerned = disturbed === 'all' || ownDevices.some(({ ifindex }) => disturbed.has(ifindex));
    if (!ownConcerned || this.#devices.areIntact(this.#desired.local)) return { losses, needsFlush: false };
    this.#inputs = [];
    this.#attached = false;
    return { losses: [...losses, ...this.#lostDevices(), ...this.#lostPrograms(ownDevices)], needsFlush: true };
  }

  #setGlobals(globals: DatapathGlobals): void {
    const text = JSON.stringify(globals);
    if (text === this.#globalsText) return;
    this.#datapath.setGlobals(globals);
    this.#globalsText = text;
  }

  #lostPrograms(hooks: ReadonlyArray<{ readonly ifindex: number; readonly hook: Hook }>): Loss[] {
    return hooks
      .map(({ ifindex, hook }): Loss => ({ kind: 'program', ...this.#datapath.upkeep.inspectHook(ifindex, hook) }))
      .filter(({ expected, found }) => expected !== found);
  }

  #lostDevices(): Loss[] {
    const { tunnelIfindex, hostIfindex } = this.#desired.local;
    return [
      { name: tunnelDevice, ifindex: tunnelIfindex },
      { name: hostDevice, ifindex: hostIfindex },
    ].flatMap(({ name, ifindex }): Loss[] => {
      const there = this.#datapath.devices.inspectDevice(name)?.ifindex;
      if (there === ifindex) return [];
      const found = there === undefined ? undefined : `ifindex ${there}`;
      return [{ kind: 'device', object: name, expected: `ifindex ${ifindex}`, found }];
    });
  }

  /** Interfaces from before a restart get this version's program, then go up if they were not yet. */
  #attachPods(): void {
    for (const { ifindex } of this.#desired.devices()) this.#attachPod(ifindex);
  }

  /** @returns false when the device is gone, which is no error here. */
  #attachPod(ifindex: number): boolean {
    try {
      this.#datapath.attach(ifindex, 'pod');
      this.#datapath.devices.activatePodInterface(ifindex);
      return true;
    } catch (error) {
      log.warn('program not attached to the interface of a pod', { ifindex, error });
      return false;
    }
  }

  #attempt(step: Step, run: () => void): void {
    try {
      run();
      this.#problems.delete(step);
    } catch (error) {
      const text = errorText(error);
      if (text !== this.#problems.get(step)) log.error('node not prepared', { step, error });
      this.#problems.set(step, text);
    }
  }
}
