import { ContrailError, errorText } from '@contrail/errors';
import type { Table } from '../datapath/port';
import type { DesiredTable, Row } from '../oper/desired-table';

/** After so many rows without room in a full table the rest is not tried one by one. */
const exhaustedRowsMax = 64;

/** One row that could not be written or removed. */
export interface RowFailure {
  /** Units that want the row. */
  readonly owners: readonly string[];
  readonly reason: string;
}

export interface Written<K, V> {
  readonly row: Row<K, V>;
  /** Value before; undefined for a new row. */
  readonly previous: V | undefined;
}

/** A row in which the datapath differs from what is desired. */
export interface RowDrift<K, V> {
  readonly key: K;
  /** undefined: nobody wants the row. */
  readonly desired: V | undefined;
  /** undefined: the datapath does not have it. */
  readonly found: V | undefined;
  /** Why the agent could not write or remove it itself; undefined: somebody else changed it. */
  readonly reason: string | undefined;
}

/** Rows that are compared before others get their turn. */
const rowsAtOnce = 512;

/**
 * Brings one table of the datapath to its desired rows. Knows what the table holds: by reading it
 * back at start, afterwards by what it wrote. A row that fails stays dirty until it succeeds.
 */
export class TableSync<K, V> {
  readonly #table: Table<K, V>;
  readonly #desired: DesiredTable<K, V>;
  readonly #actual = new Map<string, Row<K, V>>();
  readonly #dirty = new Set<string>();
  readonly #failed = new Map<string, string>();

  constructor(table: Table<K, V>, desired: DesiredTable<K, V>) {
    this.#table = table;
    this.#desired = desired;
  }

  get name(): string {
    return this.#table.name;
  }

  get size(): number {
    return this.#actual.size;
  }

  /** What the datapath holds from before; nothing is changed. */
  readBack(): void {
    this.#actual.clear();
    for (const row of this.#table.dump()) this.#actual.set(this.#table.keyText(row[0]), row);
  }

  /**
   * Rows in which the datapath differs from what is desired, read from both now.
   *
   * @param pause lets others work between pages of a big table.
   */
  async drifts(pause: () => Promise<void>): Promise<Array<RowDrift<K, V>>> {
    // Rows may change between pages, so a difference counts only when it is seen in one go.
    return (await this.#looksRight(pause)) ? [] : this.#differences();
  }

  async #looksRight(pause: () => Promise<void>): Promise<boolean> {
    let same = 0;
    for (const [key, value] of this.#table.scan()) {
      const wanted = this.#desired.get(this.#table.keyText(key));
      if (!wanted || !this.#table.equals(wanted[1], value)) return false;
      same += 1;
      if (same % rowsAtOnce === 0) await pause();
    }
    return same === this.#desired.size;
  }

  #differences(): Array<RowDrift<K, V>> {
    const found = new Map(this.#table.dump().map((row) => [this.#table.keyText(row[0]), row]));
    const drifts: Array<RowDrift<K, V>> = [];
    for (const text of new Set([...this.#desired.texts(), ...found.keys()])) {
      const wanted = this.#desired.get(text);
      const held = found.get(text);
      if (wanted && held && this.#table.equals(wanted[1], held[1])) continue;
      const key = (wanted ?? held)?.[0];
      if (key === undefined) continue;
      drifts.push({ key, desired: wanted?.[1], found: held?.[1], reason: this.#failed.get(text) });
    }
    return drifts;
  }

  /** Marks every row, desired or held, to be compared. */
  markAll(): void {
    for (const text of this.#desired.texts()) this.#dirty.add(text);
    for (const text of this.#actual.keys()) this.#dirty.add(text);
  }

  /** Takes over what changed in the desired table. */
  markChanged(): void {
    for (const text of this.#desired.takeChanged()) this.#dirty.add(text);
  }

  /** Some row may differ from what the datapath holds. */
  get isDirty(): boolean {
    return this.#dirty.size > 0;
  }

  get hasFailures(): boolean {
    return this.#failed.size > 0;
  }

  /** Keys of rows that may differ from what the datapath holds. */
  dirtyTexts(): string[] {
    return [...this.#dirty];
  }

  /** What the datapath holds under a key. */
  get(key: K): V | undefined {
    return this.#actual.get(this.#table.keyText(key))?.[1];
  }

  /** Rows that the datapath holds. */
  rows(): IterableIterator<Row<K, V>> {
    return this.#actual.values();
  }

  /** Writes dirty rows that differ. @param only leaves other rows dirty. @returns what was written. */
  upsert(only: (value: V) => boolean = () => true): Array<Written<K, V>> {
    if (!this.isDirty) return [];
    const writes: Array<readonly [string, Row<K, V>]> = [];
    for (const text of this.#dirty) {
      const row = this.#desired.get(text);
      if (!row || !only(row[1])) continue;
      const held = this.#actual.get(text);
      if (held && this.#table.equals(held[1], row[1])) this.#settle(text);
      else writes.push([text, row]);
    }
    return this.#write(writes);
  }

  /** Removes dirty rows that nobody wants. @returns rows removed. */
  remove(): Array<Row<K, V>> {
    if (!this.isDirty) return [];
    const removals: Array<readonly [string, Row<K, V>]> = [];
    for (const text of this.#dirty) {
      if (this.#desired.get(text)) continue;
      const held = this.#actual.get(text);
      if (held) removals.push([text, held]);
      else this.#settle(text);
    }
    return this.#remove(removals);
  }

  /** Removes one row at once, also before the first InSync: the local side has decided. */
  removeNow(key: K): void {
    const text = this.#table.keyText(key);
    const held = this.#actual.get(text) ?? ([key, this.#table.get(key)] as const);
    if (held[1] !== undefined) this.#remove([[text, [key, held[1]]]]);
  }

  /** True when every row of the unit is in the datapath as desired. */
  holds(owner: string): boolean {
    return this.#desired.textsOf(owner).every((text) => !this.#dirty.has(text));
  }

  failures(): RowFailure[] {
    return [...this.#failed].map(([text, reason]) => ({
      owners: this.#desired.ownersOf(text),
      reason: `${this.#table.name} ${text}: ${reason}`,
    }));
  }

  #write(writes: ReadonlyArray<readonly [string, Row<K, V>]>): Array<Written<K, V>> {
    if (writes.length === 0) return [];
    try {
      this.#table.upsert(writes.map(([, row]) => row));
      return writes.map(([text, row]) => this.#written(text, row));
    } catch {
      return this.#writeOneByOne(writes);
    }
  }

  /** A batch failed: find out which rows, so that the others are not held up. */
  #writeOneByOne(writes: ReadonlyArray<readonly [string, Row<K, V>]>): Array<Written<K, V>> {
    const written: Array<Written<K, V>> = [];
    let exhausted = 0;
    for (const [text, row] of writes) {
      if (exhausted >= exhaustedRowsMax && !this.#actual.has(text)) {
        this.#failed.set(text, 'the table is full');
        continue;
      }
      try {
        this.#table.upsert([row]);
        written.push(this.#written(text, row));
      } catch (error) {
        if (error instanceof ContrailError && error.code === 'RESOURCE_EXHAUSTED') exhausted += 1;
        this.#failed.set(text, errorText(error));
      }
    }
    return written;
  }

  #remove(removals: ReadonlyArray<readonly [string, Row<K, V>]>): Array<Row<K, V>> {
    if (removals.length === 0) return [];
    try {
      this.#table.remove(removals.map(([, row]) => row[0]));
    } catch (error) {
      for (const [text] of removals) this.#failed.set(text, errorText(error));
      return [];
    }
    for (const [text] of removals) {
      this.#actual.delete(text);
      this.#settle(text);
    }
    return removals.map(([, row]) => row);
  }

  #written(text: string, row: Row<K, V>): Written<K, V> {
    const previous = this.#actual.get(text)?.[1];
    this.#actual.set(text, row);
    this.#settle(text);
    return { row, previous };
  }

  #settle(text: string): void {
    this.#dirty.delete(text);
    this.#failed.delete(text);
  }
}
