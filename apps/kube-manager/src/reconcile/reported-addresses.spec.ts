import type { KubePod } from '../translate/kube-objects';
import { reservationMs, ReportedAddresses } from './reported-addresses';

const pod = (name: string, ...reportedAddresses: string[]): KubePod => ({
  ...{ namespace: 'blue', name, uid: name, nodeName: 'node1', finished: false, labels: {}, hostPorts: [], network: undefined, networkStatus: undefined },
  reportedAddresses,
});

describe('addresses that pods report', () => {
  let nowMs = 0;
  let completed = 0;
  const stored = new Set(['Pod/blue/known']);
  const pods = [pod('known', '192.0.2.1'), pod('lost', '192.0.2.2'), pod('new'), { ...pod('over', '192.0.2.3'), finished: true }];
  const make = (): ReportedAddresses =>
    new ReportedAddresses({
      pods: () => pods,
      isStored: (key) => stored.has(key),
      onComplete: () => (completed += 1),
      clock: { now: () => nowMs },
    });

  beforeEach(() => {
    nowMs = 1000;
    completed = 0;
  });

  it('keep others waiting until every running pod without objects has its own', () => {
    const reported = make();
    expect(reported.isIncomplete).toBe(false);
    reported.begin();
    expect(reported.isIncomplete).toBe(true);
    reported.settled('Pod/blue/known');
    expect([reported.isIncomplete, completed]).toEqual([true, 0]);
    reported.settled('Pod/blue/lost');
    reported.settled('Pod/blue/lost');
    expect([reported.isIncomplete, completed]).toEqual([false, 1]);
  });

  it('of a pod that cannot be served keep nobody waiting for ever', () => {
    const reported = make();
    reported.begin();
    nowMs += reservationMs;
    expect(reported.isIncomplete).toBe(false);
  });
});
