/** Counts what is under way, in all and for each client, and refuses above the limits. */
export class Quota {
  readonly #byClient = new Map<string, number>();
  #total = 0;

  constructor(private readonly limits: { readonly total: number; readonly perClient: number }) {}

  get total(): number {
    return this.#total;
  }

  /** @returns false, and counts nothing, when the client or all clients together have their share under way. */
  tryEnter(client: string): boolean {
    const count = this.#byClient.get(client) ?? 0;
    if (this.#total >= this.limits.total || count >= this.limits.perClient) return false;
    this.#byClient.set(client, count + 1);
    this.#total += 1;
    return true;
  }

  /** Once for each successful `tryEnter`. */
  leave(client: string): void {
    const count = (this.#byClient.get(client) ?? 0) - 1;
    if (count > 0) this.#byClient.set(client, count);
    else this.#byClient.delete(client);
    this.#total -= 1;
  }
}
