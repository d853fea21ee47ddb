import { ControlServiceClient } from '@contrail/proto-gen/control/v1/control_service';
import type { SyncResponse } from '@contrail/proto-gen/control/v1/messages';
import { ContrailError, errorText } from '@contrail/errors';
import { backoffDelayMs, eagerStart } from '@contrail/reconcile';
import type { Clock } from '@contrail/reconcile';
import { closeClient, createClient, openBidi } from '@contrail/rpc';
import type { TlsSource } from '@contrail/rpc';
import { logger } from '@contrail/telemetry';
import type { ForwardingState } from '../ksync/forwarding-state';
import { AckSender } from './ack-sender';

const log = logger('control-client');
const retryPolicy = { firstMs: 100, maxMs: 5000, factor: 2, jitter: 0.5, eager: eagerStart };
const protocolVersion = 1;

export interface ControlSessionOptions {
  readonly node: string;
  /** "host:port" of each replica; any of them serves. */
  readonly addresses: readonly string[];
  readonly tls: TlsSource | 'insecure';
  readonly state: ForwardingState;
  readonly clock: Clock;
}

/** The stream from control, opened again and again, replica after replica, until it is aborted. */
export class ControlSession {
  readonly #options: ControlSessionOptions;
  #address = '';
  #problem: string | undefined = 'control is not connected';
  #failures = 0;

  constructor(options: ControlSessionOptions) {
    this.#options = options;
  }

  /** The replica in use; empty when not connected. */
  get address(): string {
    return this.#problem === undefined ? this.#address : '';
  }

  /** Undefined while connected. */
  get problem(): string | undefined {
    return this.#problem;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { addresses, clock } = this.#options;
    // Agents begin at different replicas, so that these share the load.
    let turn = Math.floor(Math.random() * addresses.length);
    while (!signal.aborted) {
      this.#address = addresses[turn % addresses.length] ?? '';
      turn += 1;
      try {
        await this.#session(this.#address, signal);
        this.#problem = `control at ${this.#address} ended the stream`;
      } catch (error) {
        this.#problem = `control at ${this.#address} is not connected: ${errorText(error)}`;
      }
      if (signal.aborted) return;
      this.#failures += 1;
      log.warn('stream from control ended', { address: this.#address, reason: this.#problem });
      const delayMs = backoffDelayMs(retryPolicy, this.#failures, Math.random());
      await clock.sleep(delayMs, signal).catch(() => undefined);
    }
  }

  async #session(address: string, signal: AbortSignal): Promise<void> {
    const { state, node, tls } = this.#options;
    const client = createClient(ControlServiceClient, { address, service: 'control', tls });
    const stream = openBidi(client, 'sync', { signal });
    const acks = new AckSender(state, (message) => stream.write(message));
    try {
      state.beginSnapshot();
      await stream.write({ kind: { $case: 'hello', value: { node, protocolVersion } } });
      for await (const message of stream.messages()) this.#take(message);
    } finally {
      acks.stop();
      closeClient(client);
    }
  }

  #take(message: SyncResponse): void {
    const { state } = this.#options;
    const kind = message.kind;
    if (!kind) throw new ContrailError('INVALID_ARGUMENT', 'a message without kind; control is newer than this agent');
    if (this.#problem !== undefined) log.info('connected to control', { address: this.#address });
    this.#problem = undefined;
    this.#failures = 0;
    switch (kind.$case) {
      case 'batch':
        state.applyBatch(kind.value);
        break;
      case 'inSync':
        state.endSnapshot(kind.value.revision);
        log.info('in sync with control', { address: this.#address, revision: kind.value.revision });
        break;
    }
  }
}
