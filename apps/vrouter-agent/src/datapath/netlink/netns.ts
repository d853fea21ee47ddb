import { ContrailError } from '@contrail/errors';
import { libc } from './libc';

const closeOnExec = 0o2000000;
const newNetwork = 0x40000000; // CLONE_NEWNET

/**
 * Runs `use` with the main thread in another network namespace and comes back; `use` must not wait.
 * @throws ContrailError NOT_FOUND when the namespace file does not exist.
 */
export function inNetns<T>(path: string, use: (netnsFd: number) => T): T {
  const c = libc();
  const own = c.open('/proc/self/ns/net', closeOnExec);
  const other = c.open(path, closeOnExec);
  try {
    if (own < 0 || other < 0) {
      throw new ContrailError(
        'NOT_FOUND',
        `Netns ${path}: cannot be opened (errno ${c.errno()}); the sandbox may be gone`,
      );
    }
    if (c.setns(other, newNetwork) !== 0) {
      throw new ContrailError(
        'FAILED_PRECONDITION',
        `Netns ${path}: cannot be entered (errno ${c.errno()}); is it a network namespace?`,
      );
    }
    try {
      return use(other);
    } finally {
      if (c.setns(own, newNetwork) !== 0) {
        // In a foreign namespace every further step would be wrong.
        process.abort();
      }
    }
  } finally {
    if (own >= 0) {
      c.close(own);
    }
    if (other >= 0) {
      c.close(other);
    }
  }
}

/**
 * Moves the main thread into another network namespace for good; for tests that wait there.
 * @returns moves it back.
 */
export function enterNetns(path: string): () => void {
  const c = libc();
  const own = c.open('/proc/self/ns/net', closeOnExec);
  const other = c.open(path, closeOnExec);
  if (own < 0 || other < 0 || c.setns(other, newNetwork) !== 0) {
    throw new ContrailError('NOT_FOUND', `Netns ${path}: cannot be entered (errno ${c.errno()})`);
  }
  c.close(other);
  return () => {
    if (c.setns(own, newNetwork) !== 0) process.abort();
    c.close(own);
  };
}
