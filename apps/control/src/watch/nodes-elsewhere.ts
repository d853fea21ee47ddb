import type { NodeProgress } from '@contrail/proto-gen/config/v1/messages';
import type { Clock } from '@contrail/reconcile';
import { logger } from '@contrail/telemetry';
import type { BarrierGoal, NodeElsewhere } from '../engine/agent-barrier';
import type { StageProgress } from '../engine/stage-progress';
import { SignalFlag } from '../signal-flag';

export interface NodesElsewhereOptions {
  /** Names of all nodes that there are. */
  readonly nodes: () => Iterable<string>;
  /** Whether the node's agent is connected to this process. */
  readonly isHere: (node: string) => boolean;
  /** Whether anybody is waited for. */
  readonly isNeeded: () => boolean;
  /** What every replica has reported. */
  readonly ask: () => Promise<readonly NodeProgress[]>;
  /** Nodes may be further than before. */
  readonly onProgress: () => void;
  readonly clock: Clock;
}

const pollMs = 50;
const log = logger('nodes-elsewhere');

/**
 * How far the nodes are whose agents are connected to other replicas: what those report to config-api, asked for while a change goes
 * through its stages. With a single replica there is nobody elsewhere, and nothing is asked.
 */
export class NodesElsewhere {
  readonly #options: NodesElsewhereOptions;
  readonly #flag = new SignalFlag();
  readonly #known = new Map<string, RemoteNode>();

  constructor(options: NodesElsewhereOptions) {
    this.#options = options;
  }

  /** One object for each node, always the same. */
  *list(): Generator<NodeElsewhere> {
    const { nodes, isHere } = this.#options;
    for (const name of nodes()) {
      if (isHere(name)) continue;
      const node = this.#known.get(name) ?? new RemoteNode();
      this.#known.set(name, node);
      yield node;
    }
  }

  get isEmpty(): boolean {
    return this.list().next().done === true;
  }

  /** Somebody may be waited for now. */
  note(): void {
    if (this.#options.isNeeded()) this.#flag.set();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { isNeeded, clock } = this.#options;
    signal.addEventListener('abort', () => this.#flag.set(), { once: true });
    for (;;) {
      await this.#flag.wait();
      while (!signal.aborted && isNeeded() && !this.isEmpty) {
        await this.#poll();
        await clock.sleep(pollMs, signal).catch(() => undefined);
      }
      if (signal.aborted) return;
    }
  }

  async #poll(): Promise<void> {
    const { ask, onProgress } = this.#options;
    try {
      for (const { node, madeRevision, movedRevision } of await ask()) {
        this.#known.get(node)?.learn({ made: madeRevision, moved: movedRevision });
      }
      onProgress();
    } catch (error) {
      // The patience of whoever waits ends this, too.
      log.warn('progress of nodes at other replicas is unknown; asking again', { error });
    }
  }
}

class RemoteNode implements NodeElsewhere {
  #progress: StageProgress = { made: 0n, moved: 0n };

  learn(progress: StageProgress): void {
    this.#progress = progress;
  }

  hasReached({ stage, revision }: BarrierGoal): boolean {
    return this.#progress[stage] >= revision;
  }
}
