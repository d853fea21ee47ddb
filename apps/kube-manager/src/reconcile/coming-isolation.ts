import type { Clock } from '@contrail/reconcile';
import type { Isolation } from '../translate/isolation';

/** A namespace does not wait longer than this for the networks of others. */
const patienceMs = 2_000;

/** Namespaces that are about to be isolated: the networks of others are joined with theirs before anything moves. */
export class ComingIsolation {
  private readonly byName = new Map<string, { readonly isolation: Isolation; readonly sinceMs: number }>();

  constructor(private readonly clock: Clock) {}

  of(namespace: string): Isolation {
    return this.byName.get(namespace)?.isolation ?? 'none';
  }

  /** @returns false when that was known already. */
  announce(namespace: string, isolation: Isolation): boolean {
    if (this.of(namespace) === isolation) return false;
    this.byName.set(namespace, { isolation, sinceMs: this.clock.now() });
    return true;
  }

  hasWaitedEnough(namespace: string): boolean {
    const coming = this.byName.get(namespace);
    return coming === undefined || this.clock.now() - coming.sinceMs >= patienceMs;
  }

  /** It came, or will not. @returns false when it was not announced. */
  forget(namespace: string): boolean {
    return this.byName.delete(namespace);
  }
}
