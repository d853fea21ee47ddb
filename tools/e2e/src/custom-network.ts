import { agnhost, eventually, kubectl, kubectlJson, netexecPod, nodeAddresses, podExec } from './cluster';
import type { CommandResult, KubeObject } from './cluster';
import type { RestAnswer, RestClient } from './rest-client';

export const networkKey = 'opencontrail.org/network';

interface Event {
  readonly reason: string;
  readonly note: string;
  readonly regarding: { readonly kind: string; readonly name: string };
}

/** A pod of agnhost on a node; its hostname is its name. */
export function tenantPod(name: string, namespace: string, options: { node?: string; network?: string; labels?: Record<string, string>; container?: Record<string, unknown> } = {}): unknown {
  const pod = netexecPod(name, namespace, {
    labels: options.labels ?? {},
    spec: options.node === undefined ? {} : { nodeName: options.node },
    container: options.container ?? {},
  }) as { metadata: Record<string, unknown> };
  const annotations = options.network === undefined ? {} : { [networkKey]: options.network };
  return { ...pod, metadata: { ...pod.metadata, annotations } };
}

/** IPAM and VirtualNetwork in a project, as an administrator makes them. */
export async function makeNetwork(administrator: RestClient, project: string, name: string, prefix: string, more: Record<string, unknown> = {}): Promise<string> {
  const [ipPrefix, length] = prefix.split('/');
  const ipamName = ['default-domain', project, `${name}-ipam`];
  await mustSucceed(administrator.call('POST', '/network-ipams', { 'network-ipam': { fq_name: ipamName, parent_type: 'project' } }));
  const ipamSubnets = [{ subnet: { ip_prefix: ipPrefix, ip_prefix_len: Number(length) } }];
  const network = {
    ...{ fq_name: ['default-domain', project, name], parent_type: 'project', ...more },
    network_ipam_refs: [{ to: ipamName, attr: { ipam_subnets: ipamSubnets } }],
  };
  const { body } = await mustSucceed(administrator.call('POST', '/virtual-networks', { 'virtual-network': network }));
  return (body as { 'virtual-network': { uuid: string } })['virtual-network'].uuid;
}

/** Network and IPAM go, once nothing uses them. */
export async function removeNetwork(administrator: RestClient, project: string, name: string): Promise<void> {
  for (const [type, object] of [['virtual-network', name], ['network-ipam', `${name}-ipam`]] as const) {
    const found = await administrator.call('POST', '/fqname-to-id', { type, fq_name: ['default-domain', project, object] });
    if (found.status !== 200) continue;
    const { uuid } = found.body as { uuid: string };
    await eventually(`${type} ${object} goes`, async () => ((await administrator.call('DELETE', `/${type}/${uuid}`)).status === 200 ? true : undefined), 120_000);
  }
}

export async function mustSucceed(call: Promise<RestAnswer>): Promise<RestAnswer> {
  const answer = await call;
  if (answer.status !== 200) throw new Error(`REST: ${answer.status} ${answer.text}`);
  return answer;
}

export async function uuidOf(administrator: RestClient, type: string, fqName: readonly string[]): Promise<string> {
  const { body } = await mustSucceed(administrator.call('POST', '/fqname-to-id', { type, fq_name: fqName }));
  return (body as { uuid: string }).uuid;
}

/** Workers before the control plane. */
export async function twoNodes(): Promise<[string, string]> {
  const names = [...(await nodeAddresses()).keys()].sort((a, b) => Number(a === 'control-plane') - Number(b === 'control-plane') || (a < b ? -1 : 1));
  const [first, second] = names;
  if (first === undefined || second === undefined) throw new Error(`two nodes are needed, not ${names.length}`);
  return [first, second];
}

/** IPv4 addresses of eth0, as the pod itself sees them. */
export async function addressesInside(namespace: string, pod: string): Promise<string[]> {
  const { stdout } = await podExec(namespace, pod, ['ip', '-o', '-4', 'address', 'show', 'dev', 'eth0']);
  return [...stdout.matchAll(/inet ([0-9.]+)/g)].map(([, address = '']) => address);
}

/** Body of the answer of a netexec pod; undefined: there is none. */
export async function fetchFrom(namespace: string, pod: string, url: string): Promise<string | undefined> {
  const result = await podExec(namespace, pod, ['curl', '-sS', '--max-time', '4', url]);
  return answerOf(result);
}

export function answerOf({ status, stdout }: CommandResult): string | undefined {
  return status === 0 ? stdout.trim() : undefined;
}

/** Answer of a netexec pod over UDP. */
export async function fetchByUdp(namespace: string, pod: string, address: string, port = 8081): Promise<string | undefined> {
  const { stdout } = await podExec(namespace, pod, ['sh', '-c', `echo hostname | nc -u -w 2 ${address} ${port}`]);
  return stdout.trim() === '' ? undefined : stdout.trim();
}

export function eventOn(namespace: string, name: string, reason: string): Promise<string> {
  return eventually(`event ${reason} on ${name}`, async () => {
    const { items } = await kubectlJson<{ items: Event[] }>(['-n', namespace, 'get', 'events.v1.events.k8s.io']);
    return items.find((event) => event.regarding.name === name && event.reason === reason)?.note;
  });
}

/** Restarts of all containers of a namespace's pods. */
export async function restartsIn(namespace: string): Promise<number> {
  const { items } = await kubectlJson<{ items: (KubeObject & { status: { containerStatuses?: { restartCount: number }[] } })[] }>(['-n', namespace, 'get', 'pods']);
  return items.flatMap(({ status }) => status.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0);
}

/** A pod with a container for each kind of probe; the last one binds to status.podIP only, with TCP at 8086 and UDP at 8087. */
export function probedPod(name: string, namespace: string, options: { node: string; network: string }): unknown {
  const bound = 'nc -lk "$POD_IP" 8086 & exec /agnhost netexec --http-port=8088 --udp-port=8087 --udp-listen-addresses="$POD_IP"';
  const container = (containerName: string, start: Record<string, unknown>, probe: Record<string, unknown>): unknown => ({
    name: containerName,
    image: agnhost,
    imagePullPolicy: 'IfNotPresent',
    env: [{ name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
    ...start,
    readinessProbe: { ...probe, periodSeconds: 1, timeoutSeconds: 5 },
    livenessProbe: { ...probe, periodSeconds: 1, initialDelaySeconds: 5, timeoutSeconds: 5, failureThreshold: 5 },
  });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, annotations: { [networkKey]: options.network } },
    spec: {
      nodeName: options.node,
      terminationGracePeriodSeconds: 0,
      tolerations: [{ operator: 'Exists' }],
      containers: [
        container('http', { args: ['netexec', '--http-port=8080', '--udp-port=8081'] }, { httpGet: { path: '/healthz', port: 8080 } }),
        container('tcp', { args: ['netexec', '--http-port=8082', '--udp-port=8083'] }, { tcpSocket: { port: 8082 } }),
        container('exec', { args: ['netexec', '--http-port=8084', '--udp-port=8085'] }, { exec: { command: ['/agnhost', 'connect', '127.0.0.1:8084', '--timeout=2s'] } }),
        container('bound', { command: ['sh', '-c', bound] }, { tcpSocket: { port: 8086 } }),
      ],
    },
  };
}

/** `kubectl wait`, with what is known of the pods when it fails. */
export async function waitReadyOrTell(namespace: string, pods: readonly string[], timeoutS = 150): Promise<void> {
  try {
    await kubectl(['-n', namespace, 'wait', '--for=condition=Ready', `--timeout=${timeoutS}s`, ...pods.map((pod) => `pod/${pod}`)]);
  } catch (error) {
    throw new Error(`${String(error)}\n${await kubectl(['-n', namespace, 'get', 'events'])}`, { cause: error });
  }
}
