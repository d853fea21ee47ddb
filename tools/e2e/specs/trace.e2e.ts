import { apply, eventually, kubectl, netexecPod, nodeAddresses, podExec, temporaryNamespace, waitReady } from '../src/cluster';

interface Trace {
  readonly traceID: string;
  readonly spans: ReadonlyArray<{ readonly operationName: string; readonly processID: string; readonly tags: ReadonlyArray<{ readonly key: string; readonly value: unknown }> }>;
  readonly processes: Readonly<Record<string, { readonly serviceName: string; readonly tags: ReadonlyArray<{ readonly key: string; readonly value: unknown }> }>>;
}

/** Traces of a service whose root has these tags, from Jaeger's query API. */
async function findTraces(service: string, tags: Record<string, string>): Promise<Trace[]> {
  const jaeger = (await nodeAddresses()).get('control-plane') ?? '';
  const query = new URLSearchParams({ service, tags: JSON.stringify(tags), limit: '20', lookback: '1h' });
  const response = await fetch(`http://${jaeger}:16686/api/traces?${query.toString()}`);
  return ((await response.json()) as { data: Trace[] }).data;
}

describe('traces', () => {
  let ns = { name: '', remove: () => Promise.resolve() };
  beforeAll(async () => {
    ns = await temporaryNamespace('trace');
    await eventually('Jaeger answers', async () => {
      const jaeger = (await nodeAddresses()).get('control-plane') ?? '';
      return (await fetch(`http://${jaeger}:16686/api/services`)).ok ? true : undefined;
    }, 300_000);
    await apply([netexecPod('followed', ns.name, { spec: { nodeName: 'node1' } })]);
    await waitReady(ns.name, ['followed']);
  }, 400_000);
  afterAll(() => ns.remove());

  it('one trace runs from the Kubernetes event through every process to the map write on each node', async () => {
    const nodes = [...(await nodeAddresses()).keys()].sort();
    const trace = await eventually('a whole trace of the pod\'s creation', async () => {
      const traces = await findTraces('kube-manager', { 'k8s.pod.name': 'followed', 'k8s.namespace.name': ns.name });
      return traces.find((candidate) => agentsOf(candidate).length === nodes.length);
    });
    const services = new Set(Object.values(trace.processes).map((process) => process.serviceName));
    expect([...services].sort()).toEqual(expect.arrayContaining(['config-api', 'control', 'ipam', 'kube-manager', 'vrouter-agent']));
    expect(agentsOf(trace)).toEqual(nodes);
    expect(trace.spans.map((span) => span.operationName)).toEqual(expect.arrayContaining([expect.stringContaining('Allocate')]));
  });

  it('a DNS query has its own trace', async () => {
    await podExec(ns.name, 'followed', ['sh', '-c', `dig +short traced-${ns.name}.default.svc.cluster.local`]);
    await eventually('trace of the query', async () => {
      const jaeger = (await nodeAddresses()).get('control-plane') ?? '';
      const response = await fetch(`http://${jaeger}:16686/api/traces?service=dns&limit=200&lookback=10m`);
      const { data } = (await response.json()) as { data: Trace[] };
      return data.some((trace) => trace.spans.some((span) => span.tags.some((tag) => String(tag.value).includes(`traced-${ns.name}`)))) ? true : undefined;
    });
    expect(await kubectl(['-n', ns.name, 'get', 'pod', 'followed', '-o', 'jsonpath={.status.phase}'])).toBe('Running');
  });
});

/** Nodes whose agent wrote maps in this trace. */
function agentsOf(trace: Trace): string[] {
  const nodes = trace.spans
    .filter((span) => span.operationName === 'vrouter-agent program')
    .map((span) => {
      const process = trace.processes[span.processID];
      const tag = [...span.tags, ...(process?.tags ?? [])].find(({ key }) => key === 'k8s.node.name' || key === 'node');
      return String(tag?.value ?? '');
    });
  return [...new Set(nodes)].sort();
}
