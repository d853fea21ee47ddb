import type {
  Entry,
  EntryKey,
  GlobalConfig,
  Interface,
  Node,
} from '@contrail/proto-gen/control/v1/messages';
import { globalUnit, interfaceUnit, nodeUnit, unitOfEntry, unitOfKey } from './unit-key';
import type { EntryKind, UnitKey } from './unit-key';

interface Stored {
  readonly kind: EntryKind;
  readonly snapshot: number;
}

/**
 * The entries that control has sent. A new snapshot (another control replica, a reconnect) replaces
 * entry by entry; what it did not mention goes when it ends, never before.
 */
export class ControlEntries {
  readonly #entries = new Map<UnitKey, Stored>();
  /** Interfaces of a pod, by the pod's uid. */
  readonly #byPod = new Map<string, Set<UnitKey>>();
  #snapshot = 0;

  beginSnapshot(): void {
    this.#snapshot += 1;
  }

  /** @returns units that the snapshot did not mention and that are gone now. */
  endSnapshot(): UnitKey[] {
    const gone: UnitKey[] = [];
    for (const [unit, { snapshot }] of this.#entries) if (snapshot !== this.#snapshot) gone.push(unit);
    for (const unit of gone) this.#delete(unit);
    return gone;
  }

  /** @returns the entry's unit; undefined for a kind that this agent does not know. */
  put(entry: Entry): UnitKey | undefined {
    const unit = entry.kind && unitOfEntry(entry.kind);
    if (!entry.kind || unit === undefined) return undefined;
    this.#delete(unit);
    this.#entries.set(unit, { kind: entry.kind, snapshot: this.#snapshot });
    if (entry.kind.$case === 'interface') this.#indexPod(unit, entry.kind.value);
    return unit;
  }

  /** Removing what is absent succeeds. */
  remove(key: EntryKey): UnitKey | undefined {
    const unit = unitOfKey(key);
    if (unit !== undefined) this.#delete(unit);
    return unit;
  }

  get(unit: UnitKey): EntryKind | undefined {
    return this.#entries.get(unit)?.kind;
  }

  has(unit: UnitKey): boolean {
    return this.#entries.has(unit);
  }

  kinds(): EntryKind[] {
    return [...this.#entries.values()].map(({ kind }) => kind);
  }

  units(): UnitKey[] {
    return [...this.#entries.keys()];
  }

  global(): GlobalConfig | undefined {
    const kind = this.get(globalUnit);
    return kind?.$case === 'global' ? kind.value : undefined;
  }

  node(name: string): Node | undefined {
    const kind = this.get(nodeUnit(name));
    return kind?.$case === 'node' ? kind.value : undefined;
  }

  findInterface(vmiUuid: string): Interface | undefined {
    const kind = this.get(interfaceUnit(vmiUuid));
    return kind?.$case === 'interface' ? kind.value : undefined;
  }

  findPodInterface(podUid: string, containerInterface: string): Interface | undefined {
    for (const unit of this.#byPod.get(podUid) ?? []) {
      const kind = this.get(unit);
      if (kind?.$case === 'interface' && kind.value.containerInterface === containerInterface) {
        return kind.value;
      }
    }
    return undefined;
  }

  #indexPod(unit: UnitKey, entry: Interface): void {
    if (entry.podUid === '') return;
    const units = this.#byPod.get(entry.podUid) ?? new Set<UnitKey>();
    this.#byPod.set(entry.podUid, units.add(unit));
  }

  #delete(unit: UnitKey): void {
    const kind = this.get(unit);
    this.#entries.delete(unit);
    if (kind?.$case !== 'interface') return;
    const units = this.#byPod.get(kind.value.podUid);
    units?.delete(unit);
    if (units?.size === 0) this.#byPod.delete(kind.value.podUid);
  }
}
