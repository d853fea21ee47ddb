import type { EntryRecord } from './entry-record';

/** That the entry of a unit changed; at least one side is there. */
export interface EntryUpdate {
  readonly before: EntryRecord | undefined;
  readonly after: EntryRecord | undefined;
  readonly traces: readonly Trace[];
}

/** A traced change of an object, as agents are told of it. */
export interface Trace {
  /** Of control's own span. */
  traceparent: string;
  readonly type: string;
  readonly uuid: string;
  readonly revision: bigint;
}

const empty: ReadonlyMap<string, EntryRecord> = new Map();

/** The desired state of all nodes: every entry once, by unit and by scope. */
export class EntryTable {
  readonly #records = new Map<string, EntryRecord>();
  readonly #scopes = new Map<string, Map<string, EntryRecord>>();

  get(key: string): EntryRecord | undefined {
    return this.#records.get(key);
  }

  get size(): number {
    return this.#records.size;
  }

  /** Live view of a scope's entries by unit key. */
  scope(name: string): ReadonlyMap<string, EntryRecord> {
    return this.#scopes.get(name) ?? empty;
  }

  values(): Iterable<EntryRecord> {
    return this.#records.values();
  }

  apply({ before, after }: EntryUpdate): void {
    if (before !== undefined && before.scope !== after?.scope) this.#leaveScope(before);
    if (after === undefined) {
      if (before !== undefined) this.#records.delete(before.key);
      return;
    }
    this.#records.set(after.key, after);
    let scope = this.#scopes.get(after.scope);
    if (scope === undefined) this.#scopes.set(after.scope, (scope = new Map()));
    scope.set(after.key, after);
  }

  // An empty scope keeps its map: a snapshot may be reading it.
  #leaveScope(record: EntryRecord): void {
    this.#scopes.get(record.scope)?.delete(record.key);
  }
}
