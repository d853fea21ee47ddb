import { ContrailError } from '@contrail/errors';
import type { KernelMap } from './bpf/kernel-map';
import type { TableLayout } from './layout/table-layouts';
import type { Table } from './port';

/** A table of the port over its eBPF maps. */
export class KernelTable<K, V> implements Table<K, V> {
  readonly name: string;

  /**
   * @param maps the map of each entry of `layout.maps`, in that order.
   * @param onChange called after each write and removal, also one that failed half-way.
   */
  constructor(
    private readonly layout: TableLayout<K, V>,
    private readonly maps: readonly KernelMap[],
    private readonly onChange: () => void = () => undefined,
  ) {
    this.name = layout.name;
  }

  keyText(key: K): string {
    const index = this.layout.mapOf(key);
    return `${index}:${this.place(index).key.encode(key).toString('hex')}`;
  }

  equals(a: V, b: V): boolean {
    return this.layout.value.encode(a).equals(this.layout.value.encode(b));
  }

  dump(): Array<readonly [K, V]> {
    return [...this.scan()];
  }

  *scan(): Generator<readonly [K, V]> {
    for (const index of this.layout.maps.keys()) {
      const { key: codec, map } = this.place(index);
      for (const { key, value } of map.entries()) {
        yield [codec.decode(key), this.layout.value.decode(value)];
      }
    }
  }

  get(key: K): V | undefined {
    const { key: codec, map } = this.place(this.layout.mapOf(key));
    const value = map.lookup(codec.encode(key));
    return value === undefined ? undefined : this.layout.value.decode(value);
  }

  upsert(entries: ReadonlyArray<readonly [K, V]>): void {
    try {
      this.layout.maps.forEach((_, index) => this.write(index, entries.filter(([key]) => this.layout.mapOf(key) === index)));
    } finally {
      this.onChange();
    }
  }

  remove(keys: readonly K[]): void {
    try {
      for (const key of keys) {
        const { key: codec, map } = this.place(this.layout.mapOf(key));
        map.remove(codec.encode(key));
      }
    } finally {
      this.onChange();
    }
  }

  private write(index: number, entries: ReadonlyArray<readonly [K, V]>): void {
    if (entries.length === 0) return;
    const { key: codec, map } = this.place(index);
    const value = this.layout.value;
    const keys = Buffer.alloc(codec.size * entries.length);
    const values = Buffer.alloc(value.size * entries.length);
    entries.forEach(([entryKey, entryValue], i) => {
      codec.encodeInto(entryKey, keys, i * codec.size);
      value.encodeInto(entryValue, values, i * value.size);
    });
    map.updateAll(keys, values, entries.length);
  }

  private place(index: number): { key: TableLayout<K, V>['maps'][number]['key']; map: KernelMap } {
    const codec = this.layout.maps[index]?.key;
    const map = this.maps[index];
    if (codec === undefined || map === undefined) {
      throw new ContrailError('INTERNAL', `Table/${this.name}: has no map number ${index}`);
    }
    return { key: codec, map };
  }
}
