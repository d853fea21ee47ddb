import type { SyncRequest } from '@contrail/proto-gen/control/v1/messages';
import { errorText } from '@contrail/errors';
import { logger } from '@contrail/telemetry';
import type { ForwardingState, Progress } from '../ksync/forwarding-state';

const log = logger('control-client');
const intervalMs = 10;
const exceptionsMax = 1000;
const reasonLengthMax = 1024;

/** Tells control how far the node is: when revision, sequence or exceptions change, at most each 10 ms. */
export class AckSender {
  readonly #write: (message: SyncRequest) => Promise<void>;
  readonly #state: ForwardingState;
  readonly #stop: () => void;
  #timer: NodeJS.Timeout | undefined;
  #sent = '';

  constructor(state: ForwardingState, write: (message: SyncRequest) => Promise<void>) {
    this.#state = state;
    this.#write = write;
    this.#stop = state.onChange(() => this.#schedule());
  }

  stop(): void {
    this.#stop();
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#send();
    }, intervalMs);
  }

  #send(): void {
    const progress = this.#state.progress();
    if (!progress) return;
    const text = textOf(progress);
    if (text === this.#sent) return;
    this.#sent = text;
    const exceptions = progress.exceptions
      .slice(0, exceptionsMax)
      .map(({ key, reason }) => ({ key, reason: reason.slice(0, reasonLengthMax) }));
    const { revision, sequence } = progress;
    const message: SyncRequest = { kind: { $case: 'ack', value: { revision, sequence, exceptions } } };
    // A write that fails means that the stream breaks; the session sees that too.
    this.#write(message).catch((error: unknown) => log.debug('ack not sent', { reason: errorText(error) }));
  }
}

function textOf({ revision, sequence, exceptions }: Progress): string {
  return `${revision} ${sequence} ${JSON.stringify(exceptions)}`;
}
