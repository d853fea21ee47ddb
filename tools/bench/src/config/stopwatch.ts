import { performance } from 'node:perf_hooks';
import { cpuSeconds } from '../process-usage';

/** Measures what processes burn between `start` and `stop`. */
export class Stopwatch {
  readonly #began = performance.now();
  readonly #before: ReadonlyMap<string, number>;

  /** @param pids by the name under which they are reported. */
  constructor(private readonly pids: ReadonlyMap<string, number>) {
    this.#before = this.#read();
  }

  /** @returns seconds since the start, and cores that each process used on average. */
  stop(): { seconds: number; cores: Record<string, number> } {
    const seconds = (performance.now() - this.#began) / 1000;
    const after = this.#read();
    const cores = Object.fromEntries(
      [...after].map(([name, used]) => [name, (used - (this.#before.get(name) ?? used)) / seconds]),
    );
    return { seconds, cores };
  }

  #read(): Map<string, number> {
    return new Map([...this.pids].map(([name, pid]) => [name, cpuSeconds(pid)]));
  }
}
