import type { GlobalConfig, Node } from '@contrail/proto-gen/control/v1/messages';
import type { ControlEntries } from './control-entries';
import type { AttachedDevice, Facts, LocalFacts } from './facts';
import { globalUnit, nodeUnit, policyUnit } from './unit-key';
import type { UnitKey } from './unit-key';

export interface FactSources {
  readonly self: string;
  readonly entries: ControlEntries;
  readonly devices: ReadonlyMap<string, AttachedDevice>;
  local(): LocalFacts;
}

export type FactKey = string;

export const localFact: FactKey = 'local';

export function deviceFact(vmiUuid: string): FactKey {
  return `device/${vmiUuid}`;
}

/** Facts that note what is read. An entry as a fact has its unit's name. */
export class RecordedFacts implements Facts {
  readonly self: string;
  readonly read = new Set<FactKey>();
  readonly #sources: FactSources;

  constructor(sources: FactSources) {
    this.self = sources.self;
    this.#sources = sources;
  }

  node(name: string): Node | undefined {
    this.read.add(nodeUnit(name));
    return this.#sources.entries.node(name);
  }

  device(vmiUuid: string): AttachedDevice | undefined {
    this.read.add(deviceFact(vmiUuid));
    return this.#sources.devices.get(vmiUuid);
  }

  policyKnown(id: number): boolean {
    this.read.add(policyUnit(id));
    return id !== 0 && this.#sources.entries.has(policyUnit(id));
  }

  global(): GlobalConfig | undefined {
    this.read.add(globalUnit);
    return this.#sources.entries.global();
  }

  local(): LocalFacts {
    this.read.add(localFact);
    return this.#sources.local();
  }
}

/** Which units read which fact. */
export class FactReaders {
  readonly #readers = new Map<FactKey, Set<UnitKey>>();
  readonly #reads = new Map<UnitKey, ReadonlySet<FactKey>>();

  /** Replaces what the unit reads; empty forgets it. */
  set(unit: UnitKey, facts: ReadonlySet<FactKey>): void {
    for (const fact of this.#reads.get(unit) ?? []) {
      const readers = this.#readers.get(fact);
      readers?.delete(unit);
      if (readers?.size === 0) this.#readers.delete(fact);
    }
    if (facts.size === 0) this.#reads.delete(unit);
    else this.#reads.set(unit, facts);
    for (const fact of facts) {
      const readers = this.#readers.get(fact) ?? new Set<UnitKey>();
      this.#readers.set(fact, readers.add(unit));
    }
  }

  of(fact: FactKey): Iterable<UnitKey> {
    return this.#readers.get(fact) ?? [];
  }
}
