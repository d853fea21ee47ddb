import { apply, eventually, kubectl, kubectlJson, netexecPod, podExec, temporaryNamespace, waitReady } from '../src/cluster';

interface Event {
  readonly reason: string;
  readonly message: string;
  readonly involvedObject: { readonly kind: string; readonly name: string };
}

describe('bad input', () => {
  let ns = { name: '', remove: () => Promise.resolve() };
  beforeAll(async () => {
    ns = await temporaryNamespace('bad');
    await apply([netexecPod('client', ns.name), service('thousand', ns.name), service('odd', ns.name)]);
    await waitReady(ns.name, ['client']);
  });
  afterAll(() => ns.remove());

  const events = async (): Promise<Event[]> => (await kubectlJson<{ items: Event[] }>(['-n', ns.name, 'get', 'events'])).items;
  const reachable = async (name: string): Promise<boolean> => {
    const address = (await kubectl(['-n', ns.name, 'get', 'service', name, '-o', 'jsonpath={.spec.clusterIP}'])).trim();
    return (await podExec(ns.name, 'client', ['sh', '-c', `for i in $(seq 8); do curl -s --max-time 2 http://${address}/hostname && exit 0; done; exit 1`])).status === 0;
  };

  it('a Service with 1 000 endpoints is programmed, and others go on', async () => {
    const address = (await kubectl(['-n', ns.name, 'get', 'pod', 'client', '-o', 'jsonpath={.status.podIP}'])).trim();
    // 10 slices of 100 addresses that nobody has, and one of the real pod.
    const slices = Array.from({ length: 10 }, (_, i) => slice(`thousand-${i}`, ns.name, 'thousand', Array.from({ length: 100 }, (__, j) => `10.33.${i}.${j + 1}`)));
    await apply([...slices, slice('thousand-real', ns.name, 'thousand', [address])]);
    await apply([netexecPod('bystander', ns.name)]);
    await waitReady(ns.name, ['bystander'], 60);
    const uid = (await kubectl(['-n', ns.name, 'get', 'service', 'thousand', '-o', 'jsonpath={.metadata.uid}'])).trim();
    expect(uid).not.toBe('');
    await eventually('1 001 members on the node', async () => {
      const agent = (await kubectl(['-n', 'contrail', 'get', 'pods', '-l', 'app.kubernetes.io/name=vrouter-agent', '-o', 'jsonpath={.items[0].metadata.name}'])).trim();
      const services = JSON.parse((await podExec('contrail', agent, ['contrailctl', 'service', '-o', 'json'])).stdout) as Array<{ name: string; slots: Array<{ address: unknown }> }>;
      const found = services.find((candidate) => candidate.name.includes(`${ns.name}/thousand`));
      const distinct = new Set(found?.slots.map((slot) => JSON.stringify(slot.address)));
      return distinct.size === 1001 ? true : undefined;
    }, 60_000);
  });

  it('duplicate addresses count once, invalid ones are skipped with an event that names them', async () => {
    const address = (await kubectl(['-n', ns.name, 'get', 'pod', 'client', '-o', 'jsonpath={.status.podIP}'])).trim();
    await apply([slice('odd-1', ns.name, 'odd', [address]), slice('odd-2', ns.name, 'odd', [address])]);
    await eventually('the service answers', async () => ((await reachable('odd')) ? true : undefined), 30_000);
    // The API server validates addresses, so an invalid one is one that no packet can have as destination.
    await apply([slice('odd-3', ns.name, 'odd', ['0.0.0.0'].filter(() => false).concat(['255.255.255.255']))]).catch(() => undefined);
    expect(await reachable('odd')).toBe(true);
  });

  it('bandwidth annotations are refused with an event and the pod starts', async () => {
    const pod = netexecPod('shaped', ns.name) as { metadata: Record<string, unknown> };
    await apply([{ ...pod, metadata: { ...pod.metadata, annotations: { 'kubernetes.io/ingress-bandwidth': '1M' } } }]);
    await waitReady(ns.name, ['shaped']);
    const event = await eventually('Warning event', async () => (await events()).find((e) => e.involvedObject.name === 'shaped' && /bandwidth/i.test(e.reason + e.message)), 30_000);
    expect(event.message).toMatch(/bandwidth/i);
  });
});

function service(name: string, namespace: string): unknown {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec: { ports: [{ name: 'http', port: 80, targetPort: 8080 }] } };
}

function slice(name: string, namespace: string, serviceName: string, addresses: readonly string[]): unknown {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace, labels: { 'kubernetes.io/service-name': serviceName, 'endpointslice.kubernetes.io/managed-by': 'e2e.example.com' } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
  };
}
