import type { Clock } from '@contrail/reconcile';
import { logger } from '@contrail/telemetry';
import type { StreamHub } from '../stream/stream-hub';
import { AgentBarrier } from './agent-barrier';
import type { BarrierGoal, NodeElsewhere } from './agent-barrier';
import type { EntryRecord } from './entry-record';
import type { EntryUpdate, Trace } from './entry-table';
import { isMove } from './is-move';
import { StageLog } from './stage-progress';
import type { StageProgress } from './stage-progress';
import type { AgentStream } from '../stream/agent-stream';

export interface RolloutOptions {
  readonly hub: StreamHub;
  readonly clock: Clock;
  /** Nodes whose agents are connected to other replicas; the stages hold for them, too. */
  readonly elsewhere: () => Iterable<NodeElsewhere>;
  /** Called when `advance` should be. */
  readonly wake: () => void;
}

/** What a pass found different, and the state of the configuration that it brings about. */
export interface RolloutStep {
  readonly updates: readonly EntryUpdate[];
  readonly connectivityChanged: boolean;
  readonly revision: bigint;
  /** False while numbers are missing. */
  readonly isComplete: boolean;
}

/** An entry that waits for others; undefined `after`: it goes. */
interface Held {
  readonly after: EntryRecord | undefined;
  readonly traces: readonly Trace[];
}

/** One way from the old to the new, for everything that was held before the first interface moved. */
interface Round {
  readonly startedAt: number;
  /** `make`: receivers learn the new; `move`: interfaces and senders go over. */
  stage: 'make' | 'move';
  /** Whether the step for which agents are waited for is published. */
  isWaiting: boolean;
  /** When the last move joined. */
  joinedAt: number;
  readonly keys: Set<string>;
  /** Configuration that is in force when the round is over. */
  revision: bigint;
}

/** Entries of a change that config-api may send in several parts: the next ones come closely. */
const bigRoundKeys = 900;
/** How long a big change has to be quiet before anything of it moves. */
const quietMs = 100;
const log = logger('rollout');

/**
 * Publishes the desired state so that what is allowed before and after a change never lacks a way. A change that
 * moves interfaces to another VRF or identity goes in stages: what is new appears (labels, routes, VRFs), then the
 * interfaces and the routes and backends that lead to them change, then what is old goes. Between two stages every
 * agent says that it has programmed the first. Meanwhile other changes pass at once, except that removals wait, and
 * the revision stands still. Removals also wait for numbers that are missing. Moves that come when the first
 * interface has moved go in the next round; a big change, of which more may be to come, moves when nothing has joined
 * for a moment.
 */
export class Rollout {
  readonly #options: RolloutOptions;
  readonly #barrier: AgentBarrier;
  readonly #stages = new StageLog();
  readonly #held = new Map<string, Held>();
  #round: Round | undefined;
  #target: Pick<RolloutStep, 'revision' | 'isComplete'> = { revision: 0n, isComplete: false };

  constructor(options: RolloutOptions) {
    this.#options = options;
    const { hub, clock, elsewhere, wake } = options;
    this.#barrier = new AgentBarrier({ streams: () => hub.streams(), elsewhere, clock, wake });
  }

  /** The newest state of an entry, published or not. */
  get(key: string): EntryRecord | undefined {
    const held = this.#held.get(key);
    return held === undefined ? this.#options.hub.table.get(key) : held.after;
  }

  /** Whether some change is on its way. */
  get isUnderWay(): boolean {
    return this.#round !== undefined;
  }

  /** How far an agent is in the stages, for the other replicas. */
  stagesOf(agent: Pick<AgentStream, 'hasProgrammed'>): StageProgress {
    return this.#stages.of(agent);
  }

  stop(): void {
    this.#barrier.stop();
  }

  /** Publishes what may be, and holds the rest. */
  take(step: RolloutStep): void {
    const wentBack = step.revision < this.#target.revision;
    this.#target = step;
    const updates = step.updates.flatMap((update) => this.#sinceTable(update));
    const moving = new Set(updates.filter(isMoving));
    // What goes may be the old place of what moves as soon as its new one has numbers.
    const mayMove = moving.size > 0 || (!step.isComplete && updates.some(({ after }) => after === undefined));
    const isStaged = !wentBack && (this.isUnderWay || mayMove);
    const now = updates.filter((update) => !isStaged || !this.#hold(update, moving.has(update)));
    if (wentBack) now.push(...this.#takeAll());
    this.#publish(now, step.connectivityChanged);
    if (this.#round === undefined && this.#held.size > 0) this.#begin();
    else if (this.#round?.stage === 'make') this.#join(this.#round, moving.size > 0);
    this.advance();
  }

  /** Goes on as far as the agents are. */
  advance(): void {
    const round = this.#round;
    if (round === undefined) return;
    if (!round.isWaiting) {
      // Labels without numbers are still to come.
      if (!this.#target.isComplete) return;
      round.isWaiting = true;
      this.#barrier.raise(this.#goal('made', round));
    }
    if (!this.#barrier.isPassed() || this.#mayGrow(round)) return;
    if (round.stage === 'move') return this.#end(round);
    round.stage = 'move';
    this.#publish(this.#takeHeld(round, (after) => after !== undefined), false);
    this.#barrier.raise(this.#goal('moved', round));
    this.advance();
  }

  #begin(): void {
    const { clock } = this.#options;
    const { revision } = this.#target;
    const now = clock.now();
    this.#round = { startedAt: now, joinedAt: now, stage: 'make', isWaiting: false, keys: new Set(this.#held.keys()), revision };
    this.#lookAgain(this.#round);
  }

  #mayGrow({ stage, keys, joinedAt }: Round): boolean {
    return stage === 'make' && keys.size >= bigRoundKeys && this.#options.clock.now() - joinedAt < quietMs;
  }

  #lookAgain({ keys }: Round): void {
    const { clock, wake } = this.#options;
    if (keys.size >= bigRoundKeys) void clock.sleep(quietMs).then(wake);
  }

  /** The parts of one change may come one after the other: what comes before the first interface moves goes with it. */
  #join(round: Round, moves: boolean): void {
    round.revision = this.#target.revision;
    for (const key of this.#held.keys()) round.keys.add(key);
    if (!moves) return;
    round.joinedAt = this.#options.clock.now();
    this.#lookAgain(round);
    // They may need labels that have no numbers yet.
    if (!this.#target.isComplete) round.isWaiting = false;
    else if (round.isWaiting) this.#barrier.extend(this.#goal('made', round));
  }

  #goal(stage: BarrierGoal['stage'], { revision }: Round): BarrierGoal {
    return { generation: this.#options.hub.published.generation, stage, revision };
  }

  #end(round: Round): void {
    const { clock } = this.#options;
    const removals = this.#takeHeld(round, (after) => after === undefined);
    this.#round = undefined;
    const isLast = this.#held.size === 0;
    this.#publish(removals, isLast, isLast && this.#target.isComplete ? this.#target.revision : round.revision);
    log.info('interfaces moved', { entries: round.keys.size, durationMs: clock.now() - round.startedAt });
    if (isLast) return;
    this.#begin();
    this.advance();
  }

  /** The same update as seen from what is published; nothing when that is wanted again. */
  #sinceTable({ before, after, traces }: EntryUpdate): EntryUpdate[] {
    const key = (after ?? before)?.key ?? '';
    const published = this.#options.hub.table.get(key);
    const held = this.#held.get(key);
    this.#held.delete(key);
    if (published === undefined ? after === undefined : after?.equals(published) === true) return [];
    return [{ before: published, after, traces: [...(held?.traces ?? []), ...traces] }];
  }

  /** @returns true when the update has to wait. */
  #hold({ before, after, traces }: EntryUpdate, moves: boolean): boolean {
    const isGone = after === undefined && before?.kind !== 'interface';
    if (before === undefined || (!isGone && !moves)) return false;
    this.#held.set(before.key, { after, traces });
    return true;
  }

  #takeHeld(round: Round, isMeant: (after: EntryRecord | undefined) => boolean): EntryUpdate[] {
    const taken: EntryUpdate[] = [];
    for (const key of round.keys) {
      const held = this.#held.get(key);
      if (held === undefined || !isMeant(held.after)) continue;
      this.#held.delete(key);
      taken.push({ before: this.#options.hub.table.get(key), ...held });
    }
    return taken;
  }

  /** Everything at once: agents begin again with it. */
  #takeAll(): EntryUpdate[] {
    const all = [...this.#held].map(([key, held]) => ({ before: this.#options.hub.table.get(key), ...held }));
    this.#held.clear();
    this.#round = undefined;
    return all;
  }

  #publish(updates: readonly EntryUpdate[], connectivityChanged: boolean, revision?: bigint): void {
    const { hub } = this.#options;
    const { isComplete } = this.#target;
    const isWhole = isComplete && this.#round === undefined && this.#held.size === 0;
    hub.publish({
      updates,
      connectivityChanged,
      isComplete,
      // Nobody shall take for programmed what is not even published.
      revision: revision ?? (isWhole ? this.#target.revision : hub.published.revision),
      keepScopes: this.#round !== undefined || this.#held.size > 0,
    });
    this.#noteStages();
  }

  /** What is new is never held back, only what moves or goes. */
  #noteStages(): void {
    const { isComplete, revision } = this.#target;
    const made = isComplete ? revision : this.#stages.newest.made;
    const isMoveHeld = [...this.#held.values()].some(({ after }) => after !== undefined);
    this.#stages.note({ generation: this.#options.hub.published.generation, made, moved: isMoveHeld ? this.#stages.newest.moved : made });
  }
}

function isMoving({ before, after }: EntryUpdate): boolean {
  return before !== undefined && after !== undefined && isMove(before, after);
}
