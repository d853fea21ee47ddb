import type { ClusterZone } from '../zone/cluster-zone';
import type { ServiceRecord, SliceRecord } from '../zone/kube-records';

export interface ZoneFeederOptions {
  readonly zone: ClusterZone;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Calls back soon; changes until then are taken in together. */
  readonly defer: (flush: () => void) => void;
  readonly onProblem: (problem: string) => void;
}

/**
 * Keeps the zone equal to the Services and EndpointSlices that are known. A change only marks its Service; the names are
 * built when several changes have come together, so a roll-out of a thousand endpoints costs a few builds.
 */
export class ZoneFeeder {
  readonly #services = new Map<string, ServiceRecord>();
  readonly #slices = new Map<string, Map<string, SliceRecord>>();
  readonly #dirty = new Set<string>();
  #isDeferred = false;
  #sliceCount = 0;

  constructor(private readonly options: ZoneFeederOptions) {}

  get serviceCount(): number {
    return this.#services.size;
  }

  get sliceCount(): number {
    return this.#sliceCount;
  }

  setService(service: ServiceRecord): void {
    const key = keyOf(service.namespace, service.name);
    this.#services.set(key, service);
    this.#mark(key);
  }

  removeService(service: ServiceRecord): void {
    const key = keyOf(service.namespace, service.name);
    this.#services.delete(key);
    this.#mark(key);
  }

  /** @param previous what the slice was; it may have belonged to another Service. */
  setSlice(sliceKey: string, slice: SliceRecord, previous: SliceRecord | undefined): void {
    if (previous !== undefined) this.removeSlice(sliceKey, previous);
    const key = keyOf(slice.namespace, slice.service);
    const slices = this.#slices.get(key) ?? new Map<string, SliceRecord>();
    slices.set(sliceKey, slice);
    this.#slices.set(key, slices);
    this.#sliceCount += 1;
    this.#markHeadless(key);
  }

  removeSlice(sliceKey: string, slice: SliceRecord): void {
    const key = keyOf(slice.namespace, slice.service);
    const slices = this.#slices.get(key);
    if (slices?.delete(sliceKey) === true) this.#sliceCount -= 1;
    if (slices?.size === 0) this.#slices.delete(key);
    this.#markHeadless(key);
  }

  /** Brings the zone up to date now. */
  flush(): void {
    this.#isDeferred = false;
    if (this.#dirty.size === 0) return;
    const { zone, now, onProblem } = this.options;
    for (const key of this.#dirty) {
      const service = this.#services.get(key);
      const [namespace = '', name = ''] = key.split('/');
      if (service === undefined) zone.removeService(namespace, name);
      else zone.setService(service, [...(this.#slices.get(key)?.values() ?? [])], onProblem);
    }
    this.#dirty.clear();
    zone.setSerial(Math.floor(now() / 1000));
  }

  /** The names of other Services do not depend on endpoints. */
  #markHeadless(key: string): void {
    if (this.#services.get(key)?.kind === 'headless') this.#mark(key);
  }

  #mark(key: string): void {
    this.#dirty.add(key);
    if (this.#isDeferred) return;
    this.#isDeferred = true;
    this.options.defer(() => this.flush());
  }
}

function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}
