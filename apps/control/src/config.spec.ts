import { loadConfig } from './config';

it('has the defaults of CONTRIBUTING', () => {
  expect(loadConfig({ CONFIG_API_ADDRESS: '192.0.2.1:9001' })).toMatchObject({
    listenAddress: '0.0.0.0:9003',
    adminAddress: { host: '0.0.0.0', port: 9103 },
    settings: {
      clusterName: 'k8s',
      clusterPodNetwork: 'default-domain:k8s-default:k8s-default-pod-network',
      clusterServiceNetwork: 'default-domain:k8s-default:k8s-default-service-network',
      essentialServices: ['default/kubernetes', 'kube-system/kube-dns'],
    },
    tls: { certFile: '/etc/contrail/tls/tls.crt', keyFile: '/etc/contrail/tls/tls.key', caFile: '/etc/contrail/tls/ca.crt' },
  });
});

it('reports every problem at once', () => {
  expect(() => loadConfig({ ADMIN_ADDRESS: 'x', AGENT_PENDING_MAX: '3' })).toThrow(
    /CONFIG_API_ADDRESS(.|\n)*AGENT_PENDING_MAX|ADMIN_ADDRESS(.|\n)*CONFIG_API_ADDRESS/,
  );
});

it('finds the networks of the cluster in the project that kube-manager gives them', () => {
  const settingsOf = (env: Record<string, string>) => loadConfig({ CONFIG_API_ADDRESS: '192.0.2.1:9001', CLUSTER_NAME: 'west', ...env }).settings;
  expect(settingsOf({ CLUSTER_PROJECT: "{'domain': 'default-domain', 'project': 'admin'}" }).clusterPodNetwork).toBe('default-domain:admin:west-default-pod-network');
  expect(settingsOf({ KUBERNETES_CLUSTER_DOMAIN: 'lab' }).clusterServiceNetwork).toBe('lab:west-default:west-default-service-network');
  expect(() => settingsOf({ CLUSTER_PROJECT: 'my project' })).toThrow('CLUSTER_PROJECT is "my project"');
});
