import { ControlServiceService } from '@contrail/proto-gen/control/v1/control_service';
import type { Ack, Entry, SyncRequest, SyncResponse } from '@contrail/proto-gen/control/v1/messages';
import { bidi, defineService, startServer } from '@contrail/rpc';
import type { BidiStream, RunningServer } from '@contrail/rpc';
import * as make from './entries';

/** Plays control without certificates: the given snapshot to every agent, then what `send` says. */
export class FakeControl {
  readonly acks: Ack[] = [];
  readonly #snapshot: readonly Entry[];
  readonly #streams = new Set<BidiStream<SyncRequest, SyncResponse>>();
  #server: RunningServer | undefined;
  #revision = 1;

  constructor(snapshot: readonly Entry[]) {
    this.#snapshot = snapshot;
  }

  /** @returns the address. */
  async start(): Promise<string> {
    const sync = bidi<SyncRequest, SyncResponse>((stream) => this.#serve(stream));
    const server = await startServer({
      address: '127.0.0.1:0',
      tls: 'insecure',
      services: [defineService({ sync: ControlServiceService.sync }, { sync: { allow: 'any', handle: sync } })],
    });
    this.#server = server;
    return `127.0.0.1:${server.port}`;
  }

  async send(entries: Entry[], traceparent = ''): Promise<void> {
    this.#revision += 1;
    const value = make.batch(this.#revision, entries);
    if (traceparent !== '') {
      value.traced.push({ traceparent, type: 'virtual-machine-interface', uuid: make.vmiUuid(1), revision: value.revision });
    }
    for (const stream of this.#streams) await stream.write({ kind: { $case: 'batch', value } });
  }

  async stop(): Promise<void> {
    await this.#server?.stop(50);
  }

  async #serve(stream: BidiStream<SyncRequest, SyncResponse>): Promise<void> {
    for await (const { kind } of stream.messages()) {
      if (kind?.$case === 'ack') this.acks.push(kind.value);
      if (kind?.$case !== 'hello') continue;
      await stream.write({ kind: { $case: 'batch', value: make.batch(this.#revision, [...this.#snapshot]) } });
      await stream.write({ kind: { $case: 'inSync', value: { revision: BigInt(this.#revision) } } });
      this.#streams.add(stream);
    }
    this.#streams.delete(stream);
  }
}
