import { addInterface } from './add-interface';
import { nameText } from './attachment-store';
import { checkInterface } from './check-interface';
import type { CniContext } from './cni-context';
import { CniError, cniCodes } from './cni-error';
import type { CniRequest } from './cni-request';
import { supportedVersions } from './cni-request';
import { collectGarbage } from './collect-garbage';
import { detach } from './detach';

/** With the plugin's own wait less than the 30 s after which a kubelet gives its runtime up. */
const statusWaitMs = 10_000;

/** The operations of the CNI specification; at most one ADD of a container's interface at a time. */
export class CniOperations {
  readonly #context: CniContext;
  readonly #adding = new Map<string, { readonly abort: AbortController; readonly done: Promise<unknown> }>();

  constructor(context: CniContext) {
    this.#context = context;
  }

  /**
   * @param signal aborted when the runtime is gone.
   * @returns the result object; undefined when the operation has none.
   * @throws CniError
   */
  async run(request: CniRequest, signal: AbortSignal): Promise<Record<string, unknown> | undefined> {
    switch (request.command) {
      case 'ADD':
        return await this.#add(request, signal);
      case 'DEL':
        await this.#cancelAdd(request);
        detach(this.#context, request);
        return undefined;
      case 'CHECK':
        checkInterface(this.#context, request);
        return undefined;
      case 'GC':
        collectGarbage(this.#context, request);
        return undefined;
      case 'STATUS':
        await this.#status(signal);
        return undefined;
      case 'VERSION':
        return { cniVersion: request.config.cniVersion, supportedVersions };
    }
  }

  async #add(request: CniRequest, gone: AbortSignal): Promise<Record<string, unknown>> {
    const name = nameText(request);
    if (this.#adding.has(name)) {
      throw new CniError(cniCodes.alreadyAttached, `container ${request.containerId}: an ADD of ${request.ifname} is running`);
    }
    const abort = new AbortController();
    const giveUp = (): void => abort.abort();
    const deadline = setTimeout(giveUp, this.#context.addDeadlineMs);
    gone.addEventListener('abort', giveUp, { once: true });
    if (gone.aborted) giveUp();
    const work = addInterface(this.#context, request, abort.signal);
    this.#context.adding.add(name);
    this.#adding.set(name, { abort, done: work.catch(() => undefined) });
    try {
      return await work;
    } finally {
      clearTimeout(deadline);
      gone.removeEventListener('abort', giveUp);
      this.#adding.delete(name);
      this.#context.adding.delete(name);
    }
  }

  async #cancelAdd(request: CniRequest): Promise<void> {
    const running = this.#adding.get(nameText(request));
    running?.abort.abort();
    await running?.done;
  }

  /**
   * Once in sync, an agent serves without control too: pods that run must not be evicted for its absence.
   * One that was just replaced is given time, or its node would be NotReady for a moment.
   */
  async #status(gone: AbortSignal): Promise<void> {
    const { state, addDeadlineMs } = this.#context;
    const signal = AbortSignal.any([gone, AbortSignal.timeout(Math.min(addDeadlineMs, statusWaitMs))]);
    if (await becameTrue(signal, () => state.inSync, (listener) => state.onChange(listener))) return;
    const problem = this.#context.controlProblem() ?? 'the snapshot is arriving';
    throw new CniError(cniCodes.notAvailable, `vrouter-agent has no state from control yet: ${problem}`);
  }
}

/** Looks again at each change. @returns false when the signal came first. */
function becameTrue(
  signal: AbortSignal,
  look: () => boolean,
  onChange: (listener: () => void) => () => void,
): Promise<boolean> {
  if (look()) return Promise.resolve(true);
  return new Promise((resolve) => {
    const finish = (found: boolean): void => {
      stop();
      resolve(found);
    };
    const stop = onChange(() => {
      if (look()) finish(true);
    });
    if (signal.aborted) finish(false);
    else signal.addEventListener('abort', () => finish(false), { once: true });
  });
}
