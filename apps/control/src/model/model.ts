import { indexes, indexKeysOf } from './index-keys';
import type { IndexName } from './index-keys';
import type { ModelObject, ModelType, ObjectOf } from './model-object';
import { MultiIndex } from './multi-index';

type Indexed<I extends IndexName> = ObjectOf<(typeof indexes)[I]>;

/** Every object that forwarding depends on, with its indexes. References may lead to nothing: objects come in any order. */
export class Model {
  readonly #tables = new Map<ModelType, Map<string, ModelObject>>();
  readonly #indexes = new Map<string, MultiIndex>(Object.keys(indexes).map((name) => [name, new MultiIndex()]));

  get<T extends ModelType>(type: T, uuid: string): ObjectOf<T> | undefined {
    return this.#tables.get(type)?.get(uuid) as ObjectOf<T> | undefined;
  }

  /** Objects of a type, in no particular order. */
  *all<T extends ModelType>(type: T): IterableIterator<ObjectOf<T>> {
    for (const object of this.#tables.get(type)?.values() ?? []) yield object as ObjectOf<T>;
  }

  *everything(): Generator<ModelObject> {
    for (const table of this.#tables.values()) yield* table.values();
  }

  count(type: ModelType): number {
    return this.#tables.get(type)?.size ?? 0;
  }

  /** Objects with this key, in no particular order. */
  each<I extends IndexName>(index: I, key: string): Generator<Indexed<I>> {
    return this.#lookUp(index, this.#index(index).get(key));
  }

  /** Objects with this key, in order of uuid, so that results do not depend on the order of events. */
  find<I extends IndexName>(index: I, key: string): Indexed<I>[] {
    const uuids = this.#index(index).get(key);
    return [...this.#lookUp(index, uuids.size > 1 ? [...uuids].sort() : uuids)];
  }

  has(index: IndexName, key: string): boolean {
    return this.#index(index).get(key).size > 0;
  }

  put(object: ModelObject): void {
    this.delete(object.type, object.uuid);
    let table = this.#tables.get(object.type);
    if (table === undefined) this.#tables.set(object.type, (table = new Map()));
    table.set(object.uuid, object);
    for (const [name, key] of indexKeysOf(object)) this.#index(name).add(key, object.uuid);
  }

  /** Deleting what is absent does nothing. */
  delete(type: ModelType, uuid: string): void {
    const object = this.get(type, uuid);
    if (object === undefined) return;
    this.#tables.get(type)?.delete(uuid);
    for (const [name, key] of indexKeysOf(object)) this.#index(name).delete(key, uuid);
  }

  *#lookUp<I extends IndexName>(index: I, uuids: Iterable<string>): Generator<Indexed<I>> {
    const table = this.#tables.get(indexes[index]);
    for (const uuid of uuids) {
      const object = table?.get(uuid);
      if (object !== undefined) yield object as Indexed<I>;
    }
  }

  #index(name: IndexName): MultiIndex {
    const index = this.#indexes.get(name);
    if (index === undefined) throw new Error(`no index ${name}`);
    return index;
  }
}
