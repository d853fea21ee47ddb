import type { Clock } from '@contrail/reconcile';
import type { AgentStream } from '../stream/agent-stream';

/** How long the others wait for an agent. */
const patienceMs = 2_000;

export interface AgentBarrierOptions {
  readonly streams: () => Iterable<Pick<AgentStream, 'hasProgrammed'>>;
  readonly clock: Clock;
  /** Called when patience is at its end: somebody may pass now. */
  readonly wake: () => void;
}

/** Waits until every agent that is connected has programmed a step of the desired state. */
export class AgentBarrier {
  readonly #options: AgentBarrierOptions;
  /** Agents that were waited for in vain, and for which step; nobody waits for them again before they have it. */
  readonly #late = new WeakMap<object, number>();
  #generation = 0;
  #deadline = 0;
  #timer = new AbortController();

  constructor(options: AgentBarrierOptions) {
    this.#options = options;
  }

  /** From now on, `isPassed` is about this step. */
  raise(generation: number): void {
    const { clock, wake } = this.#options;
    this.#generation = generation;
    this.#deadline = clock.now() + patienceMs;
    this.stop();
    this.#timer = new AbortController();
    clock.sleep(patienceMs, this.#timer.signal).then(wake, () => undefined);
  }

  /** Nobody is woken any more. */
  stop(): void {
    this.#timer.abort();
  }

  /** As `raise`, without more time. */
  extend(generation: number): void {
    this.#generation = generation;
  }

  /** @returns true as well when whoever is missing did not answer for too long. */
  isPassed(): boolean {
    const { clock, streams } = this.#options;
    const missing = [...streams()].filter((stream) => !stream.hasProgrammed(this.#generation) && !this.#isLate(stream));
    if (missing.length > 0 && clock.now() < this.#deadline) return false;
    this.stop();
    for (const stream of missing) this.#late.set(stream, this.#generation);
    return true;
  }

  #isLate(stream: Pick<AgentStream, 'hasProgrammed'>): boolean {
    const generation = this.#late.get(stream);
    return generation !== undefined && !stream.hasProgrammed(generation);
  }
}
