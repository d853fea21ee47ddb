import type { AckException } from '@contrail/proto-gen/control/v1/messages';
import type { NodeProgress, ProgressException } from '@contrail/proto-gen/config/v1/messages';
import { backoffDelayMs } from '@contrail/reconcile';
import type { BackoffPolicy, Clock } from '@contrail/reconcile';
import { logger } from '@contrail/telemetry';
import type { StageProgress } from '../engine/stage-progress';
import type { AgentProgress } from '../stream/agent-stream';
import { SignalFlag } from '../signal-flag';

export interface ReportedAgent {
  readonly node: string;
  progress(): AgentProgress | undefined;
}

export interface ProgressReporterOptions<Agent extends ReportedAgent> {
  readonly agents: () => Iterable<Agent>;
  readonly stagesOf: (agent: Agent) => StageProgress;
  /** Whether other replicas wait for what is reported. */
  readonly isUrgent: () => boolean;
  readonly report: (nodes: NodeProgress[]) => Promise<void>;
  readonly clock: Clock;
}

/** Reports are collected this long. */
const debounceMs = 100;
const urgentDebounceMs = 10;
const nodesPerReport = 1_000;
const backoff: BackoffPolicy = { firstMs: 200, maxMs: 5_000, factor: 2, jitter: 0.5 };
const log = logger('progress');

/** Tells config-api how far each node is, when that moved. */
export class ProgressReporter<Agent extends ReportedAgent> {
  readonly #options: ProgressReporterOptions<Agent>;
  readonly #flag = new SignalFlag();
  /** What was reported last for each node, as text. */
  readonly #reported = new Map<string, string>();

  constructor(options: ProgressReporterOptions<Agent>) {
    this.#options = options;
  }

  /** Something may have moved. */
  note(): void {
    this.#flag.set();
  }

  /** A node's agent left; another replica may report for it, so it is reported anew when it comes back. */
  forget(node: string): void {
    this.#reported.delete(node);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, isUrgent } = this.#options;
    signal.addEventListener('abort', () => this.#flag.set(), { once: true });
    for (let failures = 0; ; ) {
      await this.#flag.wait();
      if (signal.aborted) return;
      const delay = failures === 0 ? (isUrgent() ? urgentDebounceMs : debounceMs) : backoffDelayMs(backoff, failures, Math.random());
      await clock.sleep(delay, signal).catch(() => undefined);
      try {
        await this.#reportMoved();
        failures = 0;
      } catch (error) {
        failures += 1;
        log.warn('progress was not reported; trying again', { error, failures });
        this.#flag.set();
      }
    }
  }

  async #reportMoved(): Promise<void> {
    const moved: { readonly text: string; readonly progress: NodeProgress }[] = [];
    for (const agent of this.#options.agents()) {
      const progress = agent.progress();
      if (progress === undefined) continue;
      const stages = this.#options.stagesOf(agent);
      const text = [progress.revision, stages.made, stages.moved, ...progress.exceptions.map(({ key, reason }) => `${key} ${reason}`)].join('\n');
      if (this.#reported.get(agent.node) !== text) moved.push({ text, progress: toNodeProgress(agent.node, progress, stages) });
    }
    for (let i = 0; i < moved.length; i += nodesPerReport) {
      const part = moved.slice(i, i + nodesPerReport);
      await this.#options.report(part.map(({ progress }) => progress));
      for (const { text, progress } of part) this.#reported.set(progress.node, text);
    }
  }
}

function toNodeProgress(node: string, { revision, exceptions }: AgentProgress, { made, moved }: StageProgress): NodeProgress {
  const stages = { madeRevision: made, movedRevision: moved };
  return { node, revision, exceptions: exceptions.map(toProgressException), reportedAtMs: 0n, ...stages };
}

/** An interface is an object of the configuration; other entries are named as the agent names them. */
function toProgressException({ key, reason }: AckException): ProgressException {
  const [kind = '', rest = ''] = splitOnce(key);
  return kind === 'interface'
    ? { type: 'virtual-machine-interface', uuid: rest, reason }
    : { type: kind, uuid: rest, reason };
}

function splitOnce(key: string): string[] {
  const slash = key.indexOf('/');
  return slash < 0 ? [key] : [key.slice(0, slash), key.slice(slash + 1)];
}
