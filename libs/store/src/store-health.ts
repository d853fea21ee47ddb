/** What can be tried: a resource store, or an address pool. */
export interface Probed {
  /** What keeps the store from being used, in sentences. */
  problems(): Promise<string[]>;
}

const probeMs = 2_000;

/** Knows whether the store can be read and written, by trying every two seconds. */
export class StoreHealth {
  #problems: readonly string[] = ['the store was not tried yet'];
  #said: boolean | undefined;
  readonly #probed: Probed;
  readonly #report: (problems: readonly string[]) => void;
  readonly #timer: NodeJS.Timeout;

  /** @param report called when the store becomes usable (no problems) or stops being so. */
  constructor(probed: Probed, report: (problems: readonly string[]) => void) {
    this.#probed = probed;
    this.#report = report;
    void this.#probe();
    this.#timer = setInterval(() => void this.#probe(), probeMs);
  }

  /** Sentences; empty while the store works. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #probe(): Promise<void> {
    this.#problems = await this.#probed.problems();
    const isUsable = this.#problems.length === 0;
    if (isUsable === this.#said) return;
    this.#said = isUsable;
    this.#report(this.#problems);
  }
}
