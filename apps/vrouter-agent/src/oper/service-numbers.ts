import { addressKey } from '@contrail/net';
import { assignSlots } from './assign-slots';
import { backendText } from './backend-text';
import { IdPool } from './id-pool';
import type {
  BackendKey,
  BackendValue,
  Datapath,
  HostRouteKey,
  ServiceKey,
  ServiceValue,
  SourceRangeKey,
} from '../datapath/port';
import type { Row } from './desired-table';
import type { ServiceSpec } from './unit-rows';

const emptyService: ServiceValue = {
  id: 0,
  slotCount: 0,
  affinityTimeoutS: 0,
  hasSourceRanges: false,
  external: false,
  internalLocalOnly: false,
  externalLocalOnly: false,
  hostPort: false,
};

export interface NumberedServices {
  readonly services: ReadonlyArray<Row<ServiceKey, ServiceValue>>;
  readonly backends: ReadonlyArray<Row<BackendKey, BackendValue>>;
  readonly sourceRanges: readonly SourceRangeKey[];
}

/** Ids of services, and which backend has which slot. A service keeps both over a restart. */
export class ServiceNumbers {
  readonly #pool = new IdPool();
  /** By service. Units that want the same service share its id; the tables decide whose rows count. */
  readonly #slots = new Map<string, string[]>();

  /** Takes over what the datapath holds, so that equal content keeps id and slots. */
  readBack(datapath: Datapath): void {
    for (const [key, { id, slotCount }] of datapath.services.dump()) {
      if (isServiceAddress(key)) continue;
      const text = serviceText(key);
      this.#pool.adopt(text, id);
      const slots = Array.from({ length: slotCount }, (_, slot) => {
        const backend = datapath.backends.get({ service: id, slot });
        return backend ? backendText(backend) : '';
      });
      this.#slots.set(text, slots);
    }
  }

  /** Numbers the services of one unit; ids of services that it no longer has are released. */
  assign(unit: string, specs: readonly ServiceSpec[]): NumberedServices {
    const before = this.#pool.heldBy(unit);
    const used = new Set<string>();
    const services: Array<Row<ServiceKey, ServiceValue>> = [];
    const backends: Array<Row<BackendKey, BackendValue>> = [];
    const sourceRanges: SourceRangeKey[] = [];
    for (const spec of specs) {
      const text = serviceText(spec.key);
      if (used.has(text)) continue;
      used.add(text);
      const id = this.#pool.acquire(unit, text);
      const members = new Map(spec.backends.map((backend) => [backendText(backend), backend]));
      const slots = assignSlots(this.#slots.get(text) ?? [], [...members.keys()]);
      this.#slots.set(text, slots);
      services.push([spec.key, { ...spec.flags, id, slotCount: slots.length }]);
      for (const [slot, member] of slots.entries()) {
        const backend = members.get(member);
        if (backend) backends.push([{ service: id, slot }, backend]);
      }
      for (const prefix of spec.sourceRanges) sourceRanges.push({ service: id, prefix });
    }
    for (const text of before) if (!used.has(text)) this.#release(unit, text);
    return { services, backends, sourceRanges };
  }

  /** After the sweep: ids from before the restart that nobody asked for. */
  releaseUnowned(): void {
    for (const text of this.#pool.releaseUnowned()) this.#slots.delete(text);
  }

  #release(unit: string, text: string): void {
    this.#pool.release(unit, text);
    this.#slots.delete(text);
  }
}

/** The row that marks an address as a service's, whatever the protocol. */
export function serviceAddressRow({ vrf, address }: HostRouteKey): Row<ServiceKey, ServiceValue> {
  return [{ vrf, address, protocol: 0, port: 0 }, emptyService];
}

export function isServiceAddress({ protocol }: ServiceKey): boolean {
  return protocol === 0;
}

function serviceText(key: ServiceKey): string {
  return `${key.vrf}|${addressKey(key.address)}|${key.protocol}|${key.port}`;
}
