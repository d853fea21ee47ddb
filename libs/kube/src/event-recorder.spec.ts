import type { Clock } from '@contrail/reconcile';
import { FakeKubeApi } from '../testing/fake-kube-api';
import type { EventSubject, KubeEvent } from './event-recorder';
import { EventRecorder } from './event-recorder';
import { KubeClient } from './kube-client';
import { kubeKinds } from './kube-kind';

const web: EventSubject = { apiVersion: 'v1', kind: 'Pod', namespace: 'blue', name: 'web', uid: 'u-1' };
const exhausted: KubeEvent = {
  type: 'Warning',
  reason: 'AddressExhausted',
  action: 'AllocateAddress',
  note: 'no address left',
};

describe('EventRecorder', () => {
  let api: FakeKubeApi;
  let client: KubeClient;
  let nowMs: number;
  let problems: unknown[];
  let recorder: EventRecorder;
  beforeEach(async () => {
    api = await FakeKubeApi.start();
    client = new KubeClient(api.connection);
    nowMs = 1_700_000_000_000;
    problems = [];
    const clock: Clock = { now: () => nowMs, sleep: () => Promise.resolve() };
    recorder = new EventRecorder({
      client,
      clock,
      controller: 'contrail.io/kube-manager',
      instance: 'kube-manager-0',
      onProblem: (error) => problems.push(error),
    });
  });
  afterEach(async () => {
    client.close();
    await api.stop();
  });

  it('writes an event with what Kubernetes demands', async () => {
    recorder.record(web, exhausted);
    await recorder.flush();
    expect(api.list(kubeKinds.events)).toMatchObject([
      {
        metadata: { namespace: 'blue', name: expect.stringMatching(/^web\.[0-9a-f]{16}$/) },
        eventTime: '2023-11-14T22:13:20.000000Z',
        reportingController: 'contrail.io/kube-manager',
        reportingInstance: 'kube-manager-0',
        type: 'Warning',
        reason: 'AddressExhausted',
        action: 'AllocateAddress',
        note: 'no address left',
        regarding: { apiVersion: 'v1', kind: 'Pod', namespace: 'blue', name: 'web', uid: 'u-1' },
      },
    ]);
  });

  it('counts the same event and writes the count at most once a minute', async () => {
    recorder.record(web, exhausted);
    for (let n = 0; n < 5; n += 1) recorder.record(web, exhausted);
    nowMs += 61_000;
    recorder.record(web, exhausted);
    await recorder.flush();
    expect(api.list(kubeKinds.events)).toMatchObject([{ series: { count: 7 } }]);
    expect(api.requests).toHaveLength(2);
  });

  it('starts a new event after a silence', async () => {
    recorder.record(web, exhausted);
    nowMs += 700_000;
    recorder.record(web, exhausted);
    await recorder.flush();
    expect(api.list(kubeKinds.events)).toHaveLength(2);
  });

  it('limits the events of one object, not those of others', async () => {
    for (let n = 0; n < 40; n += 1) recorder.record(web, { ...exhausted, note: `note ${n}` });
    recorder.record({ ...web, name: 'other', uid: 'u-2' }, exhausted);
    await recorder.flush();
    expect(api.list(kubeKinds.events)).toHaveLength(26);
  });

  it('puts events of objects without namespace into default', async () => {
    recorder.record({ apiVersion: 'v1', kind: 'Node', namespace: '', name: 'node1', uid: 'n' }, exhausted);
    await recorder.flush();
    expect(api.list(kubeKinds.events)[0]?.metadata?.namespace).toBe('default');
  });

  it('cuts long notes and never throws', async () => {
    recorder.record(web, { ...exhausted, note: 'x'.repeat(5000) });
    await recorder.flush();
    expect(api.list(kubeKinds.events)[0]?.note).toHaveLength(1024);
    api.faults.statuses = [500];
    recorder.record(web, { ...exhausted, note: 'refused' });
    await recorder.flush();
    expect(problems).toHaveLength(1);
  });
});
