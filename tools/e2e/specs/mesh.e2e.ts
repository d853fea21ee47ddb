import { readFileSync } from 'node:fs';
import path from 'node:path';
import { agnhost, apply, kubectl, kubectlJson, nodeAddresses, podExec, temporaryNamespace } from '../src/cluster';
import type { KubeObject } from '../src/cluster';

interface Endpoint {
  readonly pod: string;
  readonly namespace: string;
  readonly address: string;
  readonly hostNetwork: boolean;
}

interface ProbeResult {
  readonly target: string;
  readonly protocol: 'tcp' | 'udp';
  readonly size: number;
  readonly ok: boolean;
  readonly seen: string;
  readonly error: string;
}

/** Last usable address but one of the pod subnet 10.32.0.0/12 (R21 §2.4). */
const GATEWAY = '10.47.255.254';
const TCP_SIZES = [64, 1400, 9000, 60_000];
/** Bigger than any pod's MTU: they travel in fragments. */
const FRAGMENTED_SIZES = [12_000, 60_000];
const ECHO_SIZES = [56, 12_000];

describe('mesh: every pod and host-network pod to every pod and to the service', () => {
  const namespaces: Array<{ name: string; remove: () => Promise<void> }> = [];
  let endpoints: Endpoint[] = [];
  let services: Array<{ name: string; address: string }> = [];
  let mtu = 0;

  beforeAll(async () => {
    const image = (await kubectl(['-n', 'contrail', 'get', 'deployment', 'control', '-o', 'jsonpath={.spec.template.spec.containers[0].image}'])).trim();
    for (const prefix of ['mesh-a', 'mesh-b']) namespaces.push(await temporaryNamespace(prefix));
    for (const [index, namespace] of namespaces.entries()) {
      await apply([probeSource(namespace.name), daemonSet('mesh', namespace.name, image, false), ...(index === 0 ? [daemonSet('mesh-host', namespace.name, image, true)] : []), meshService(namespace.name)]);
    }
    for (const [index, { name }] of namespaces.entries()) {
      await kubectl(['-n', name, 'rollout', 'status', 'daemonset/mesh', '--timeout=120s']);
      if (index === 0) await kubectl(['-n', name, 'rollout', 'status', 'daemonset/mesh-host', '--timeout=120s']);
    }
    endpoints = (await Promise.all(namespaces.map(({ name }) => endpointsOf(name)))).flat();
    services = await Promise.all(
      namespaces.map(async ({ name }) => ({ name: `service-${name}`, address: (await kubectl(['-n', name, 'get', 'service', 'mesh', '-o', 'jsonpath={.spec.clusterIP}'])).trim() })),
    );
    const pod = endpoints.find((endpoint) => !endpoint.hostNetwork);
    mtu = Number((await podExec(pod?.namespace ?? '', pod?.pod ?? '', ['cat', '/sys/class/net/eth0/mtu'], 'tools')).stdout);
  });

  afterAll(async () => {
    await Promise.all(namespaces.map((namespace) => namespace.remove()));
  });

  it('has pods of two namespaces and host-network pods on every node', async () => {
    const nodes = (await nodeAddresses()).size;
    expect(endpoints).toHaveLength(nodes * 3);
    expect(new Set(endpoints.filter((e) => !e.hostNetwork).map((e) => e.address)).size).toBe(nodes * 2);
    expect(mtu).toBeGreaterThanOrEqual(1400);
  });

  it('carries TCP of 64 B to 60 kB, datagrams up to the MTU and in fragments, and shows the sender\'s own address', async () => {
    const targets = [...endpoints.filter((e) => !e.hostNetwork).map((e) => ({ name: e.pod, address: e.address })), ...services];
    const udpSizes = [64, 512, mtu - 28, ...FRAGMENTED_SIZES];
    const problems: string[] = [];
    let seen = 0;
    for (const source of endpoints) {
      const request = { targets, tcpSizes: TCP_SIZES, udpSizes };
      const run = await podExec(source.namespace, source.pod, ['node', '/probe/mesh-probe.js', 'probe', JSON.stringify(request)], 'probe');
      const results = run.stdout.trim().split('\n').map((line) => JSON.parse(line) as ProbeResult);
      // One more asks which address the receiver sees.
      expect(results).toHaveLength(targets.length * (TCP_SIZES.length + udpSizes.length + 1));
      for (const result of results) {
        const where = `${source.hostNetwork ? 'host ' : ''}${source.pod} -> ${result.target} ${result.protocol} ${result.size} B`;
        if (!result.ok) problems.push(`${where}: ${result.error}`);
        // A pod that reaches itself through the service is seen as the gateway (hairpin).
        const allowed = ['', source.address, ...(result.target.startsWith('service-') && !source.hostNetwork ? [GATEWAY] : [])];
        if (result.ok && !allowed.includes(result.seen)) problems.push(`${where}: seen as ${result.seen}, not ${source.address}`);
        if (result.seen === source.address) seen += 1;
      }
    }
    expect(problems).toEqual([]);
    expect(seen).toBeGreaterThan(endpoints.length * endpoints.length);
  });

  it('answers ICMP echo between all of them, and from the gateway, also in fragments', async () => {
    const problems: string[] = [];
    const addresses = [...endpoints.filter((e) => !e.hostNetwork).map((e) => e.address), GATEWAY];
    for (const source of endpoints) {
      const targets = source.hostNetwork ? addresses.slice(0, -1) : addresses;
      const script = targets.flatMap((address) => ECHO_SIZES.map((size) => `ping -n -q -c 1 -W 2 -s ${size} ${address} >/dev/null || echo ${address} ${size}`)).join('; ');
      const run = await podExec(source.namespace, source.pod, ['sh', '-c', script], 'tools');
      if (run.stdout.trim() !== '') problems.push(`${source.pod}: ${run.stdout.trim().replaceAll('\n', ' ')}`);
      expect(run.status).toBe(0);
    }
    expect(problems).toEqual([]);
  });
});

function probeSource(namespace: string): unknown {
  const script = readFileSync(path.join(__dirname, '../src/mesh-probe.js'), 'utf8');
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'mesh-probe', namespace }, data: { 'mesh-probe.js': script } };
}

function daemonSet(name: string, namespace: string, image: string, hostNetwork: boolean): unknown {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, namespace },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          hostNetwork,
          terminationGracePeriodSeconds: 0,
          tolerations: [{ operator: 'Exists' }],
          volumes: [{ name: 'probe', configMap: { name: 'mesh-probe' } }],
          containers: [
            { name: 'probe', image, imagePullPolicy: 'IfNotPresent', command: ['node', '/probe/mesh-probe.js', 'serve'], volumeMounts: [{ name: 'probe', mountPath: '/probe' }], readinessProbe: { tcpSocket: { port: 7000 }, periodSeconds: 1 } },
            { name: 'tools', image: agnhost, imagePullPolicy: 'IfNotPresent', args: ['pause'] },
          ],
        },
      },
    },
  };
}

function meshService(namespace: string): unknown {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'mesh', namespace },
    spec: { selector: { app: 'mesh' }, ports: [{ name: 'tcp', port: 7000, protocol: 'TCP' }, { name: 'udp', port: 7001, protocol: 'UDP' }] },
  };
}

async function endpointsOf(namespace: string): Promise<Endpoint[]> {
  const { items } = await kubectlJson<{ items: KubeObject[] }>(['-n', namespace, 'get', 'pods']);
  return items.map((pod) => ({
    pod: pod.metadata.name,
    namespace,
    address: String(pod.status?.['podIP'] ?? ''),
    hostNetwork: pod.spec['hostNetwork'] === true,
  }));
}
