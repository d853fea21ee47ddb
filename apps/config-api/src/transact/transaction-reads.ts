import type { IdSpace } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import type { DependentKind, ListQuery, Page, ResourceStore, TypedName } from '@contrail/store';

/** What computing a transaction needs of the store. */
export type TransactionStore = Pick<
  ResourceStore,
  'allot' | 'dependents' | 'findUuids' | 'getMany' | 'list'
>;

/** The store as one attempt sees it: each object is read once, however many ask for it. */
export class TransactionReads implements TransactionStore {
  readonly #store: TransactionStore;
  readonly #objects = new Map<string, Resource | undefined>();

  constructor(store: TransactionStore) {
    this.#store = store;
  }

  async getMany(uuids: readonly string[]): Promise<(Resource | undefined)[]> {
    const unread = [...new Set(uuids)].filter((uuid) => !this.#objects.has(uuid));
    if (unread.length > 0) {
      const found = await this.#store.getMany(unread);
      for (const [i, uuid] of unread.entries()) this.#objects.set(uuid, found[i]);
    }
    return uuids.map((uuid) => this.#objects.get(uuid));
  }

  findUuids(names: readonly TypedName[]): Promise<(string | undefined)[]> {
    return this.#store.findUuids(names);
  }

  list(query: ListQuery): Promise<Page> {
    return this.#store.list(query);
  }

  dependents(uuid: string, kind: DependentKind, limit: number): Promise<string[]> {
    return this.#store.dependents(uuid, kind, limit);
  }

  allot(space: IdSpace, keys: readonly string[], pending?: boolean): Promise<number[]> {
    return this.#store.allot(space, keys, pending);
  }
}
