import { KubeClient, kubeKinds } from '@contrail/kube';
import { parsePrefix } from '@contrail/net';
import { FakeKubeApi } from '../../../../libs/kube/testing/fake-kube-api';
import { makeNamespace, uidOf } from '../../testing/kube-makers';
import { checkServiceSubnets, readClusterUid, readServiceCidrs } from './cluster-facts';

const cidr = (name: string, ...cidrs: string[]): { metadata: { name: string }; spec: { cidrs: string[] } } => ({
  metadata: { name },
  spec: { cidrs },
});

describe('checkServiceSubnets', () => {
  it.each<[string, string[], ReturnType<typeof cidr>[]]>([
    ['the same range', ['10.96.0.0/12'], [cidr('kubernetes', '10.96.0.0/12')]],
    ['host bits do not count', ['10.96.0.1/12'], [cidr('kubernetes', '10.96.0.0/12')]],
    ['several objects, any order', ['198.18.0.0/16', '10.96.0.0/12'], [cidr('a', '10.96.0.0/12'), cidr('b', '198.18.0.0/16')]],
    ['dual stack', ['10.96.0.0/12', '2001:db8::/112'], [cidr('kubernetes', '10.96.0.0/12', '2001:DB8::/112')]],
  ])('accepts %s', (_rule, configured, objects) => {
    expect(() => checkServiceSubnets(configured.map(parsePrefix), objects)).not.toThrow();
  });

  it.each<[string, string[], ReturnType<typeof cidr>[], string]>([
    [
      'another range, and names both',
      ['10.97.0.0/16'],
      [cidr('kubernetes', '10.96.0.0/12')],
      "SERVICE_SUBNETS is 10.97.0.0/16, but the cluster's ServiceCIDR/kubernetes say 10.96.0.0/12; set SERVICE_SUBNETS to 10.96.0.0/12",
    ],
    ['a range too few', ['10.96.0.0/12'], [cidr('a', '10.96.0.0/12'), cidr('b', '198.18.0.0/16')], '10.96.0.0/12,198.18.0.0/16'],
    ['a range too many', ['10.96.0.0/12', '198.18.0.0/16'], [cidr('a', '10.96.0.0/12')], 'SERVICE_SUBNETS is 10.96.0.0/12,198.18.0.0/16'],
    ['a cluster without ranges', ['10.96.0.0/12'], [], 'say nothing'],
  ])('refuses %s', (_rule, configured, objects, message) => {
    expect(() => checkServiceSubnets(configured.map(parsePrefix), objects)).toThrow(message);
  });
});

describe('facts', () => {
  let api: FakeKubeApi;
  let client: KubeClient;
  const never = new AbortController().signal;
  beforeEach(async () => {
    api = await FakeKubeApi.start();
    client = new KubeClient(api.connection);
  });
  afterEach(async () => {
    client.close();
    await api.stop();
  });

  it('takes the uid of kube-system for the cluster', async () => {
    api.put(kubeKinds.namespaces, makeNamespace('kube-system'));
    expect(await readClusterUid(client, never)).toBe(uidOf('Namespace', '', 'kube-system'));
  });

  it('does without ServiceCIDR objects where the API has none, and only there', async () => {
    api.faults.statuses = [404];
    expect(await readServiceCidrs(client, never)).toBeUndefined();
    api.faults.statuses = [403];
    await expect(readServiceCidrs(client, never)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    api.put(kubeKinds.serviceCidrs, cidr('kubernetes', '10.96.0.0/12'));
    expect(await readServiceCidrs(client, never)).toMatchObject([{ spec: { cidrs: ['10.96.0.0/12'] } }]);
  });
});
