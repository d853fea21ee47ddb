import { brokenCopy } from '../src/broken-copy';
import type { Flaw } from '../src/broken-copy';
import {
  apply,
  eventually,
  kubectl,
  kubectlJson,
  netexecPod,
  nodeExec,
  podExec,
  podIp,
  temporaryNamespace,
  waitReady,
} from '../src/cluster';

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

  /** Addresses that the first agent has for the service, each once. */
  const membersOnNode = async (name: string): Promise<string[]> => {
    const agent = (await kubectl(['-n', 'contrail', 'get', 'pods', '-l', 'app.kubernetes.io/name=vrouter-agent', '-o', 'jsonpath={.items[0].metadata.name}'])).trim();
    const services = JSON.parse((await podExec('contrail', agent, ['contrailctl', 'service', '-o', 'json'])).stdout) as Array<{ name: string; slots: Array<{ address: unknown }> }>;
    const found = services.find((candidate) => candidate.name.includes(`${ns.name}/${name}`));
    return [...new Set(found?.slots.map((slot) => JSON.stringify(slot.address)))];
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
    await eventually('1 001 members on the node', async () => ((await membersOnNode('thousand')).length === 1001 ? true : undefined));
  });

  it('duplicate addresses count once, invalid ones are skipped with an event that names them', async () => {
    const address = await podIp(ns.name, 'client');
    const clusterIp = (await kubectl(['-n', ns.name, 'get', 'service', 'thousand', '-o', 'jsonpath={.spec.clusterIP}'])).trim();
    await apply([slice('odd-1', ns.name, 'odd', [address]), slice('odd-2', ns.name, 'odd', [address])]);
    // The API server refuses loopback and link-local addresses itself, but lets these through.
    const invalid = ['224.1.1.1', '240.0.0.1', '0.0.0.7', clusterIp];
    await apply([slice('odd-3', ns.name, 'odd', invalid)]);
    const notes = await eventually('an event for each invalid address', async () => {
      const found = (await events()).filter((e) => e.involvedObject.name === 'odd-3' && e.reason === 'InvalidEndpointAddress');
      return found.length < invalid.length ? undefined : found.map((e) => e.message);
    });
    for (const text of invalid) {
      expect(notes).toContainEqual(expect.stringMatching(`EndpointSlice/${ns.name}/odd-3 endpoints.*addresses: "${text}" is .*gets no traffic; write`));
    }
    await eventually('one member', async () => ((await membersOnNode('odd')).length === 1 ? true : undefined));
    expect(await reachable('odd')).toBe(true);
  });

  it('a node without InternalIP gets an event that names field and remedy, and others go on', async () => {
    const node = `mute-${ns.name}`;
    await apply([{ apiVersion: 'v1', kind: 'Node', metadata: { name: node }, spec: { unschedulable: true } }]);
    try {
      const event = await eventually('event on the node', async () => {
        const { items } = await kubectlJson<{ items: Event[] }>(['get', 'events', '--field-selector', `involvedObject.name=${node}`]);
        return items.find(({ reason }) => reason === 'NoInternalIP');
      });
      expect(event.message).toMatch(`Node/${node} status.addresses[type=InternalIP]: is absent`);
      expect(event.message).toContain('--node-ip=');
      expect(await reachable('odd')).toBe(true);
    } finally {
      await kubectl(['delete', 'node', node]);
    }
  });

  it.each<[string, string, Flaw, RegExp]>([
    [
      'ipam with a wrong password at Redis',
      'deployment/ipam',
      { env: { REDIS_PASSWORD_FILE: '/etc/contrail/tls/ca.crt' } },
      /Redis .*refuses the user name or password .*correct REDIS_USER and the Secret behind REDIS_PASSWORD_FILE/,
    ],
    [
      'config-api without Redis',
      'deployment/config-api',
      { env: { REDIS_URL: 'rediss://127.0.0.1:1' } },
      /Redis rediss:..127.0.0.1:1: cannot be reached .*check that REDIS_URL names it, and the state and log of the Redis pod/,
    ],
    [
      'kube-manager without an API server',
      'deployment/kube-manager',
      { env: { KUBERNETES_SERVICE_PORT: '1' } },
      /API server .*:1 cannot be reached; check that it runs, and KUBERNETES_SERVICE_HOST .*ECONNREFUSED.*the cluster cannot be read yet/,
    ],
    [
      'kube-manager with service subnets that are not the cluster\'s',
      'deployment/kube-manager',
      { env: { SERVICE_SUBNETS: '203.0.113.0/24' } },
      /SERVICE_SUBNETS is 203.0.113.0.24.*ServiceCIDR.kubernetes/,
    ],
    [
      'vrouter-agent where the kernel refuses eBPF',
      'daemonset/vrouter-agent',
      // As a kernel without the system call: the runtime's seccomp profile answers for it.
      {
        spec: { volumes: [{ name: 'settings', configMap: { name: 'contrail-addresses' } }], initContainers: [], nodeName: 'node1' },
        container: {
          volumeMounts: [{ name: 'settings', mountPath: '/etc/contrail/settings' }],
          securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
        },
      },
      /Kernel .* lacks what the vRouter needs: eBPF programs of type sched_cls .*Run Linux 5.10 or newer/,
    ],
    [
      'vrouter-agent without a name and with a broken address',
      'daemonset/vrouter-agent',
      { env: { NODE_NAME: '', NODE_IP: 'nonsense' }, spec: { volumes: [], initContainers: [], nodeName: 'node1' }, container: { volumeMounts: [] } },
      /NODE_NAME is not set.*NODE_IP is "nonsense"/s,
    ],
  ])('%s says so, with the remedy', async (_what, workload, flaw, words) => {
    const copy = await brokenCopy(workload, flaw);
    try {
      await eventually(
        'its log',
        async () => {
          const log = await copy.log();
          if (words.test(log)) return true;
          throw new Error(`it says: ${log}`);
        },
        25_000,
      );
    } finally {
      await copy.remove();
    }
    expect(await reachable('odd')).toBe(true);
  });

  it('traffic goes on while the API server does not answer, and pods start afterwards', async () => {
    const address = await podIp(ns.name, 'client');
    const listener = (await nodeExec('control-plane', ['ss', '-Hltnp', 'sport = :6443'])).stdout;
    const pid = /pid=(\d+)/.exec(listener)?.[1] ?? '';
    expect(pid).not.toBe('');
    const fetched = (url: string): Promise<string> =>
      nodeExec('node1', ['curl', '-s', '--max-time', '2', url]).then(({ stdout }) => stdout.trim());
    await nodeExec('control-plane', ['kill', '-STOP', pid]);
    try {
      expect((await nodeExec('control-plane', ['curl', '-sk', '--max-time', '1', 'https://127.0.0.1:6443/readyz'])).status).toBe(28);
      expect(await fetched(`http://${address}:8080/hostname`)).toBe('client');
    } finally {
      await nodeExec('control-plane', ['kill', '-CONT', pid]);
    }
    await apply([netexecPod('afterwards', ns.name)]);
    await waitReady(ns.name, ['afterwards'], 60);
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
