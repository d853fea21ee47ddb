import type { Clock } from '@contrail/reconcile';
import type { AgentStream } from '../stream/agent-stream';

/** How long the others wait for an agent. */
const patienceMs = 2_000;

/** What agents are waited for to have programmed. */
export interface BarrierGoal {
  /** Step of the desired state of this process. */
  readonly generation: number;
  /** The same for agents of other replicas, which number their steps differently: see `StageProgress`. */
  readonly stage: 'made' | 'moved';
  readonly revision: bigint;
}

/** A node whose agent is connected to another replica, or to none. */
export interface NodeElsewhere {
  hasReached(goal: BarrierGoal): boolean;
}

export interface AgentBarrierOptions {
  readonly streams: () => Iterable<Pick<AgentStream, 'hasProgrammed'>>;
  /** The same objects every time. */
  readonly elsewhere: () => Iterable<NodeElsewhere>;
  readonly clock: Clock;
  /** Called when patience is at its end: somebody may pass now. */
  readonly wake: () => void;
}

/** Somebody who is waited for. */
type Awaited = (goal: BarrierGoal) => boolean;

/** Waits until every agent has programmed a step of the desired state. */
export class AgentBarrier {
  readonly #options: AgentBarrierOptions;
  /** Agents that were waited for in vain, and for what; nobody waits for them again before they have it. */
  readonly #late = new WeakMap<object, BarrierGoal>();
  #goal: BarrierGoal = { generation: 0, stage: 'made', revision: 0n };
  #deadline = 0;
  #timer = new AbortController();

  constructor(options: AgentBarrierOptions) {
    this.#options = options;
  }

  /** From now on, `isPassed` is about this step. */
  raise(goal: BarrierGoal): void {
    const { clock, wake } = this.#options;
    this.#goal = goal;
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
  extend(goal: BarrierGoal): void {
    this.#goal = goal;
  }

  /** @returns true as well when whoever is missing did not answer for too long. */
  isPassed(): boolean {
    const { clock } = this.#options;
    const missing = [...this.#everybody()].filter(([who, has]) => !has(this.#goal) && !this.#isLate(who, has)).map(([who]) => who);
    if (missing.length > 0 && clock.now() < this.#deadline) return false;
    this.stop();
    for (const who of missing) this.#late.set(who, this.#goal);
    return true;
  }

  *#everybody(): Generator<readonly [object, Awaited]> {
    const { streams, elsewhere } = this.#options;
    for (const stream of streams()) yield [stream, ({ generation }) => stream.hasProgrammed(generation)];
    for (const node of elsewhere()) yield [node, (goal) => node.hasReached(goal)];
  }

  #isLate(who: object, has: Awaited): boolean {
    const goal = this.#late.get(who);
    return goal !== undefined && !has(goal);
  }
}
