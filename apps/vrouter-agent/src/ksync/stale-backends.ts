import type { BackendValue, Datapath } from '../datapath/port';
import { backendText } from '../oper/backend-text';
import type { DesiredTables } from '../oper/desired-tables';

const udp = 17;

/**
 * Remembers the backends of each UDP service and, when one has left, removes its flows: a UDP
 * client sends on for ever and would never notice. TCP flows stay; their ends close them.
 */
export class StaleBackends {
  readonly #datapath: Datapath;
  readonly #tables: DesiredTables;
  readonly #known = new Map<string, Map<string, BackendValue>>();

  constructor(datapath: Datapath, tables: DesiredTables) {
    this.#datapath = datapath;
    this.#tables = tables;
  }

  /** The backends that flows from before a restart may name. */
  readBack(): void {
    for (const [key, { id, slotCount }] of this.#datapath.services.dump()) {
      if (key.protocol !== udp) continue;
      const backends = this.#slotValues(slotCount, (slot) =>
        this.#datapath.backends.get({ service: id, slot }),
      );
      this.#known.set(this.#datapath.services.keyText(key), backends);
    }
  }

  /** Compares with the last call. @param changed keys of services that may have changed. */
  removeFlows(changed: Iterable<string>): void {
    for (const text of changed) {
      const before = this.#known.get(text);
      const after = this.#backendsOf(text);
      if (after.size > 0) this.#known.set(text, after);
      else this.#known.delete(text);
      for (const [backend, value] of before ?? []) {
        if (!after.has(backend)) {
          this.#datapath.removeFlowsToBackend(value.vrf, value.address, value.port, udp);
        }
      }
    }
  }

  #backendsOf(text: string): Map<string, BackendValue> {
    const row = this.#tables.services.get(text);
    if (row?.[0].protocol !== udp) return new Map();
    const { id, slotCount } = row[1];
    return this.#slotValues(slotCount, (slot) => {
      const key = this.#datapath.backends.keyText({ service: id, slot });
      return this.#tables.backends.get(key)?.[1];
    });
  }

  #slotValues(
    slotCount: number,
    read: (slot: number) => BackendValue | undefined,
  ): Map<string, BackendValue> {
    const found = new Map<string, BackendValue>();
    for (let slot = 0; slot < slotCount; slot += 1) {
      const backend = read(slot);
      if (backend) found.set(backendText(backend), backend);
    }
    return found;
  }
}
