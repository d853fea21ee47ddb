import { ContrailError } from '@contrail/errors';
import type { TableLayout } from '../layout/table-layouts';
import type { Table } from '../port';

/** A table in memory with the kernel table's notion of equal keys and values. */
export class FakeTable<K, V> implements Table<K, V> {
  readonly name: string;
  /** Entries written since the test began, for tests on how often the agent writes. */
  writeCount = 0;
  /** Entries that fit; a test lowers it to see what the agent does with a full table. */
  capacity = Number.POSITIVE_INFINITY;
  private readonly entries = new Map<string, readonly [K, V]>();

  constructor(private readonly layout: TableLayout<K, V>) {
    this.name = layout.name;
  }

  keyText(key: K): string {
    const index = this.layout.mapOf(key);
    const codec = this.layout.maps[index]?.key;
    if (codec === undefined) {
      throw new ContrailError('INTERNAL', `Table/${this.name}: no map number ${index}`);
    }
    return `${index}:${codec.encode(key).toString('hex')}`;
  }

  equals(a: V, b: V): boolean {
    return this.layout.value.encode(a).equals(this.layout.value.encode(b));
  }

  dump(): Array<readonly [K, V]> {
    return [...this.entries.values()];
  }

  *scan(): Generator<readonly [K, V]> {
    yield* this.entries.values();
  }

  get(key: K): V | undefined {
    return this.entries.get(this.keyText(key))?.[1];
  }

  upsert(entries: ReadonlyArray<readonly [K, V]>): void {
    for (const [key, value] of entries) {
      const text = this.keyText(key);
      this.layout.value.encode(value);
      if (!this.entries.has(text) && this.entries.size >= this.capacity) {
        throw new ContrailError(
          'RESOURCE_EXHAUSTED',
          `Table/${this.name}: is full with ${this.capacity} entries`,
        );
      }
      this.entries.set(text, [key, value]);
      this.writeCount += 1;
    }
  }

  remove(keys: readonly K[]): void {
    for (const key of keys) {
      this.entries.delete(this.keyText(key));
      this.writeCount += 1;
    }
  }
}
