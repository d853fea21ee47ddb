import { stopStages } from './stop-order';

describe('stopStages', () => {
  const components = [
    'etcd',
    'kube-apiserver',
    'node1/containerd',
    'node1/holder',
    'node1/kube-proxy',
    'node1/kubelet',
    'control-plane/holder',
    'control-plane/kubelet',
  ];

  it('puts kubelets first, runtimes after pods, holders last', () => {
    expect(stopStages(components)).toEqual({
      kubelets: ['node1/kubelet', 'control-plane/kubelet'],
      runtimes: ['node1/containerd'],
      others: ['etcd', 'kube-apiserver', 'node1/kube-proxy'],
      holders: ['node1/holder', 'control-plane/holder'],
    });
  });

  it('forgets nothing of a start that was interrupted', () => {
    for (let count = 0; count <= components.length; count += 1) {
      const some = components.slice(0, count);
      const { kubelets, runtimes, others, holders } = stopStages(some);
      expect([...kubelets, ...runtimes, ...others, ...holders].sort()).toEqual([...some].sort());
    }
  });
});
