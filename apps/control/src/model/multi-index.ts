const none: ReadonlySet<string> = new Set();

/** From a key to the uuids of the objects that have it. */
export class MultiIndex {
  readonly #sets = new Map<string, Set<string>>();

  /** Live view; empty for a key that nobody has. */
  get(key: string): ReadonlySet<string> {
    return this.#sets.get(key) ?? none;
  }

  /** The empty key (a reference that is not set) is not indexed. */
  add(key: string, uuid: string): void {
    if (key === '') return;
    const set = this.#sets.get(key);
    if (set === undefined) this.#sets.set(key, new Set([uuid]));
    else set.add(uuid);
  }

  delete(key: string, uuid: string): void {
    const set = this.#sets.get(key);
    if (set?.delete(uuid) === true && set.size === 0) this.#sets.delete(key);
  }
}
