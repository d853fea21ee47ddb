import { ControlServiceClient } from '@contrail/proto-gen/control/v1/control_service';
import type { Batch, Entry, EntryKey } from '@contrail/proto-gen/control/v1/messages';
import { EntryKey as EntryKeyCodec } from '@contrail/proto-gen/control/v1/messages';
import { closeClient, createClient, openBidi } from '@contrail/rpc';
import type { TlsSource } from '@contrail/rpc';
import { entryKeyOf } from '../src/engine/entry-record';

type EntryKind = NonNullable<Entry['kind']>;
type ValueOf<K extends EntryKind['$case']> = Extract<EntryKind, { $case: K }>['value'];

/** What a real agent keeps of its stream; it programs nothing and acknowledges at once. */
export class TestAgent {
  readonly entries = new Map<string, Entry>();
  readonly batches: Batch[] = [];
  /** Set from InSync and from batches. */
  revision = 0n;
  inSyncs = 0;
  sequence = 0n;
  error: unknown;
  acknowledges = true;
  readonly #client: ControlServiceClient;
  readonly #stream;
  readonly #abort = new AbortController();
  readonly done: Promise<void>;
  #paused: Promise<void> | undefined;
  #resume: () => void = () => undefined;

  constructor(target: { port: number; tls: TlsSource | 'insecure'; node: string; protocolVersion?: number }) {
    const address = `127.0.0.1:${target.port}`;
    this.#client = createClient(ControlServiceClient, { address, service: 'control', tls: target.tls });
    this.#stream = openBidi(this.#client, 'sync', { signal: this.#abort.signal });
    const { node, protocolVersion = 1 } = target;
    this.done = this.#run({ node, protocolVersion });
  }

  /** Stops reading, as a stuck agent does. */
  pause(): void {
    this.#paused = new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  resume(): void {
    this.#paused = undefined;
    this.#resume();
  }

  async ack(revision: bigint, exceptions: { key: string; reason: string }[] = []): Promise<void> {
    await this.#stream.write({ kind: { $case: 'ack', value: { revision, exceptions, sequence: this.sequence } } });
  }

  async close(): Promise<void> {
    this.#abort.abort();
    this.resume();
    await this.done;
    closeClient(this.#client);
  }

  /** Entries of a kind, in no particular order. */
  find<K extends EntryKind['$case']>(kind: K): ValueOf<K>[] {
    return [...this.entries.values()].flatMap((entry) => (entry.kind?.$case === kind ? [entry.kind.value as ValueOf<K>] : []));
  }

  async #run(hello: { node: string; protocolVersion: number }): Promise<void> {
    try {
      await this.#stream.write({ kind: { $case: 'hello', value: hello } });
      for await (const { kind } of this.#stream.messages()) {
        await this.#paused;
        if (kind?.$case === 'batch') this.#apply(kind.value);
        if (kind?.$case === 'inSync') {
          this.inSyncs += 1;
          this.revision = kind.value.revision;
        }
        if (this.acknowledges && this.inSyncs > 0) await this.ack(this.revision);
      }
    } catch (error) {
      if (!this.#abort.signal.aborted) this.error = error;
    }
  }

  #apply(batch: Batch): void {
    this.batches.push(batch);
    for (const entry of batch.entries) this.entries.set(keyText(entryKeyOf(entry)), entry);
    for (const key of batch.removals) this.entries.delete(keyText(key));
    this.sequence = batch.sequence;
    if (this.inSyncs > 0) this.revision = batch.revision;
  }
}

function keyText(key: EntryKey | undefined): string {
  return key === undefined ? 'global' : Buffer.from(EntryKeyCodec.encode(key).finish()).toString('hex');
}
