import type { AgentStream } from '../stream/agent-stream';

/** How far a node is in the stages of changes, in revisions of the configuration, which mean the same to every replica. */
export interface StageProgress {
  /** Everything new up to it is programmed: packets that follow it are accepted. */
  readonly made: bigint;
  /** All interfaces, routes and backends that it moves have moved. */
  readonly moved: bigint;
}

interface Step extends StageProgress {
  readonly generation: number;
}

/** An agent that is further behind shows no progress before it comes nearer. */
const stepsMax = 1_000;

/** Which stage of which configuration each published step completes. */
export class StageLog {
  #steps: Step[] = [];

  note(step: Step): void {
    const last = this.#steps.at(-1);
    if (last?.made === step.made && last.moved === step.moved) return;
    this.#steps.push(step);
    if (this.#steps.length > stepsMax) this.#steps = this.#steps.slice(-stepsMax / 2);
  }

  /** Of the newest step. */
  get newest(): StageProgress {
    return this.#steps.at(-1) ?? { made: 0n, moved: 0n };
  }

  /** Zeros before the agent has anything. */
  of(agent: Pick<AgentStream, 'hasProgrammed'>): StageProgress {
    return this.#steps.findLast(({ generation }) => agent.hasProgrammed(generation)) ?? { made: 0n, moved: 0n };
  }
}
