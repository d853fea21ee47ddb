/** A signal that follows another one and a timer, until it is released. */
export interface LinkedSignal {
  readonly signal: AbortSignal;
  /** The timer, not the parent, has aborted it. */
  readonly expired: boolean;
  /** The timer no longer counts; the parent still does. */
  stopTimer(): void;
  /** Neither counts any more; call it always, or the parent keeps this alive. */
  release(): void;
}

/** AbortSignal.any is not used here: with a parent that lives for days it leaks in Node 20. */
export function linkSignal(parent: AbortSignal | undefined, deadlineMs: number): LinkedSignal {
  const controller = new AbortController();
  let expired = false;
  const onParent = (): void => controller.abort(parent?.reason);
  const timer = setTimeout(() => {
    expired = true;
    controller.abort(new Error(`no answer within ${deadlineMs} ms`));
  }, deadlineMs);
  parent?.addEventListener('abort', onParent, { once: true });
  if (parent?.aborted === true) onParent();
  return {
    signal: controller.signal,
    get expired() {
      return expired;
    },
    stopTimer: () => clearTimeout(timer),
    release: () => {
      clearTimeout(timer);
      parent?.removeEventListener('abort', onParent);
    },
  };
}
