interface Kept<Value> {
  readonly inputs: readonly unknown[];
  readonly value: Value;
}

/**
 * Results of pure functions from one pass to the next: a result is computed again only when one of its inputs is another object
 * (or another text) than in the pass before. Results that a pass does not ask for are forgotten.
 */
export class KeptResults<Value> {
  #before: ReadonlyMap<string, Kept<Value>> = new Map();
  #now = new Map<string, Kept<Value>>();

  /** Another pass begins. */
  begin(): void {
    this.#before = this.#now;
    this.#now = new Map();
  }

  /**
   * @param key names what is computed.
   * @param inputs everything that the result depends on; never changed in place.
   */
  get(key: string, inputs: readonly unknown[], compute: () => Value): Value {
    const known = this.#now.get(key) ?? this.#before.get(key);
    const kept = known !== undefined && areSame(known.inputs, inputs) ? known : { inputs, value: compute() };
    this.#now.set(key, kept);
    return kept.value;
  }
}

function areSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
