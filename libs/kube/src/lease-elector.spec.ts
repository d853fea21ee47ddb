import { FakeKubeApi } from '../testing/fake-kube-api';
import { KubeClient } from './kube-client';
import { kubeKinds } from './kube-kind';
import { LeaseElector } from './lease-elector';

const leaseTarget = { namespace: 'contrail', name: 'kube-manager' };

describe('LeaseElector', () => {
  let api: FakeKubeApi;
  let client: KubeClient;
  beforeEach(async () => {
    api = await FakeKubeApi.start();
    client = new KubeClient(api.connection);
  });
  afterEach(async () => {
    client.close();
    await api.stop();
  });

  const candidate = (identity: string): LeaseElector =>
    new LeaseElector({ client, ...leaseTarget, identity, leaseMs: 1000, renewDeadlineMs: 150, retryMs: 10 });
  const spec = (): object | undefined => api.find(kubeKinds.leases, leaseTarget)?.spec;
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  const untilAborted = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

  it('lets one lead and hands over at once when it stops', async () => {
    const order: string[] = [];
    const stopA = new AbortController();
    const stopB = new AbortController();
    const lead = (name: string) => async (signal: AbortSignal) => {
      order.push(`${name} leads`);
      await untilAborted(signal);
      order.push(`${name} ends`);
    };
    const a = candidate('a');
    const b = candidate('b');
    const runA = a.run(lead('a'), stopA.signal);
    await pause(30);
    const runB = b.run(lead('b'), stopB.signal);
    await pause(60);
    expect(order).toEqual(['a leads']);
    expect([a.isLeader, b.isLeader, b.holder]).toEqual([true, false, 'a']);
    stopA.abort();
    expect(await runA).toBe('stopped');
    await pause(100);
    expect(order).toEqual(['a leads', 'a ends', 'b leads']);
    expect(spec()).toMatchObject({ holderIdentity: 'b' });
    stopB.abort();
    expect(await runB).toBe('stopped');
    expect(spec()).toMatchObject({ holderIdentity: '' });
  });

  it('takes over a lease that its holder stopped renewing, not earlier', async () => {
    api.put(kubeKinds.leases, { metadata: leaseTarget, spec: { holderIdentity: 'dead', leaseDurationSeconds: 1, leaseTransitions: 3 } });
    const startedMs = Date.now();
    const b = candidate('b');
    expect(await b.run(() => Promise.resolve(), new AbortController().signal)).toBe('ended');
    expect(Date.now() - startedMs).toBeGreaterThan(900);
    expect(spec()).toMatchObject({ leaseTransitions: 4 });
  });

  it('stops leading when somebody else has taken the lease', async () => {
    const a = candidate('a');
    const run = a.run(untilAborted, new AbortController().signal);
    await pause(30);
    api.put(kubeKinds.leases, { metadata: leaseTarget, spec: { holderIdentity: 'thief', leaseDurationSeconds: 60 } });
    expect(await run).toBe('lost');
    expect(spec()).toMatchObject({ holderIdentity: 'thief' });
  });

  it('stops leading when it cannot renew in time', async () => {
    const a = candidate('a');
    const run = a.run(untilAborted, new AbortController().signal);
    await pause(30);
    api.faults.statuses = Array.from({ length: 1000 }, () => 503);
    expect(await run).toBe('lost');
    expect(a.isLeader).toBe(false);
  });
});
