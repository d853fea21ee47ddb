import { SyncResponse } from '@contrail/proto-gen/control/v1/messages';
import type { Batch, Entry, EntryKey } from '@contrail/proto-gen/control/v1/messages';
import { EntryKey as EntryKeyCodec } from '@contrail/proto-gen/control/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { Compiler } from '../src/engine/compiler';
import type { ObjectChange } from '../src/engine/compiler';
import { entryKeyOf } from '../src/engine/entry-record';
import type { NodeElsewhere } from '../src/engine/agent-barrier';
import { Rollout } from '../src/engine/rollout';
import type { WantedId } from '../src/engine/wanted-ids';
import type { AgentStream } from '../src/stream/agent-stream';
import { StreamHub } from '../src/stream/stream-hub';
import { createdObject, testSettings } from './compiled';
import { ManualClock } from './manual-clock';
import { drain, TestIds } from './settle';

type EntryKind = NonNullable<Entry['kind']>;
type ValueOf<K extends EntryKind['$case']> = Extract<EntryKind, { $case: K }>['value'];

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Compiler, rollout and streams, one pass at a time, with agents that acknowledge when the test says so. */
export class StagedControl {
  readonly clock = new ManualClock();
  readonly hub: StreamHub;
  readonly rollout: Rollout;
  readonly compiler: Compiler;
  readonly ids = new TestIds();
  revision = 0n;
  /** Nodes whose agents are connected to another replica. */
  elsewhere: NodeElsewhere[] = [];
  /** Numbers that were not given yet. */
  missing: readonly WantedId[] = [];

  constructor() {
    this.hub = new StreamHub({
      pendingMax: 100_000,
      connectivity: () => ({ topology: this.compiler.topology, reach: this.compiler.reach }),
      onProgress: () => undefined,
    });
    this.rollout = new Rollout({
      ...{ hub: this.hub, clock: this.clock },
      elsewhere: () => this.elsewhere,
      wake: () => this.rollout.advance(),
    });
    this.compiler = new Compiler(testSettings, this.rollout);
  }

  /** One change of the configuration, and its passes until no number is missing. */
  async put(resources: readonly Resource[], deletions: readonly Resource[] = []): Promise<void> {
    await this.putWithoutNumbers(resources, deletions);
    while (this.missing.length > 0) await this.giveNumbers();
  }

  /** One change and one pass over it. */
  async putWithoutNumbers(resources: readonly Resource[], deletions: readonly Resource[] = []): Promise<void> {
    const gone = deletions.map((resource): ObjectChange => ({ ...createdObject(resource), object: undefined }));
    for (const change of [...resources.map(createdObject), ...gone]) this.compiler.apply(change);
    this.revision += 1n;
    await this.#pass();
  }

  async giveNumbers(): Promise<void> {
    this.compiler.learn(this.ids.learn(this.missing));
    await this.#pass();
  }

  async connect(node: string): Promise<LateAgent> {
    const agent = new LateAgent(this.hub.open(node), () => this.rollout.advance());
    await settle();
    agent.acknowledge();
    return agent;
  }

  async leave(agent: LateAgent): Promise<void> {
    this.hub.close(agent.stream);
    this.rollout.advance();
    await settle();
  }

  vrf(networkUuid: string): number {
    return this.compiler.ids.get('vrf', this.compiler.topology.networks.get(networkUuid)?.instance ?? '') ?? 0;
  }

  async #pass(): Promise<void> {
    const { updates, connectivityChanged, missingIds } = drain(this.compiler.compile());
    this.missing = missingIds;
    this.rollout.take({ updates, connectivityChanged, revision: this.revision, isComplete: missingIds.length === 0 });
    await settle();
  }
}

/** Has what it was sent, and says so when it is told to. */
export class LateAgent {
  readonly entries = new Map<string, Entry>();
  readonly batches: Batch[] = [];
  bytes = 0;
  revision = 0n;
  #sequence = 0;

  constructor(
    readonly stream: AgentStream,
    private readonly onAck: () => void,
  ) {
    void stream.run((message) => Promise.resolve(this.#receive(message)), new AbortController().signal);
  }

  /** Says that everything so far is programmed. */
  acknowledge(): void {
    this.stream.acknowledge(this.revision, [], this.#sequence);
    this.onAck();
  }

  find<K extends EntryKind['$case']>(kind: K): ValueOf<K>[] {
    return [...this.entries.values()].flatMap((entry) => (entry.kind?.$case === kind ? [entry.kind.value as ValueOf<K>] : []));
  }

  #receive(message: Buffer): void {
    const { kind } = SyncResponse.decode(message);
    if (kind?.$case === 'inSync') this.revision = kind.value.revision;
    if (kind?.$case !== 'batch') return;
    this.bytes += message.length;
    this.batches.push(kind.value);
    this.#sequence = Number(kind.value.sequence);
    if (kind.value.revision > 0n) this.revision = kind.value.revision;
    for (const entry of kind.value.entries) this.entries.set(keyText(entryKeyOf(entry)), entry);
    for (const key of kind.value.removals) this.entries.delete(keyText(key));
  }
}

function keyText(key: EntryKey | undefined): string {
  return key === undefined ? 'global' : Buffer.from(EntryKeyCodec.encode(key).finish()).toString('hex');
}
