import { isAvailable, type Workload } from './kubernetes-client';

function workload(kind: string, status: Workload['status'], replicas?: number): Workload {
  const spec = replicas === undefined ? {} : { replicas };
  return { kind, metadata: { name: 'x', generation: 2 }, spec, status };
}

const current = { observedGeneration: 2 };

describe('isAvailable', () => {
  test.each<[string, Workload, boolean]>([
    ['a new deployment is not', workload('Deployment', {}, 1), false],
    [
      'a deployment with all replicas is',
      workload(
        'Deployment',
        { ...current, replicas: 2, updatedReplicas: 2, availableReplicas: 2 },
        2,
      ),
      true,
    ],
    [
      'a deployment whose change was not seen yet is not',
      workload(
        'Deployment',
        { observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1 },
        1,
      ),
      false,
    ],
    [
      'a deployment with an old replica left is not',
      workload(
        'Deployment',
        { ...current, replicas: 2, updatedReplicas: 1, availableReplicas: 2 },
        1,
      ),
      false,
    ],
    ['a deployment of none is', workload('Deployment', current, 0), true],
    [
      'a daemon set with a pod missing is not',
      workload('DaemonSet', {
        ...current,
        desiredNumberScheduled: 3,
        updatedNumberScheduled: 3,
        numberAvailable: 2,
      }),
      false,
    ],
    [
      'a daemon set with all pods is',
      workload('DaemonSet', {
        ...current,
        desiredNumberScheduled: 3,
        updatedNumberScheduled: 3,
        numberAvailable: 3,
      }),
      true,
    ],
  ])('%s', (_rule, given, expected) => {
    expect(isAvailable(given)).toBe(expected);
  });
});
