import type { ObjectChange } from './compiler';

type ObjectName = Pick<ObjectChange, 'type' | 'uuid'>;

const keyOf = ({ type, uuid }: ObjectName): string => `${type}/${uuid}`;

/**
 * Objects that a store lost: it went back to an older revision without them. Nobody deleted them, and whoever made
 * them writes them again; until they had time for that, forwarding goes on as if they were there.
 */
export class Orphans {
  readonly #objects = new Map<string, ObjectName>();

  get size(): number {
    return this.#objects.size;
  }

  add(object: ObjectName): void {
    this.#objects.set(keyOf(object), { type: object.type, uuid: object.uuid });
  }

  has(object: ObjectName): boolean {
    return this.#objects.has(keyOf(object));
  }

  /** The store speaks of it again. */
  settle(object: ObjectName): void {
    this.#objects.delete(keyOf(object));
  }

  /** What nobody wrote again. */
  takeAll(): ObjectName[] {
    const all = [...this.#objects.values()];
    this.#objects.clear();
    return all;
  }
}
