import { derivedUuid } from './identity';
import * as names from './names';

const uid = '8d3c1f0a-0d5e-4b6f-9a39-0c8d3f1b2a10';

it.each([
  [names.projectName('k8s', 'blue'), 'k8s-blue'],
  [names.projectName('k8s', 'blue', 'shared'), 'shared'],
  [names.podNetworkName('k8s'), 'k8s-default-pod-network'],
  [names.podNetworkName('k8s', 'blue'), 'k8s-blue-pod-network'],
  [names.serviceNetworkName('k8s'), 'k8s-default-service-network'],
  [names.podIpamName('k8s'), 'k8s-pod-ipam'],
  [names.serviceIpamName('k8s'), 'k8s-service-ipam'],
  [names.ipFabricIpamName('k8s'), 'k8s-ip-fabric-ipam'],
  [names.aliasIpPoolName('k8s'), 'k8s-default-alias-pool'],
  [names.attachmentIpamName('k8s', 'left'), 'k8s-left-pod-ipam'],
  [names.attachmentNetworkName('k8s', 'left'), 'k8s-left-pod-network'],
  [names.ipFabricPolicyName('k8s'), 'k8s-default-ip-fabric-np'],
  [names.servicePolicyName('k8s'), 'k8s-default-service-np'],
  [names.clusterPodServicePolicyName('k8s'), 'k8s-default-pod-service-np'],
  [names.podServicePolicyName('k8s', 'blue'), 'k8s-blue-pod-service-np'],
  [names.defaultSecurityGroupName('k8s', 'blue'), 'k8s-blue-default-sg'],
  [names.virtualMachineName('k8s', 'blue', 'web'), 'k8s__blue__web'],
  [names.podInterfaceName('web', uid), `web__${uid}`],
  [names.loadbalancerName('svc', uid), `svc__${uid}`],
  [
    names.loadbalancerInterfaceName('k8s', 'Service', { name: 'svc', uid }),
    `k8s__Service__svc__${uid}`,
  ],
  [names.listenerName('svc__x', { protocol: 'TCP', port: 80 }, uid), `svc__x-TCP-80-${uid}`],
])('R21 says %s', (name, want) => {
  expect(name).toBe(want);
});

describe('a derived uuid', () => {
  const cluster = '3f1b2a10-8d3c-4f0a-8d5e-0b6f9a390c8d';

  it('is the same again', () => {
    expect(derivedUuid(cluster, 'instance-ip', uid, 1)).toBe(
      derivedUuid(cluster, 'instance-ip', uid, 1),
    );
  });

  it('differs by cluster, kind, object and index', () => {
    const uuids = [
      derivedUuid(cluster, 'instance-ip', uid),
      derivedUuid(uid, 'instance-ip', uid),
      derivedUuid(cluster, 'virtual-machine-interface', uid),
      derivedUuid(cluster, 'instance-ip', cluster),
      derivedUuid(cluster, 'instance-ip', uid, 1),
    ];
    expect(new Set(uuids).size).toBe(uuids.length);
  });
});
