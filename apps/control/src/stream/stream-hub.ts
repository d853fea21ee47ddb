import { ContrailError } from '@contrail/errors';
import { nodeScope } from '../compile/scopes';
import { EntryTable } from '../engine/entry-table';
import type { EntryUpdate } from '../engine/entry-table';
import { AgentStream } from './agent-stream';
import type { Published } from './agent-stream';
import { scopesOfNode } from './node-needs';
import type { NeedsContext } from './node-needs';
import type { Publication } from './pending-entries';

export interface HubOptions {
  readonly pendingMax: number;
  /** How networks are connected now. */
  readonly connectivity: () => Omit<NeedsContext, 'table'>;
  /** Called when the progress of nodes may have moved. */
  readonly onProgress: () => void;
}

/** A step of the desired state. */
export interface Step extends Omit<Published, 'generation'> {
  readonly updates: readonly EntryUpdate[];
  readonly connectivityChanged: boolean;
  /** Whether agents keep the parts that they need no longer: others are still on their way out of them. */
  readonly keepScopes?: boolean;
}

/** The table of all entries, and the agents that are subscribed to parts of it. */
export class StreamHub {
  readonly table = new EntryTable();
  readonly #options: HubOptions;
  readonly #streams = new Map<string, AgentStream>();
  readonly #subscribers = new Map<string, Set<AgentStream>>();
  #published: Published = { revision: 0n, isComplete: false, generation: 0 };

  constructor(options: HubOptions) {
    this.#options = options;
  }

  get published(): Published {
    return this.#published;
  }

  streams(): Iterable<AgentStream> {
    return this.#streams.values();
  }

  /** Whether the node's agent is connected. */
  has(node: string): boolean {
    return this.#streams.has(node);
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  /** Opens the stream of a node's agent; an older one of the same node ends. */
  open(node: string): AgentStream {
    this.#streams
      .get(node)
      ?.fail(new ContrailError('ABORTED', `agent of node ${node}: connected a second time; this stream ends`));
    const stream = new AgentStream({
      node,
      table: this.table,
      pendingMax: this.#options.pendingMax,
      published: () => this.#published,
    });
    this.#streams.set(node, stream);
    this.#subscribe(stream, { generation: this.#published.generation, revisionBefore: 0n });
    return stream;
  }

  close(stream: AgentStream): void {
    for (const scope of stream.scopes) this.#leave(scope, stream);
    if (this.#streams.get(stream.node) === stream) this.#streams.delete(stream.node);
  }

  /** Makes a step visible to all agents at once. */
  publish({ updates, connectivityChanged, revision, isComplete, keepScopes = false }: Step): void {
    const generation = this.#published.generation + 1;
    const publication = { generation, revisionBefore: this.#published.revision };
    this.#published = { revision, isComplete, generation };
    for (const update of updates) this.#fanOut(update, publication);
    const nodeScopes = new Set(updates.flatMap(({ before, after }) => [before?.scope ?? '', after?.scope ?? '']));
    for (const stream of this.#streams.values()) {
      if (!connectivityChanged && !nodeScopes.has(nodeScope(stream.node))) continue;
      this.#subscribe(stream, publication, keepScopes ? stream.scopes : undefined);
    }
    for (const stream of this.#streams.values()) stream.wakeIfDue();
    this.#options.onProgress();
  }

  /** Ends all streams; agents connect again and get a snapshot. */
  cutAll(reason: string): void {
    for (const stream of this.#streams.values()) stream.fail(new ContrailError('UNAVAILABLE', reason));
  }

  #fanOut(update: EntryUpdate, publication: Publication): void {
    this.table.apply(update);
    const { before, after } = update;
    const scopes = before === undefined || before.scope === after?.scope ? [after?.scope] : [before.scope, after?.scope];
    for (const scope of scopes) {
      const subscribers = scope === undefined ? undefined : this.#subscribers.get(scope);
      for (const stream of subscribers ?? []) stream.offer(update, publication);
    }
  }

  /** @param kept what the agent has in any case. */
  #subscribe(stream: AgentStream, publication: Publication, kept: Iterable<string> = []): void {
    const before = stream.scopes;
    const needed = scopesOfNode({ ...this.#options.connectivity(), table: this.table }, stream.node);
    const scopes = new Set([...needed, ...kept]);
    for (const scope of before) if (!scopes.has(scope)) this.#leave(scope, stream);
    for (const scope of scopes) {
      const subscribers = this.#subscribers.get(scope) ?? new Set();
      this.#subscribers.set(scope, subscribers.add(stream));
    }
    stream.subscribe(scopes, publication);
  }

  #leave(scope: string, stream: AgentStream): void {
    const subscribers = this.#subscribers.get(scope);
    if (subscribers?.delete(stream) === true && subscribers.size === 0) this.#subscribers.delete(scope);
  }
}
