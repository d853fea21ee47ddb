import { FakeKubeApi } from '../testing/fake-kube-api';
import { KubeClient } from './kube-client';
import { kubeKinds } from './kube-kind';
import { LeaseElector } from './lease-elector';

const leaseTarget = { namespace: 'contrail', name: 'kube-manager' };

describe('LeaseElector', () => {
  let api: FakeKubeApi;
  let client: KubeClient;
  let stops: AbortController[];
  let runs: Promise<unknown>[];
  beforeEach(async () => {
    api = await FakeKubeApi.start();
    client = new KubeClient(api.connection);
    stops = [];
    runs = [];
  });
  afterEach(async () => {
    for (const stop of stops) stop.abort(new Error('the test is over'));
    await Promise.all(runs);
    client.close();
    await api.stop();
  });

  const candidate = (identity: string, renewDeadlineMs = 5_000): LeaseElector =>
    new LeaseElector({ client, ...leaseTarget, identity, leaseMs: 10_000, renewDeadlineMs, retryMs: 10 });
  const spec = (): { holderIdentity?: string; leaseTransitions?: number } | undefined =>
    api.find(kubeKinds.leases, leaseTarget)?.spec;
  const untilAborted = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  const until = async (condition: () => boolean): Promise<void> => {
    const giveUpAt = Date.now() + 10_000;
    while (!condition() && Date.now() < giveUpAt) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(condition()).toBe(true);
  };
  /** Runs a candidate until the test ends, at the latest. */
  const begin = (
    elector: LeaseElector,
    lead: (signal: AbortSignal) => Promise<void> = untilAborted,
  ): { stop: AbortController; outcome: ReturnType<LeaseElector['run']> } => {
    const stop = new AbortController();
    const outcome = elector.run(lead, stop.signal);
    stops.push(stop);
    runs.push(outcome);
    return { stop, outcome };
  };

  it('lets one lead and hands over at once when it stops', async () => {
    const order: string[] = [];
    const lead = (name: string) => async (signal: AbortSignal) => {
      order.push(`${name} leads`);
      await untilAborted(signal);
      order.push(`${name} ends`);
    };
    const [a, b] = [candidate('a'), candidate('b')];
    const runA = begin(a, lead('a'));
    await until(() => a.isLeader);
    const runB = begin(b, lead('b'));
    await until(() => b.holder === 'a');
    expect(order).toEqual(['a leads']);
    expect(b.isLeader).toBe(false);
    runA.stop.abort();
    expect(await runA.outcome).toBe('stopped');
    await until(() => order.length === 3);
    expect(order).toEqual(['a leads', 'a ends', 'b leads']);
    expect(spec()).toMatchObject({ holderIdentity: 'b' });
    runB.stop.abort();
    expect(await runB.outcome).toBe('stopped');
    expect(spec()).toMatchObject({ holderIdentity: '' });
  });

  it('takes over a lease that its holder stopped renewing, not earlier', async () => {
    api.put(kubeKinds.leases, { metadata: leaseTarget, spec: { holderIdentity: 'dead', leaseDurationSeconds: 1, leaseTransitions: 3 } });
    const startedMs = Date.now();
    expect(await begin(candidate('b'), () => Promise.resolve()).outcome).toBe('ended');
    expect(Date.now() - startedMs).toBeGreaterThan(900);
    expect(spec()).toMatchObject({ leaseTransitions: 4 });
  });

  it('stops leading when somebody else has taken the lease', async () => {
    const a = candidate('a');
    const { outcome } = begin(a);
    await until(() => a.isLeader);
    api.put(kubeKinds.leases, { metadata: leaseTarget, spec: { holderIdentity: 'thief', leaseDurationSeconds: 60 } });
    expect(await outcome).toBe('lost');
    expect(spec()).toMatchObject({ holderIdentity: 'thief' });
  });

  it('stops leading when it cannot renew in time', async () => {
    const a = candidate('a', 150);
    const { outcome } = begin(a);
    await until(() => a.isLeader);
    api.faults.statuses = Array.from({ length: 10_000 }, () => 503);
    expect(await outcome).toBe('lost');
    expect(a.isLeader).toBe(false);
  });
});
