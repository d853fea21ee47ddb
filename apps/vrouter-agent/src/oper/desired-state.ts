import type { EntryKey, Entry } from '@contrail/proto-gen/control/v1/messages';
import { errorText } from '@contrail/errors';
import { ControlEntries } from './control-entries';
import { createDesiredTables } from './desired-tables';
import type { DesiredTables } from './desired-tables';
import { noLocalFacts } from './facts';
import type { AttachedDevice, LocalFacts } from './facts';
import { NextHopNumbers } from './next-hop-numbers';
import { FactReaders, RecordedFacts, deviceFact, localFact } from './recorded-facts';
import type { FactKey } from './recorded-facts';
import { reduce } from './reduce';
import { ServiceNumbers, serviceAddressRow } from './service-numbers';
import type { UnitKey } from './unit-key';
import { noRows } from './unit-rows';
import type { UnitRows } from './unit-rows';
import type { Datapath } from '../datapath/port';

/** Rows for addresses that the vRouter answers for win over routes to them. */
const gatewayRank = 0;

/**
 * What the datapath should hold: entries from control and local facts in, desired tables out.
 * Changes mark units dirty; `derive` brings the tables up to date. No input or output of its own.
 */
export class DesiredState {
  readonly entries = new ControlEntries();
  readonly tables: DesiredTables;
  /** Units whose entry is malformed, and why; their rows stay as they were. */
  readonly malformed = new Map<UnitKey, string>();
  readonly self: string;
  readonly #devices = new Map<string, AttachedDevice>();
  readonly #readers = new FactReaders();
  readonly #nextHops = new NextHopNumbers();
  readonly #services = new ServiceNumbers();
  #local = noLocalFacts;
  #dirty = new Set<UnitKey>();

  constructor(self: string, datapath: Datapath) {
    this.self = self;
    this.tables = createDesiredTables(datapath);
  }

  /** Before the first `derive` after a restart: numbers of what the datapath already holds. */
  readBack(datapath: Datapath): void {
    this.#nextHops.readBack(datapath);
    this.#services.readBack(datapath);
  }

  put(entry: Entry): void {
    this.#unitChanged(this.entries.put(entry));
  }

  remove(key: EntryKey): void {
    this.#unitChanged(this.entries.remove(key));
  }

  beginSnapshot(): void {
    this.entries.beginSnapshot();
  }

  /** Forgets what the snapshot did not mention. */
  endSnapshot(): void {
    for (const unit of this.entries.endSnapshot()) this.#unitChanged(unit);
  }

  get local(): LocalFacts {
    return this.#local;
  }

  setLocal(facts: LocalFacts): void {
    this.#local = facts;
    this.#factChanged(localFact);
  }

  device(vmiUuid: string): AttachedDevice | undefined {
    return this.#devices.get(vmiUuid);
  }

  /** The interface whose device has the ifindex. */
  vmiOf(ifindex: number): string | undefined {
    return [...this.#devices].find(([, device]) => device.ifindex === ifindex)?.[0];
  }

  devices(): AttachedDevice[] {
    return [...this.#devices.values()];
  }

  /** @param device undefined when the interface is not attached here any more. */
  setDevice(vmiUuid: string, device: AttachedDevice | undefined): void {
    if (device) this.#devices.set(vmiUuid, device);
    else this.#devices.delete(vmiUuid);
    this.#factChanged(deviceFact(vmiUuid));
  }

  /** Brings the desired tables up to date with entries and facts. */
  derive(): void {
    const dirty = this.#dirty;
    this.#dirty = new Set();
    for (const unit of dirty) this.#deriveUnit(unit);
  }

  /** After a sweep: numbers that the read-back took over and nobody uses. */
  releaseUnowned(): void {
    this.#nextHops.releaseUnowned();
    this.#services.releaseUnowned();
  }

  #unitChanged(unit: UnitKey | undefined): void {
    if (unit === undefined) return;
    this.#dirty.add(unit);
    this.#factChanged(unit);
  }

  #factChanged(fact: FactKey): void {
    for (const unit of this.#readers.of(fact)) this.#dirty.add(unit);
  }

  #deriveUnit(unit: UnitKey): void {
    const kind = this.entries.get(unit);
    const facts = new RecordedFacts({
      self: this.self,
      entries: this.entries,
      devices: this.#devices,
      local: () => this.#local,
    });
    try {
      const rows = kind ? reduce(kind, facts) : noRows;
      this.#readers.set(unit, facts.read);
      this.#replace(unit, rows);
      this.malformed.delete(unit);
    } catch (error) {
      this.#readers.set(unit, facts.read);
      this.malformed.set(unit, errorText(error));
    }
  }

  #replace(unit: UnitKey, rows: UnitRows): void {
    const { tables } = this;
    tables.vrfs.replace(unit, rows.vrfs ?? []);
    tables.nodes.replace(unit, rows.nodes ?? []);
    tables.labelsIn.replace(unit, rows.labelsIn ?? []);
    tables.labelsOut.replace(unit, rows.labelsOut ?? []);
    tables.policies.replace(unit, rows.policies ?? []);
    tables.vifs.replace(unit, rows.vifs ?? []);
    tables.sources.replace(unit, (rows.sources ?? []).map((key) => [key, true]));
    this.#replaceRoutes(unit, rows);
    const { services, backends, sourceRanges } = this.#services.assign(unit, rows.services ?? []);
    tables.services.replace(unit, [...services, ...(rows.serviceAddresses ?? []).map(serviceAddressRow)]);
    tables.backends.replace(unit, backends);
    tables.sourceRanges.replace(unit, sourceRanges.map((key) => [key, true]));
  }

  #replaceRoutes(unit: UnitKey, rows: UnitRows): void {
    const { tables } = this;
    const routes = rows.routes ?? [];
    const gateways = rows.gateways ?? [];
    const numbered = this.#nextHops.assign(unit, routes, gateways.length > 0);
    tables.nextHops.replace(unit, numbered.nextHops);
    tables.composites.replace(unit, numbered.composites);
    const values = routes.map(({ identity }, i) => ({ nextHop: numbered.routeHops[i] ?? 0, identity }));
    const isHost = routes.map(({ prefix }) => prefix.length === prefix.address.length * 8);
    tables.prefixRoutes.replace(
      unit,
      routes.flatMap(({ vrf, prefix }, i) => {
        const value = values[i];
        return value && !isHost[i] ? [[{ vrf, prefix }, value] as const] : [];
      }),
    );
    const hosts = routes.flatMap(({ vrf, prefix: { address } }, i) => {
      const value = values[i];
      return value && isHost[i] ? [[{ vrf, address }, value] as const] : [];
    });
    // A unit has routes or gateways, never both, so one rank serves all its host routes.
    const gatewayHop = { nextHop: numbered.routeHops[routes.length] ?? 0, identity: 0 };
    const gatewayRows = gateways.map((key) => [key, gatewayHop] as const);
    tables.hostRoutes.replace(unit, [...gatewayRows, ...hosts], gateways.length > 0 ? gatewayRank : 1);
  }
}
