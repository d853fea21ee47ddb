import { ContrailError } from '@contrail/errors';

/** Freed numbers that wait before they are used again: flows may still name them. */
const quarantineLength = 1024;

/**
 * Numbers for things known by a text, shared by owners. A text keeps its number while it has an
 * owner; a freed number is the last to be used again, and not before 1024 others were freed.
 */
export class IdPool {
  readonly #ids = new Map<string, number>();
  readonly #owners = new Map<string, Set<string>>();
  readonly #owned = new Map<string, Set<string>>();
  readonly #freed: number[] = [];
  readonly #max: number;
  #next = 1;

  /** @param max the highest number. */
  constructor(max = 2 ** 31 - 1) {
    this.#max = max;
  }

  /** Takes over a number that the datapath holds from before a restart; call before `acquire`. */
  adopt(text: string, id: number): void {
    this.#ids.set(text, id);
    this.#next = Math.max(this.#next, id + 1);
  }

  /**
   * Adds the owner to the text.
   *
   * @throws ContrailError RESOURCE_EXHAUSTED when every number is in use.
   */
  acquire(owner: string, text: string): number {
    const id = this.#ids.get(text) ?? this.#create(text);
    setOf(this.#owners, text).add(owner);
    setOf(this.#owned, owner).add(text);
    return id;
  }

  /** Texts that the owner holds. */
  heldBy(owner: string): readonly string[] {
    return [...(this.#owned.get(owner) ?? [])];
  }

  release(owner: string, text: string): void {
    this.#owned.get(owner)?.delete(text);
    if (this.#owned.get(owner)?.size === 0) this.#owned.delete(owner);
    const owners = this.#owners.get(text);
    owners?.delete(owner);
    if (owners?.size === 0) this.#free(text);
  }

  /** Frees adopted numbers that nobody asked for. @returns their texts. */
  releaseUnowned(): string[] {
    const unowned = [...this.#ids.keys()].filter((text) => !this.#owners.has(text));
    for (const text of unowned) this.#free(text);
    return unowned;
  }

  #create(text: string): number {
    const id = this.#take();
    this.#ids.set(text, id);
    return id;
  }

  #take(): number {
    if (this.#freed.length > quarantineLength) return this.#freed.shift() ?? this.#take();
    if (this.#next <= this.#max) {
      this.#next += 1;
      return this.#next - 1;
    }
    const oldest = this.#freed.shift();
    if (oldest !== undefined) return oldest;
    throw new ContrailError('RESOURCE_EXHAUSTED', `all ${this.#max} numbers are in use; raise the table's size`);
  }

  #free(text: string): void {
    const id = this.#ids.get(text);
    this.#ids.delete(text);
    this.#owners.delete(text);
    if (id !== undefined) this.#freed.push(id);
  }
}

function setOf(map: Map<string, Set<string>>, key: string): Set<string> {
  const found = map.get(key);
  if (found) return found;
  const created = new Set<string>();
  map.set(key, created);
  return created;
}
