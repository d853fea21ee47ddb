import type { Complaint } from '../translate/complaint';
import type { KubePod } from '../translate/kube-objects';
import type { Root } from '../translate/ownership';
import { SliceIndex } from '../watch/slice-index';
import { patienceMs, StuckObjects } from './stuck-objects';
import type { KubeView } from './workplace';

const pod: KubePod = {
  ...{ namespace: 'blue', name: 'web-1', uid: '5f1a3c9e-3333-4333-8333-000000000001', nodeName: 'node1' },
  ...{ finished: false, labels: {}, hostPorts: [], reportedAddresses: [], network: undefined, networkStatus: undefined },
};
const podRoot: Root = { kind: 'Pod', namespace: 'blue', name: 'web-1' };
const withoutProject = 'waits for Project/default-domain:k8s-blue and SecurityGroup/default-domain:k8s-blue:k8s-blue-default-sg';

describe('StuckObjects', () => {
  let nowMs = 0;
  let complaints: Complaint[] = [];
  let stuck: StuckObjects;
  beforeEach(() => {
    nowMs = 1_000;
    complaints = [];
    const kube: KubeView = {
      attachment: () => undefined,
      namespace: () => undefined,
      namespaces: () => [],
      services: () => [],
      node: () => undefined,
      nodes: () => [],
      pod: (namespace, name) => (namespace === 'blue' && name === 'web-1' ? pod : undefined),
      pods: () => [pod],
      service: () => undefined,
      slices: new SliceIndex(),
    };
    const uidOfGone = (key: string): string | undefined => (key === 'Namespace//red' ? 'uid-red' : undefined);
    stuck = new StuckObjects(kube, { complain: (complaint) => complaints.push(complaint), uidOfGone }, { now: () => nowMs });
  });

  it('says nothing of a pod whose project comes soon', () => {
    expect(stuck.unsettled(podRoot, withoutProject)).toBe(false);
    nowMs += patienceMs - 1;
    expect(stuck.unsettled(podRoot, withoutProject)).toBe(false);
    stuck.settled(podRoot);
    nowMs += patienceMs;
    expect(stuck.unsettled(podRoot, withoutProject)).toBe(false);
    expect(complaints).toEqual([]);
  });

  it('tells a pod without a project what it waits for, and where to look', () => {
    stuck.unsettled(podRoot, withoutProject);
    nowMs += patienceMs;
    expect(stuck.unsettled(podRoot, withoutProject)).toBe(true);
    expect(complaints).toEqual([
      {
        subject: { apiVersion: 'v1', kind: 'Pod', namespace: 'blue', name: 'web-1', uid: pod.uid },
        reason: 'NetworkNotReady',
        action: 'Reconcile',
        note:
          `Pod/blue/web-1: has no network objects yet, ${withoutProject}. It is tried again by itself; ` +
          'if this stays, look at the log and /readyz of kube-manager, and at the events of the namespace',
      },
    ]);
  });

  it('adds nothing where the reconciler told the reason itself', () => {
    const exhausted: Complaint = {
      subject: { apiVersion: 'v1', kind: 'Pod', namespace: 'blue', name: 'web-1', uid: pod.uid },
      ...{ reason: 'AddressExhausted', action: 'AllocateAddress', note: 'no address left' },
    };
    stuck.unsettled(podRoot, 'waits for a free address');
    nowMs += patienceMs;
    stuck.tell(exhausted);
    expect(stuck.unsettled(podRoot, 'waits for a free address')).toBe(true);
    expect(complaints).toEqual([exhausted]);
    expect(stuck.unsettled(podRoot, withoutProject)).toBe(true);
    expect(complaints.map(({ reason }) => reason)).toEqual(['AddressExhausted', 'NetworkNotReady']);
  });

  it('tells what keeps the objects of a deleted namespace', () => {
    const red: Root = { kind: 'Namespace', namespace: '', name: 'red' };
    const cause = 'Project/default-domain:k8s-red still has VirtualNetwork/default-domain:k8s-red:tenant; delete or change those first';
    stuck.unsettled(red, cause);
    nowMs += patienceMs;
    expect(stuck.unsettled(red, cause)).toBe(true);
    expect(complaints).toEqual([
      {
        subject: { apiVersion: 'v1', kind: 'Namespace', namespace: '', name: 'red', uid: 'uid-red' },
        ...{ reason: 'NetworkRemains', action: 'RemoveNetwork' },
        note: `Namespace/red: is deleted, but its network objects are not, ${cause}. They go by themselves then`,
      },
    ]);
  });

  it('writes no event on what neither Kubernetes nor the store has', () => {
    const gone: Root = { ...podRoot, name: 'gone' };
    stuck.unsettled(gone, withoutProject);
    nowMs += patienceMs;
    expect(stuck.unsettled(gone, withoutProject)).toBe(true);
    expect(complaints).toEqual([]);
  });
});
