import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { Compiled } from '../../testing/compiled';
import { withFields } from '@contrail/resource-model';
import { clusterResources, nodeResource, podResources, podUuids, serviceResources, testUuid, uuids } from '../../testing/cluster';
import { customName, customNetwork, customUuid, networkPolicy, policyRule } from '../../testing/tenants';

const podCount = 20_000;
const nodeCount = 200;
const tenantCount = 200;

function address(n: number): string {
  return `10.${32 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`;
}

function pod(n: number): Resource[] {
  return podResources({ n, node: `node${(n % nodeCount) + 1}`, address: address(n) });
}

describe('20 000 pods on 200 nodes', () => {
  const resources: Resource[] = [...clusterResources()];
  for (let n = 1; n <= nodeCount; n += 1) resources.push(nodeResource(n));
  for (let n = 1; n <= podCount; n += 1) resources.push(...pod(n));
  for (let n = 1; n <= 100; n += 1) {
    const members = Array.from({ length: 50 }, (_, i) => ({ address: address(n * 50 + i), pod: n * 50 + i }));
    resources.push(...serviceResources({ n, clusterIp: `10.96.1.${n}`, port: 80, targetPort: 80, members }));
  }
  const compiled = new Compiled(resources);

  it('have one interface, and one route in each VRF where anybody looks', () => {
    const counts = new Map<string, number>();
    for (const { key } of compiled.table.values()) {
      const kind = key.split('/', 1)[0] ?? '';
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
    expect(counts.get('interface')).toBe(podCount);
    // Two VRFs: a route for each pod and node, and the covering ones.
    expect(counts.get('route')).toBe(2 * (podCount + nodeCount) + 5);
    expect(counts.get('service')).toBe(200);
  });

  it('cost a new pod three entries, and nothing else is compiled to a difference', () => {
    const before = new Map([...compiled.table.values()].map((record) => [record.key, record]));
    compiled.put(pod(podCount + 1));
    const changed = [...compiled.table.values()].filter((record) => before.get(record.key) !== record);
    expect(changed.map(({ key }) => key.split('/')[0]).sort()).toEqual(['interface', 'route', 'route']);
    expect(changed.some(({ key }) => key === `interface/${podUuids.interface(podCount + 1)}`)).toBe(true);
  });
});

describe('200 networks with the same addresses and 10 interfaces each', () => {
  const [services, hub] = [testUuid(3, 900), testUuid(3, 901)] as const;
  const serviceNetwork = 'default-domain:k8s-default:k8s-default-service-network';
  const policies = (port: number): Resource[] => [
    networkPolicy(services, ['default-domain', 'k8s-default', 'tenants'], [
      policyRule(`policy:default-domain:k8s-default:tenants > ${serviceNetwork} tcp ${port}`),
    ]),
  ];
  const resources: Resource[] = [...clusterResources(), ...policies(443)];
  for (let n = 1; n <= 2; n += 1) resources.push(nodeResource(n));
  for (let n = 1; n <= tenantCount; n += 1) {
    resources.push(...customNetwork(n, { prefix: '198.51.100.0', length: 24, policies: [services] }));
    for (let i = 1; i <= 10; i += 1) {
      const alias = `10.41.${n}.${i}`;
      resources.push(...podResources({ n: n * 10 + i, node: `node${(i % 2) + 1}`, address: `198.51.100.${i}`, networkUuid: customUuid(n), alias }));
    }
  }
  resources.push(
    ...clusterResources().map((resource) => withPolicy(resource, uuids.serviceNetwork, services)),
    ...serviceResources({ n: 1, clusterIp: '10.96.0.9', port: 443, targetPort: 8443, members: [{ address: '10.32.0.9', pod: 9 }] }),
    ...podResources({ n: 9, node: 'node1', address: '10.32.0.9' }),
  );
  const compiled = new Compiled(resources);
  const changedBy = (change: readonly Resource[]): string[] => {
    const before = new Map([...compiled.table.values()].map((record) => [record.key, record]));
    compiled.put(change);
    const after = [...compiled.table.values()];
    const gone = [...before.keys()].filter((key) => compiled.table.get(key) === undefined);
    return [...after.filter((record) => before.get(record.key) !== record).map(({ key }) => key), ...gone];
  };

  it('have each their routes, and services by the ports that policies let through', () => {
    expect(compiled.find('interface')).toHaveLength(tenantCount * 10 + 1);
    expect(compiled.find('service')).toHaveLength(tenantCount + 2);
    expect(compiled.topology.refused).toEqual([]);
  });

  it('cost two networks that a policy joins the routes of these two', () => {
    const joined = [
      networkPolicy(hub, ['default-domain', 'k8s-default', 'hub'], [
        policyRule(`${customName(1).join(':')} > ${customName(900).join(':')} tcp 80`),
      ]),
      ...customNetwork(1, { prefix: '198.51.100.0', length: 24, policies: [services, hub] }),
      ...customNetwork(900, { prefix: '203.0.113.0', length: 24, policies: [hub] }),
      ...podResources({ n: 9000, node: 'node1', address: '203.0.113.1', networkUuid: customUuid(900), alias: '10.41.250.1' }),
    ];
    const kinds = new Map<string, number>();
    for (const key of changedBy(joined)) kinds.set(key.split('/')[0] ?? '', (kinds.get(key.split('/')[0] ?? '') ?? 0) + 1);
    expect(kinds.get('interface')).toBe(1);
    expect(kinds.get('route')).toBeLessThanOrEqual(20);
    expect(changedBy([...joined.slice(1), ...policies(443)])).toEqual([]);
  });

  it('cost a rule that changes between two networks one table of each', () => {
    const rule = (port: number): Resource =>
      networkPolicy(hub, ['default-domain', 'k8s-default', 'hub'], [
        policyRule(`${customName(1).join(':')} > ${customName(900).join(':')} tcp ${port}`),
      ]);
    expect(changedBy([rule(81)]).map((key) => key.split('/')[0])).toEqual(['policy', 'policy']);
  });
});

function withPolicy(resource: Resource, networkUuid: string, policyUuid: string): Resource {
  if (resource.kind?.$case !== 'virtualNetwork' || resource.kind.value.meta?.uuid !== networkUuid) return resource;
  const refs = [...resource.kind.value.networkPolicyRefs, { uuid: policyUuid, fqName: [], attr: undefined }];
  return withFields(resource, { networkPolicyRefs: refs });
}
