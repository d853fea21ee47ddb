import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { Compiled } from '../../testing/compiled';
import { clusterResources, nodeResource, podResources, podUuids, serviceResources } from '../../testing/cluster';

const podCount = 20_000;
const nodeCount = 200;

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
