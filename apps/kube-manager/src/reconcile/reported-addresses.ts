import type { Clock } from '@contrail/reconcile';
import type { KubePod } from '../translate/kube-objects';
import { rootKey } from '../translate/ownership';

/** A pod that cannot be served, as when its project is missing, keeps others from addresses no longer than this. */
export const reservationMs = 30_000;

export interface ReportedAddressesOptions {
  readonly pods: () => Iterable<KubePod>;
  /** Whether objects of the pod are stored. */
  readonly isStored: (key: string) => boolean;
  readonly onComplete: () => void;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Running pods of which nothing is stored, as after a loss of the store. They have the addresses that they report, so
 * these are recorded for them before anybody else is given one.
 */
export class ReportedAddresses {
  private readonly awaited = new Set<string>();
  private beganMs = 0;

  constructor(private readonly options: ReportedAddressesOptions) {}

  /** What is stored was read anew. */
  begin(): void {
    const { pods, isStored, clock } = this.options;
    this.beganMs = clock.now();
    for (const pod of pods()) {
      const key = rootKey({ kind: 'Pod', namespace: pod.namespace, name: pod.name });
      if (pod.reportedAddresses.length > 0 && !pod.finished && !isStored(key)) this.awaited.add(key);
    }
  }

  /** Must an allocation for a pod that reports nothing wait? */
  get isIncomplete(): boolean {
    return this.awaited.size > 0 && this.options.clock.now() - this.beganMs < reservationMs;
  }

  /** The pod's addresses are recorded, or it is gone. */
  settled(key: string): void {
    if (this.awaited.delete(key) && this.awaited.size === 0) this.options.onComplete();
  }
}
