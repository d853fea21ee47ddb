import { ContrailError } from '@contrail/errors';
import { systemClock } from '@contrail/reconcile';
import type { Clock } from '@contrail/reconcile';
import type { Lease } from 'kubernetes-types/coordination/v1';
import { kubeKinds } from './kube-kind';
import type { KubeClient } from './kube-client';

export interface LeaseElectorOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly name: string;
  /** Unique among the candidates: the pod's name or host and process. */
  readonly identity: string;
  readonly onProblem?: (error: unknown) => void;
  /** The Lease was read, and written when that was due. */
  readonly onSuccess?: () => void;
  readonly clock?: Clock;
  /** Others may take over when the holder has not renewed for this long; default 15 s. */
  readonly leaseMs?: number;
  /** The holder gives up by itself when it could not renew for this long; below leaseMs; default 10 s. */
  readonly renewDeadlineMs?: number;
  /** Time between two attempts to renew or to acquire; default 2 s. */
  readonly retryMs?: number;
}

/**
 * At most one of several processes leads, by a Lease that is written by compare-and-swap. Another holder's
 * lease is judged by how long its record has not changed here, so clocks of machines need not agree.
 */
export class LeaseElector {
  private readonly clock: Clock;
  private readonly leaseMs: number;
  private readonly renewDeadlineMs: number;
  private readonly retryMs: number;
  private observed: { readonly version: string; readonly atMs: number } | undefined;
  private leader = '';

  constructor(private readonly options: LeaseElectorOptions) {
    this.clock = options.clock ?? systemClock;
    this.leaseMs = options.leaseMs ?? 15_000;
    this.renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
    this.retryMs = options.retryMs ?? 2_000;
  }

  /** Identity of the holder as last seen; empty when nobody holds the lease or nothing was read yet. */
  get holder(): string {
    return this.leader;
  }

  get isLeader(): boolean {
    return this.leader === this.options.identity;
  }

  /**
   * Waits for the lease, then runs `lead` while renewing it. The signal given to `lead` is aborted when the
   * lease is lost or `signal` is. Releases the lease at the end, so that the next candidate need not wait.
   *
   * @returns `lost` when the lease was lost, `stopped` when `signal` was aborted, `ended` when `lead` returned.
   * @throws what `lead` throws.
   */
  async run(lead: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<'lost' | 'stopped' | 'ended'> {
    while (!signal.aborted && !(await this.attempt())) await this.pause(signal);
    if (signal.aborted) return 'stopped';
    const leading = new AbortController();
    const onStop = (): void => leading.abort(signal.reason);
    signal.addEventListener('abort', onStop, { once: true });
    const done = new AbortController();
    const work = lead(leading.signal).finally(() => done.abort());
    const kept = this.keep(leading, done.signal);
    try {
      await work;
      await kept;
    } finally {
      signal.removeEventListener('abort', onStop);
      await this.release();
    }
    if (signal.aborted) return 'stopped';
    return leading.signal.aborted ? 'lost' : 'ended';
  }

  /** Renews until `done`; aborts `leading` when the lease is lost. */
  private async keep(leading: AbortController, done: AbortSignal): Promise<void> {
    let renewedAtMs = this.clock.now();
    for (;;) {
      await this.pause(done);
      if (done.aborted) return;
      if (await this.attempt()) renewedAtMs = this.clock.now();
      const overdue = this.clock.now() - renewedAtMs > this.renewDeadlineMs;
      if (!this.isLeader || overdue) {
        leading.abort(new ContrailError('ABORTED', `Lease/${this.options.namespace}/${this.options.name} was lost`));
        return;
      }
    }
  }

  /** Acquires or renews. @returns whether the lease is ours now. */
  private async attempt(): Promise<boolean> {
    try {
      const ours = await this.acquireOrRenew();
      this.options.onSuccess?.();
      return ours;
    } catch (error) {
      this.options.onProblem?.(error);
      return false;
    }
  }

  private async acquireOrRenew(): Promise<boolean> {
    const { client, namespace, name, identity } = this.options;
    const call = { deadlineMs: this.renewDeadlineMs };
    const current = await client.get(kubeKinds.leases, { namespace, name }, call).catch((error: unknown) => {
      if (error instanceof ContrailError && error.code === 'NOT_FOUND') return undefined;
      throw error;
    });
    if (current === undefined) {
      await client.create(kubeKinds.leases, this.record(undefined), call);
      this.leader = identity;
      return true;
    }
    this.leader = current.spec?.holderIdentity ?? '';
    if (!this.isLeader && !this.isFree(current)) return false;
    try {
      await client.update(kubeKinds.leases, this.record(current), call);
    } catch (error) {
      if (error instanceof ContrailError && error.code === 'ABORTED') return false;
      throw error;
    }
    this.leader = identity;
    return true;
  }

  private isFree(current: Lease): boolean {
    if (this.leader === '') return true;
    const version = current.metadata?.resourceVersion ?? '';
    if (this.observed?.version !== version) this.observed = { version, atMs: this.clock.now() };
    const leaseMs = (current.spec?.leaseDurationSeconds ?? this.leaseMs / 1000) * 1000;
    return this.clock.now() - this.observed.atMs > leaseMs;
  }

  private record(current: Lease | undefined): Lease {
    const { namespace, name, identity } = this.options;
    const nowText = microTime(this.clock.now());
    const renewal = current?.spec?.holderIdentity === identity;
    const transitions = current?.spec?.leaseTransitions ?? 0;
    return {
      metadata: current?.metadata ?? { namespace, name },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(this.leaseMs / 1000),
        acquireTime: renewal ? (current.spec?.acquireTime ?? nowText) : nowText,
        renewTime: nowText,
        leaseTransitions: renewal || current === undefined ? transitions : transitions + 1,
      },
    };
  }

  private async release(): Promise<void> {
    if (!this.isLeader) return;
    const { client, namespace, name, identity } = this.options;
    try {
      const current = await client.get(kubeKinds.leases, { namespace, name }, { deadlineMs: 2000 });
      if (current.spec?.holderIdentity !== identity) return;
      const spec = { ...current.spec, holderIdentity: '', renewTime: microTime(this.clock.now()) };
      await client.update(kubeKinds.leases, { ...current, spec }, { deadlineMs: 2000 });
    } catch (error) {
      // The lease then runs out by itself.
      this.options.onProblem?.(error);
    } finally {
      this.leader = '';
    }
  }

  private async pause(signal: AbortSignal): Promise<void> {
    await this.clock.sleep(this.retryMs, signal).catch(() => undefined);
  }
}

/** Kubernetes' MicroTime. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
