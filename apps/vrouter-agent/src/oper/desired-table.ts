export type Row<K, V> = readonly [K, V];

interface Claim<K, V> {
  readonly owner: string;
  readonly rank: number;
  readonly row: Row<K, V>;
}

/**
 * The rows that one table should have. Several units may claim the same row (two routes over one
 * next hop, two nodes with one address): the claim of the lowest rank and then owner counts, so
 * that the content depends on the claims alone and never on their order.
 */
export class DesiredTable<K, V> {
  readonly #keyText: (key: K) => string;
  readonly #claims = new Map<string, Map<string, Claim<K, V>>>();
  readonly #textsOf = new Map<string, Set<string>>();
  #changed = new Set<string>();

  constructor(keyText: (key: K) => string) {
    this.#keyText = keyText;
  }

  /** Replaces all claims of the owner. When it names a row twice, the first counts. */
  replace(owner: string, rows: ReadonlyArray<Row<K, V>>, rank = 1): void {
    const before = this.#textsOf.get(owner);
    if (!before && rows.length === 0) return;
    const after = new Set<string>();
    for (const row of rows) {
      const text = this.#keyText(row[0]);
      if (after.has(text)) continue;
      after.add(text);
      this.#claim(text, { owner, rank, row });
    }
    for (const text of before ?? []) if (!after.has(text)) this.#unclaim(text, owner);
    if (after.size > 0) this.#textsOf.set(owner, after);
    else this.#textsOf.delete(owner);
  }

  get(text: string): Row<K, V> | undefined {
    let best: Claim<K, V> | undefined;
    for (const claim of this.#claims.get(text)?.values() ?? []) {
      if (!best || claim.rank < best.rank || (claim.rank === best.rank && claim.owner < best.owner)) {
        best = claim;
      }
    }
    return best?.row;
  }

  /** Units that claim the row; empty when nobody does. */
  ownersOf(text: string): string[] {
    return [...(this.#claims.get(text)?.keys() ?? [])];
  }

  /** Keys of the rows that the owner claims. */
  textsOf(owner: string): string[] {
    return [...(this.#textsOf.get(owner) ?? [])];
  }

  texts(): IterableIterator<string> {
    return this.#claims.keys();
  }

  get size(): number {
    return this.#claims.size;
  }

  /** Rows whose claims changed since the last call. */
  takeChanged(): Set<string> {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }

  #claim(text: string, claim: Claim<K, V>): void {
    const claims = this.#claims.get(text) ?? new Map<string, Claim<K, V>>();
    claims.set(claim.owner, claim);
    this.#claims.set(text, claims);
    this.#changed.add(text);
  }

  #unclaim(text: string, owner: string): void {
    const claims = this.#claims.get(text);
    claims?.delete(owner);
    if (claims?.size === 0) this.#claims.delete(text);
    this.#changed.add(text);
  }
}
