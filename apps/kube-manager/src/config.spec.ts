import { formatPrefix } from '@contrail/net';
import { loadConfig } from './config';

const minimal = {
  POD_SUBNETS: '10.32.0.0/12',
  SERVICE_SUBNETS: '10.96.0.0/12',
  KUBERNETES_SERVICE_HOST: '192.0.2.10',
  CONFIG_API_ADDRESS: '192.0.2.10:9001',
  IPAM_ADDRESS: '192.0.2.10:9002',
};

describe('loadConfig', () => {
  it('needs little and has the defaults of R21, except SNAT, which is on', () => {
    expect(loadConfig(minimal)).toMatchObject({
      clusterName: 'k8s',
      clusterProject: '',
      domain: 'default-domain',
      owner: 'k8s',
      ipFabricSubnets: [],
      ipFabricSnat: true,
      kubernetes: { host: '192.0.2.10', port: 443 },
      adminAddress: { host: '0.0.0.0', port: 9104 },
      leaseNamespace: 'contrail',
    });
  });

  it('takes several subnets of both families', () => {
    const config = loadConfig({ ...minimal, POD_SUBNETS: '10.32.0.0/12, 198.18.0.0/15,2001:db8:1::/64' });
    expect(config.podSubnets.map(formatPrefix)).toEqual(['10.32.0.0/12', '198.18.0.0/15', '2001:db8:1::/64']);
  });

  it.each([
    ['', ''],
    ['{}', ''],
    ['admin', 'admin'],
    ['{"domain": "default-domain", "project": "admin"}', 'admin'],
    ["{'domain': 'default-domain', 'project': 'admin'}", 'admin'],
  ])('CLUSTER_PROJECT %p is the project %p', (text, project) => {
    expect(loadConfig({ ...minimal, CLUSTER_PROJECT: text }).clusterProject).toBe(project);
  });

  it.each<[string, Record<string, string | undefined>, string]>([
    ['no pod subnets', { POD_SUBNETS: undefined }, 'POD_SUBNETS is not set'],
    ['an empty list', { POD_SUBNETS: ' , ' }, 'POD_SUBNETS has no subnet'],
    ['a subnet that is none', { SERVICE_SUBNETS: '10.96.0.0/40' }, 'SERVICE_SUBNETS'],
    ['pods and services in one range', { SERVICE_SUBNETS: '10.40.0.0/16' }, 'SERVICE_SUBNETS 10.40.0.0/16 overlaps POD_SUBNETS 10.32.0.0/12'],
    ['two pod subnets in one range', { POD_SUBNETS: '10.32.0.0/12,10.33.0.0/16' }, 'POD_SUBNETS 10.33.0.0/16 overlaps POD_SUBNETS'],
    ['a cluster name that is no label', { CLUSTER_NAME: 'My_Cluster' }, 'CLUSTER_NAME is "My_Cluster"'],
    ['a project with blanks', { CLUSTER_PROJECT: 'my project' }, 'CLUSTER_PROJECT is "my project"'],
    ['a broken dictionary', { CLUSTER_PROJECT: '{"project": }' }, 'CLUSTER_PROJECT is'],
    ['a dictionary without project', { CLUSTER_PROJECT: '{"domain": "x"}' }, 'CLUSTER_PROJECT is'],
  ])('refuses %s', (_rule, change, message) => {
    expect(() => loadConfig({ ...minimal, ...change })).toThrow(message);
  });

  it('names every problem at once', () => {
    expect(() => loadConfig({})).toThrow(/POD_SUBNETS[\s\S]*SERVICE_SUBNETS[\s\S]*CONFIG_API_ADDRESS[\s\S]*IPAM_ADDRESS/);
  });
});
