import { ContrailError } from '@contrail/errors';
import type { AckException } from '@contrail/proto-gen/control/v1/messages';
import { scopeRank } from '../compile/scopes';
import type { EntryRecord } from '../engine/entry-record';
import type { EntryTable, EntryUpdate } from '../engine/entry-table';
import { encodeBatch, encodeInSync } from './encode-response';
import { PendingEntries } from './pending-entries';
import type { Publication, TakenEntries } from './pending-entries';
import { SignalFlag } from '../signal-flag';

/** How far the desired state as a whole is. */
export interface Published {
  /** Revision up to which everything is in the table. */
  readonly revision: bigint;
  /** False while numbers are missing: then a snapshot could lack what an agent rightly has. */
  readonly isComplete: boolean;
  /** Step of the desired state; grows by one with each. */
  readonly generation: number;
}

export interface AgentProgress {
  readonly revision: bigint;
  readonly exceptions: readonly AckException[];
}

export interface AgentStreamOptions {
  readonly node: string;
  readonly table: EntryTable;
  readonly published: () => Published;
  /** An agent with more pending keys is cut: starting again costs less than catching up. */
  readonly pendingMax: number;
}

/** A scope that is being sent as a whole; it reads the live table, so what changes meanwhile is the latest. */
interface Backfill {
  readonly scope: string;
  readonly records: Iterator<EntryRecord>;
  readonly publication: Publication;
}

/** Entries in one message, as the contract says. */
const entriesMax = 1_000;
/** Bytes in one message. The transport of an agent that does not read holds 16 of them. */
const bytesMax = 128 * 1024;

/**
 * What one agent is sent: snapshot, `InSync`, deltas. Costs nothing but subscriptions: entries are shared
 * with all other agents, and a slow agent gets the latest state of each key instead of every change.
 */
export class AgentStream {
  readonly node: string;
  readonly #options: AgentStreamOptions;
  readonly #pending = new PendingEntries();
  readonly #flag = new SignalFlag();
  #scopes: ReadonlySet<string> = new Set();
  #backfills: Backfill[] = [];
  #failure: ContrailError | undefined;
  #isInSync = false;
  #sent = 0n;
  #acknowledged: AgentProgress | undefined;
  /** Entries went out with a revision that the agent had seen already, so its next Ack does not cover them. */
  #isUncovered = false;
  /** Number of the last batch that was sent. */
  #sequence = 0;
  #acknowledgedSequence = 0;
  /** Up to which step each batch that is not acknowledged yet completes the state, oldest first. */
  #unacknowledged: { readonly sequence: number; readonly generation: number }[] = [];
  #programmed = -1;

  constructor(options: AgentStreamOptions) {
    this.node = options.node;
    this.#options = options;
  }

  get scopes(): ReadonlySet<string> {
    return this.#scopes;
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  /** Scopes that came are sent whole, entries of those that went are removed. */
  subscribe(scopes: ReadonlySet<string>, publication: Publication): void {
    const before = this.#scopes;
    this.#scopes = scopes;
    this.#backfills = this.#backfills.filter((backfill) => {
      if (scopes.has(backfill.scope)) return true;
      this.#pending.release(backfill.publication.generation);
      return false;
    });
    for (const scope of before) {
      if (scopes.has(scope)) continue;
      for (const record of this.#options.table.scope(scope).values()) this.#pending.remove(record, publication);
    }
    const added = [...scopes].filter((scope) => !before.has(scope));
    for (const scope of added.sort((a, b) => scopeRank(a) - scopeRank(b))) {
      this.#pending.hold(publication);
      this.#backfills.push({ scope, publication, records: this.#options.table.scope(scope).values()[Symbol.iterator]() });
    }
    this.#flag.set();
  }

  /** An entry that this agent has, or shall have, changed. */
  offer({ before, after, traces }: EntryUpdate, publication: Publication): void {
    if (this.#failure !== undefined) return;
    if (after !== undefined && this.#scopes.has(after.scope)) this.#pending.upsert(after, publication, traces);
    else if (before !== undefined) this.#pending.remove(before, publication, traces);
    if (this.#pending.size > this.#options.pendingMax) {
      this.fail(
        new ContrailError(
          'UNAVAILABLE',
          `agent of node ${this.node}: has more than ${this.#options.pendingMax} changes to read; connect again for a snapshot`,
        ),
      );
    }
  }

  /** @param sequence of the last batch that is programmed. */
  acknowledge(revision: bigint, exceptions: readonly AckException[], sequence: number): void {
    this.#acknowledged = { revision, exceptions };
    this.#acknowledgedSequence = sequence;
    const left = this.#unacknowledged.findIndex((batch) => batch.sequence > sequence);
    const done = this.#unacknowledged.splice(0, left < 0 ? this.#unacknowledged.length : left);
    this.#programmed = done.at(-1)?.generation ?? this.#programmed;
  }

  /** Whether the agent said that everything which concerns its node up to this step is programmed. */
  hasProgrammed(generation: number): boolean {
    if (!this.#isInSync || this.#acknowledged === undefined) return false;
    if (this.#programmed >= generation) return true;
    const isSent = this.#pending.completeGeneration(this.#options.published().generation) >= generation;
    return isSent && this.#acknowledgedSequence >= this.#sequence;
  }

  /**
   * What is fully programmed on the node; undefined before the agent has said so. An agent that has
   * programmed everything it was sent is as far as the desired state, even when nothing of the latest
   * changes concerned it.
   */
  progress(): AgentProgress | undefined {
    const acknowledged = this.#acknowledged;
    if (acknowledged === undefined || !this.#isInSync) return undefined;
    const isDone = acknowledged.revision >= this.#sent && !this.#isUncovered && this.#isDrained;
    if (!isDone) return acknowledged;
    return { ...acknowledged, revision: this.#options.published().revision };
  }

  /** Wakes the sender when there is something to send since the last step of the desired state. */
  wakeIfDue(): void {
    if (!this.#isInSync || this.#isUncovered || !this.#isDrained) this.#flag.set();
  }

  /** Ends `run` with an error. */
  fail(error: ContrailError): void {
    this.#failure ??= error;
    this.#flag.set();
  }

  /** Sends until the stream fails or `signal` is aborted. @throws ContrailError that `fail` was given. */
  async run(write: (message: Buffer) => Promise<void>, signal: AbortSignal): Promise<void> {
    const wake = (): void => this.#flag.set();
    signal.addEventListener('abort', wake, { once: true });
    while (!signal.aborted) {
      if (this.#failure !== undefined) throw this.#failure;
      const message = this.#nextMessage();
      if (message === undefined) await this.#flag.wait();
      else await write(message);
    }
  }

  get #isDrained(): boolean {
    return this.#backfills.length === 0 && this.#pending.size === 0;
  }

  #nextMessage(): Buffer | undefined {
    const published = this.#options.published();
    const entries = this.#takeBackfill();
    if (entries.length > 0) return this.#batch({ entries, removals: [], traces: [] }, published);
    if (this.#pending.size > 0) return this.#batch(this.#pending.take({ count: entriesMax, bytes: bytesMax }), published);
    if (!this.#isInSync && published.isComplete) {
      this.#isInSync = true;
      this.#sent = published.revision;
      return encodeInSync(published.revision);
    }
    const canCover = this.#isInSync && this.#isUncovered && published.revision > this.#sent;
    return canCover ? this.#batch({ entries: [], removals: [], traces: [] }, published) : undefined;
  }

  #takeBackfill(): Uint8Array[] {
    const entries: Uint8Array[] = [];
    let bytes = 0;
    for (let backfill = this.#backfills[0]; backfill !== undefined; backfill = this.#backfills[0]) {
      for (let next = backfill.records.next(); next.done !== true; next = backfill.records.next()) {
        // Whatever waits for this key is older than what is sent now.
        this.#pending.discard(next.value.key);
        entries.push(next.value.bytes);
        bytes += next.value.bytes.length;
        if (entries.length === entriesMax || bytes >= bytesMax) return entries;
      }
      this.#backfills.shift();
      this.#pending.release(backfill.publication.generation);
    }
    return entries;
  }

  /** Batches of the snapshot have revision 0: nothing is complete before `InSync`. */
  #batch(parts: TakenEntries, published: Published): Buffer {
    this.#sequence += 1;
    const sequence = this.#sequence;
    this.#unacknowledged.push({ sequence, generation: this.#pending.completeGeneration(published.generation) });
    if (!this.#isInSync) return encodeBatch({ ...parts, revision: 0n, sequence });
    const revision = this.#pending.completeRevision(published.revision);
    this.#isUncovered = revision <= this.#sent;
    this.#sent = revision > this.#sent ? revision : this.#sent;
    return encodeBatch({ ...parts, revision: this.#sent, sequence });
  }
}
