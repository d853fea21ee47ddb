import { isDeepStrictEqual } from 'node:util';
import { counter, logger } from '@contrail/telemetry';
import { affectedByObject } from '../compile/affected-by-object';
import { affectedByTopology, asNew, labelsFrom, policiesOf } from '../compile/affected-by-topology';
import type { CompileContext, CompileSettings } from '../compile/compile-context';
import { compileUnit } from '../compile/compile-unit';
import { MissingNumber, NumericIds } from '../compile/numeric-ids';
import { ServiceReach } from '../compile/service-reach';
import type { ReachPair } from '../compile/service-reach';
import { globalUnit, interfaceUnit, policyUnit, unitKinds } from '../compile/unit';
import type { Unit, UnitKind } from '../compile/unit';
import { Model } from '../model/model';
import type { ModelObject, ModelType } from '../model/model-object';
import { diffTopology } from '../topology/diff-topology';
import { allowAllText } from '../topology/network';
import { computeTopology, Topology } from '../topology/topology';
import { TopologyMemory } from '../topology/topology-memory';
import type { RefusedLeak } from '../topology/refused-leak';
import type { Network } from '../topology/topology';
import { DirtyUnits } from './dirty-units';
import { EntryRecord } from './entry-record';
import type { EntryTable, EntryUpdate, Trace } from './entry-table';
import { findMissingIds } from './wanted-ids';
import type { WantedId } from './wanted-ids';

export interface ObjectChange {
  readonly type: ModelType;
  readonly uuid: string;
  /** Undefined: it was deleted, or takes no part in forwarding any more. */
  readonly object: ModelObject | undefined;
}

export interface LearntId {
  readonly wanted: WantedId;
  readonly id: number;
}

export interface CompileResult {
  /** What is different from the table; not applied to it yet. */
  readonly updates: readonly EntryUpdate[];
  /** Whether nodes may need other scopes than before, apart from what their own interfaces say. */
  readonly connectivityChanged: boolean;
  /** Numbers without which the result is not complete. */
  readonly missingIds: readonly WantedId[];
}

const failedUnits = counter('contrail_control_failed_units_total', 'Times a unit could not be compiled');
const log = logger('compiler');

/** Units compiled before others may run. */
const unitsPerSlice = 2_000;

/** Types that decide how networks are connected. */
const topologyTypes: ReadonlySet<ModelType> = new Set<ModelType>([
  'network-ipam',
  'virtual-network',
  'routing-instance',
  'network-policy',
]);

/**
 * The model and what depends on it. Changes mark units dirty; `compile` brings exactly those up to date.
 * Until the numbers of the first networks are there nothing is compiled: then everything is, once.
 */
export class Compiler {
  readonly model = new Model();
  readonly ids = new NumericIds();
  readonly reach = new ServiceReach();
  topology = new Topology([]);
  readonly settings: CompileSettings;
  readonly #table: Pick<EntryTable, 'get'>;
  readonly #dirty = new DirtyUnits();
  /** Objects that changed since the last compilation. */
  readonly #changed = new Map<string, Pick<ObjectChange, 'type' | 'uuid'> & { readonly traces: readonly Trace[] }>();
  readonly #topologyMemory = new TopologyMemory();
  readonly #topologyTraces: Trace[] = [];
  #topologyIsStale = true;
  #connectivityChanged = false;
  #isStarting = true;
  #hasAllIds = false;

  /** @param table the newest state of every entry, whether agents were told of it or not. */
  constructor(settings: CompileSettings, table: Pick<EntryTable, 'get'>) {
    this.settings = settings;
    this.#table = table;
  }

  /** @returns false when nothing that forwarding depends on is different. */
  apply({ type, uuid, object }: ObjectChange, trace?: Trace): boolean {
    const before = this.model.get(type, uuid);
    if (isDeepStrictEqual(before, object)) return false;
    const traces = trace === undefined ? [] : [trace];
    if (before !== undefined && !this.#isStarting) this.#dirty.add(affectedByObject(this, before), traces);
    if (object === undefined) this.model.delete(type, uuid);
    else this.model.put(object);
    this.#noteChanged({ type, uuid }, traces);
    if (topologyTypes.has(type) || this.#populationChanged(before) || this.#populationChanged(object)) {
      this.#topologyIsStale = true;
      this.#topologyTraces.push(...traces);
    }
    return true;
  }

  /** Numbers arrived; what needs them is compiled again. */
  learn(learnt: readonly LearntId[]): void {
    const networks = new Set<Network>();
    for (const { wanted, id } of learnt) {
      this.ids.learn(wanted.kind, wanted.key, id);
      if (this.#isStarting) continue;
      if (wanted.neededBy === 'every interface') {
        this.#dirty.add([policyUnit(wanted.key)], []);
        for (const { uuid } of this.model.all('virtual-machine-interface')) this.#dirty.add([interfaceUnit(uuid)], []);
      } else if ('unit' in wanted.neededBy) {
        this.#dirty.add([wanted.neededBy.unit], []);
      } else {
        // The network may have changed since it was asked for.
        const network = this.topology.networks.get(wanted.neededBy.network.uuid);
        if (network !== undefined) networks.add(network);
      }
    }
    this.#dirty.add(affectedByTopology(this, asNew(this.topology, networks)), []);
  }

  get isDirty(): boolean {
    return this.#topologyIsStale || this.#changed.size > 0 || this.#dirty.size > 0;
  }

  /** Yields now and then, so that its caller can let others run; nothing may change meanwhile. */
  *compile(): Generator<void, CompileResult> {
    if (this.#isStarting) {
      const missingIds = this.#start();
      if (missingIds.length > 0) return { updates: [], connectivityChanged: false, missingIds };
    }
    this.#markChanged();
    this.#refreshTopology();
    const updates: EntryUpdate[] = [];
    // First, because services decide which VRFs need labels and whose calls a network has to accept.
    const services: EntryUpdate[] = [];
    yield* this.#compileKind('service', services);
    for (const kind of unitKinds) if (kind !== 'service') yield* this.#compileKind(kind, updates);
    updates.push(...services);
    this.#dirty.forgetTraces();
    const connectivityChanged = this.#connectivityChanged;
    this.#connectivityChanged = false;
    return { updates, connectivityChanged, missingIds: this.#missingIds() };
  }

  /** @returns numbers to wait for; none: everything is dirty now. */
  #start(): readonly WantedId[] {
    const before = this.topology;
    if (this.#topologyIsStale) this.topology = computeTopology(this.model, this.#topologyMemory);
    this.#topologyIsStale = false;
    this.#reportRefused(before);
    const missing = findMissingIds(this);
    if (missing.length > 0) return missing;
    this.#isStarting = false;
    this.#connectivityChanged = true;
    this.#dirty.add([globalUnit], []);
    this.#dirty.add([policyUnit(allowAllText)], []);
    this.#dirty.add(affectedByTopology(this, asNew(this.topology, this.topology.networks.values())), []);
    for (const router of this.model.all('virtual-router')) this.#dirty.add(affectedByObject(this, router), []);
    return [];
  }

  /** Numbers are never taken back: when none was missing, only other networks or services want others. */
  #missingIds(): readonly WantedId[] {
    if (this.#hasAllIds) return [];
    const missing = findMissingIds(this);
    this.#hasAllIds = missing.length === 0;
    return missing;
  }

  #noteChanged({ type, uuid }: Pick<ObjectChange, 'type' | 'uuid'>, traces: readonly Trace[]): void {
    if (this.#isStarting) return;
    const key = `${type}/${uuid}`;
    const known = this.#changed.get(key);
    this.#changed.set(key, { type, uuid, traces: [...(known?.traces ?? []), ...traces] });
  }

  /** What changed objects lead to now that all changes are in: one may refer to another that came later. */
  #markChanged(): void {
    for (const { type, uuid, traces } of this.#changed.values()) {
      const object = this.model.get(type, uuid);
      if (object !== undefined) this.#dirty.add(affectedByObject(this, object), traces);
    }
    this.#changed.clear();
  }

  *#compileKind(kind: UnitKind, updates: EntryUpdate[]): Generator<void> {
    const context = this.#context();
    for (const [i, unit] of this.#dirty.take(kind).entries()) {
      if (i % unitsPerSlice === unitsPerSlice - 1) yield;
      const update = this.#compileOne(context, unit);
      if (update !== undefined) updates.push(update);
    }
  }

  #compileOne(context: CompileContext, unit: Unit): EntryUpdate | undefined {
    const before = this.#table.get(unit.key);
    const after = tryCompile(context, unit, before);
    if (unit.kind === 'service') {
      const pairs = this.reach.replace(unit.key, unit.instance, after?.interest?.backends ?? []);
      if (pairs.length > 0) this.#noteReach(pairs, this.#dirty.tracesOf(unit));
    }
    if (before === undefined && after === undefined) return undefined;
    if (before !== undefined && after?.equals(before) === true) return undefined;
    return { before, after, traces: this.#dirty.tracesOf(unit) };
  }

  #noteReach(pairs: readonly ReachPair[], traces: readonly Trace[]): void {
    this.#connectivityChanged = true;
    this.#hasAllIds = false;
    for (const pair of pairs) this.#dirty.add(unitsAcross(this.topology, pair), traces);
  }

  #refreshTopology(): void {
    if (!this.#topologyIsStale) return;
    this.#topologyIsStale = false;
    const before = this.topology;
    this.topology = computeTopology(this.model, this.#topologyMemory);
    this.#reportRefused(before);
    const diff = diffTopology(before, this.topology);
    const traces = this.#topologyTraces.splice(0);
    this.#dirty.add(affectedByTopology(this, diff), traces);
    // What policies let through says nothing of labels and numbers, nor of what nodes need.
    const others = diff.networks.filter(({ isOfLimits }) => !isOfLimits);
    if (others.length + diff.edges.length === 0) return;
    this.#hasAllIds = false;
    this.#connectivityChanged = true;
    // Labels across services: the pairs of a network that leaves are known only now.
    const changed = new Set(others.flatMap(({ before: old, after }) => [old?.instance, after?.instance]));
    for (const pair of this.reach.pairs()) {
      if (!changed.has(pair.from) && !changed.has(pair.to)) continue;
      this.#dirty.add(unitsAcross(before, pair), traces);
      this.#dirty.add(unitsAcross(this.topology, pair), traces);
    }
  }

  #reportRefused(before: Topology): void {
    const textOf = ({ networks, reason }: RefusedLeak): string => `${networks.join(' ')} ${reason}`;
    const known = new Set(before.refused.map(textOf));
    for (const leak of this.topology.refused) {
      if (known.has(textOf(leak))) continue;
      log.warn('networks are not joined although policies say so', { networks: leak.networks, reason: leak.reason });
    }
  }

  #context(): CompileContext {
    const { model, topology, ids, reach, settings } = this;
    return { model, topology, ids, reach, settings };
  }

  /** Whether the interface was the last of its network, or is the first. */
  #populationChanged(object: ModelObject | undefined): boolean {
    if (object?.type !== 'virtual-machine-interface') return false;
    const network = this.topology.networks.get(object.networkUuid);
    if (network === undefined || network.isFabric) return false;
    return network.isPopulated !== this.model.has('interface by network', network.uuid);
  }
}

/** One object that cannot be compiled must not stop the others: its entry stays as it was. */
function tryCompile(context: CompileContext, unit: Unit, before: EntryRecord | undefined): EntryRecord | undefined {
  try {
    const compiled = compileUnit(context, unit);
    return compiled && new EntryRecord(unit, compiled);
  } catch (error) {
    // It is compiled again when its number comes.
    if (error instanceof MissingNumber) return before;
    failedUnits.inc();
    log.error('unit not compiled; its entry stays as it was', { unit: unit.key, error });
    return before;
  }
}

/** Labels of the packets of clients to backends in another VRF, and of the answers; what the backends accept. */
function unitsAcross(topology: Topology, { from, to }: ReachPair): Unit[] {
  const [client, backend] = [topology.byInstance(from), topology.byInstance(to)];
  if (client === undefined || backend === undefined) return [];
  return [...labelsFrom(client, backend), ...labelsFrom(backend, client), ...policiesOf(backend)];
}
