import { apply, eventually, kubectl, nodeExec, podExec, podIp, temporaryNamespace } from '../src/cluster';
import { verifyCluster } from '../src/contrailctl';
import {
  addressesInside, answerOf, eventOn, fetchByUdp, fetchFrom, makeNetwork, mustSucceed, networkKey, probedPod, removeNetwork, restartsIn, tenantPod, twoNodes, uuidOf,
  waitReadyOrTell,
} from '../src/custom-network';
import { withPortForward } from '../src/port-forward';
import { restClient } from '../src/rest-client';
import type { RestClient } from '../src/rest-client';

jest.setTimeout(300_000);

const subnet = '192.168.50.0/24';

/** A namespace with a network of its own, and on each of two nodes a pod on it. */
interface Tenant {
  readonly namespace: string;
  /** As the annotation names it. */
  readonly network: string;
  /** `left-near`: on the first node; `left-far`: on the second. */
  readonly pods: readonly [string, string];
  remove(): Promise<void>;
}

let administrator: RestClient;
let nodes: readonly [string, string];
let left: Tenant;
let right: Tenant;
let plain: { name: string; remove: () => Promise<void> };
const tenantOf = new Map<string, string>();
const aliasOf = new Map<string, string>();

const text = (map: ReadonlyMap<string, string>, key: string): string => map.get(key) ?? `no address of ${key}`;
const url = (address: string, port = 8080): string => `http://${address}:${port}/hostname`;

async function learnAddresses(namespace: string, pods: readonly string[]): Promise<void> {
  for (const pod of pods) {
    const alias = await podIp(namespace, pod);
    aliasOf.set(pod, alias);
    tenantOf.set(pod, (await addressesInside(namespace, pod)).filter((address) => address !== alias).join());
  }
}

async function addService(namespace: string): Promise<string> {
  const ports = [{ name: 'http', port: 80, targetPort: 8080 }];
  await apply([{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace }, spec: { selector: { role: 'web' }, ports } }]);
  return (await kubectl(['-n', namespace, 'get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}'])).trim();
}

beforeAll(async () => {
  administrator = await restClient('admin');
  nodes = await twoNodes();
  const [leftSpace, rightSpace, plainSpace] = await Promise.all(['left', 'right', 'plain'].map((name) => temporaryNamespace(name)));
  if (leftSpace === undefined || rightSpace === undefined || plainSpace === undefined) throw new Error('there are three namespaces');
  plain = plainSpace;
  left = { namespace: leftSpace.name, network: `default-domain:k8s-${leftSpace.name}:k8s-tenant-pod-network`, pods: ['left-near', 'left-far'], remove: leftSpace.remove };
  right = { namespace: rightSpace.name, network: `default-domain:k8s-${rightSpace.name}:tenant`, pods: ['right-near', 'right-far'], remove: rightSpace.remove };
  await apply([tenantPod('plain', plain.name, { node: nodes[0], labels: { role: 'web' } })]);
});
afterAll(async () => {
  await Promise.all([left, right, plain].map((space) => space.remove()));
  await removeNetwork(administrator, `k8s-${right.namespace}`, 'tenant');
});

describe('pods on a network', () => {
  it('that does not exist yet wait, are told so, and start by themselves', async () => {
    const [domain = '', project = '', name = ''] = right.network.split(':');
    await kubectl(['annotate', 'namespace', right.namespace, `${networkKey}={'domain': '${domain}', 'project': '${project}', 'name': '${name}'}`]);
    await apply([tenantPod('right-near', right.namespace, { node: nodes[0], labels: { role: 'web' } })]);
    expect(await eventOn(right.namespace, 'right-near', 'NetworkNotFound')).toContain(`VirtualNetwork/${right.network}, which Namespace/${right.namespace}`);
    await makeNetwork(administrator, project, name, subnet);
    await waitReadyOrTell(right.namespace, ['right-near']);
    await apply([tenantPod('right-far', right.namespace, { node: nodes[1], labels: { role: 'web' } })]);
    await waitReadyOrTell(right.namespace, ['right-far']);
  });

  it('that a NetworkAttachmentDefinition makes start there', async () => {
    const definition = {
      apiVersion: 'k8s.cni.cncf.io/v1',
      kind: 'NetworkAttachmentDefinition',
      metadata: { name: 'tenant', namespace: left.namespace, annotations: { 'opencontrail.org/cidr': subnet } },
      spec: { config: '{"cniVersion": "0.3.1", "type": "contrail-k8s-cni"}' },
    };
    await apply([definition, tenantPod('left-near', left.namespace, { node: nodes[0], network: left.network, labels: { role: 'web' } })]);
    await waitReadyOrTell(left.namespace, ['left-near']);
    await apply([tenantPod('left-far', left.namespace, { node: nodes[1], network: left.network, labels: { role: 'web' } })]);
    await waitReadyOrTell(left.namespace, ['left-far']);
  });

  it('have equal tenant addresses, and an alias of the cluster as status.podIP', async () => {
    await waitReadyOrTell(plain.name, ['plain']);
    for (const { namespace, pods } of [left, right]) await learnAddresses(namespace, pods);
    expect([...tenantOf].sort()).toEqual([
      ['left-far', '192.168.50.251'],
      ['left-near', '192.168.50.252'],
      ['right-far', '192.168.50.251'],
      ['right-near', '192.168.50.252'],
    ]);
    expect(new Set(aliasOf.values()).size).toBe(4);
    for (const alias of aliasOf.values()) expect(alias).not.toMatch(/^192\.168\./);
  });
});

describe('tenants with the same addresses', () => {
  const pairs = (): [Tenant, string, string][] => [left, right].flatMap((tenant): [Tenant, string, string][] => {
    const [near, far] = tenant.pods;
    return [[tenant, near, far], [tenant, far, near]];
  });

  it('reach their own pods by tenant address and by alias, over TCP and UDP', async () => {
    for (const [{ namespace }, from, to] of pairs()) {
      for (const address of [text(tenantOf, to), text(aliasOf, to)]) {
        expect([from, address, await fetchFrom(namespace, from, url(address))]).toEqual([from, address, to]);
        expect([from, address, await fetchByUdp(namespace, from, address)]).toEqual([from, address, to]);
      }
    }
  });

  it('reach a pod of their own on the same node, by both addresses, while the other tenant has the same ones there', async () => {
    for (const { namespace, network, pods } of [left, right]) {
      const third = pods[0].replace('near', 'beside');
      await apply([tenantPod(third, namespace, { node: nodes[0], network })]);
      await waitReadyOrTell(namespace, [third]);
      await learnAddresses(namespace, [third]);
      for (const address of [text(tenantOf, third), text(aliasOf, third)]) {
        expect([address, await fetchFrom(namespace, pods[0], url(address))]).toEqual([address, third]);
        expect([address, await fetchFrom(namespace, pods[1], url(address))]).toEqual([address, third]);
      }
    }
    expect(text(tenantOf, 'left-beside')).toBe(text(tenantOf, 'right-beside'));
  });

  it('see each other by tenant address', async () => {
    for (const [{ namespace }, from, to] of pairs()) {
      const seen = await fetchFrom(namespace, from, `http://${text(tenantOf, to)}:8080/clientip`);
      expect([from, seen?.replace(/:\d+$/, '')]).toEqual([from, text(tenantOf, from)]);
    }
  });

  it('do not reach the other tenant, nor pods of the cluster, nor those them', async () => {
    const others = [right, left];
    for (const [i, tenant] of [left, right].entries()) {
      for (const to of others[i]?.pods ?? []) expect([to, await fetchFrom(tenant.namespace, tenant.pods[0], url(text(aliasOf, to)))]).toEqual([to, undefined]);
      expect(await fetchFrom(tenant.namespace, tenant.pods[0], url(await podIp(plain.name, 'plain')))).toBeUndefined();
      expect(await fetchFrom(plain.name, 'plain', url(text(aliasOf, tenant.pods[0])))).toBeUndefined();
      expect(await fetchFrom(plain.name, 'plain', url(text(tenantOf, tenant.pods[0])))).toBeUndefined();
    }
  });

  it('are reached by every node at their alias', async () => {
    for (const node of nodes) {
      for (const { pods } of [left, right]) {
        for (const pod of pods) expect([node, pod, answerOf(await nodeExec(node, ['curl', '-sS', '--max-time', '4', url(text(aliasOf, pod))]))]).toEqual([node, pod, pod]);
      }
    }
  });
});

describe('what Kubernetes promises', () => {
  it('holds: probes of each kind, also of a process that binds to status.podIP', async () => {
    await apply([probedPod('probed-left', left.namespace, { node: nodes[0], network: left.network }), probedPod('probed-right', right.namespace, { node: nodes[1], network: right.network })]);
    await waitReadyOrTell(left.namespace, ['probed-left']);
    await waitReadyOrTell(right.namespace, ['probed-right']);
    for (const { namespace, pods } of [left, right]) {
      const probed = pods[0].replace(/(.*)-near/, 'probed-$1');
      expect([probed, await fetchByUdp(namespace, pods[1], await podIp(namespace, probed), 8087)]).toEqual([probed, probed]);
    }
  });

  it('holds: logs, exec, port-forward, and the proxy of the API server', async () => {
    for (const { namespace, pods } of [left, right]) {
      for (const pod of pods) {
        expect(await kubectl(['-n', namespace, 'logs', pod])).not.toBe('');
        expect((await podExec(namespace, pod, ['hostname'])).stdout.trim()).toBe(pod);
        expect(await kubectl(['get', '--raw', `/api/v1/namespaces/${namespace}/pods/${pod}:8080/proxy/hostname`])).toBe(pod);
        expect(await withPortForward(namespace, pod, 8080, async (base) => (await fetch(`${base}/hostname`)).text())).toBe(pod);
      }
    }
  });

  it('holds: cluster DNS, and the kubernetes service', async () => {
    for (const { namespace, pods } of [left, right]) {
      for (const pod of pods) {
        const { stdout } = await podExec(namespace, pod, ['nslookup', `web.${namespace}.svc.cluster.local`]);
        expect(stdout).toContain('server can\'t find');
        expect((await podExec(namespace, pod, ['nslookup', 'kubernetes.default.svc.cluster.local'])).stdout).toMatch(/Address: 10\.96\.0\.1\b/);
        const { stdout: code } = await podExec(namespace, pod, ['curl', '-sk', '--max-time', '5', '-o', '/dev/null', '-w', '%{http_code}', 'https://kubernetes.default.svc.cluster.local/version']);
        expect([pod, code]).toEqual([pod, expect.stringMatching(/^(200|401|403)$/)]);
      }
    }
  });

  it('holds: a service on the tenant\'s network, from its own pods, from pods of the cluster and from nodes, not from the other tenant', async () => {
    const [ofLeft, ofRight] = [await addService(left.namespace), await addService(right.namespace)];
    const answers = async (ask: () => Promise<string | undefined>, pods: readonly string[]): Promise<void> => {
      await eventually(`one of ${pods.join()} answers`, async () => {
        const answer = await ask();
        return pods.includes(answer ?? '') ? true : undefined;
      }, 30_000);
    };
    await answers(() => fetchFrom(left.namespace, 'left-near', `http://web.${left.namespace}:80/hostname`), left.pods);
    await answers(() => fetchFrom(right.namespace, 'right-far', url(ofRight, 80)), right.pods);
    await answers(() => fetchFrom(plain.name, 'plain', url(ofLeft, 80)), left.pods);
    await answers(() => fetchFrom(plain.name, 'plain', url(ofRight, 80)), right.pods);
    await answers(async () => answerOf(await nodeExec(nodes[1], ['curl', '-sS', '--max-time', '4', url(ofLeft, 80)])), left.pods);
    expect(await fetchFrom(left.namespace, 'left-near', url(ofRight, 80))).toBeUndefined();
    expect(await fetchFrom(right.namespace, 'right-near', url(ofLeft, 80))).toBeUndefined();
    expect(await fetchFrom(left.namespace, 'left-near', url(await addService(plain.name), 80))).toBeUndefined();
  });
});

describe('a network of another project', () => {
  it('is refused with an event that says how to share it; shared, the pod starts by itself', async () => {
    await apply([tenantPod('guest', plain.name, { node: nodes[1], network: right.network })]);
    expect(await eventOn(plain.name, 'guest', 'NetworkNotAllowed')).toContain('perms2.share, tenant_access 5');
    const network = await uuidOf(administrator, 'virtual-network', right.network.split(':'));
    const project = await uuidOf(administrator, 'project', ['default-domain', `k8s-${plain.name}`]);
    const { body } = await mustSucceed(administrator.call('GET', `/virtual-network/${network}`));
    const { perms2 } = (body as { 'virtual-network': { perms2: Record<string, unknown> } })['virtual-network'];
    const share = [{ tenant: project, tenant_access: 5 }];
    await mustSucceed(administrator.call('PUT', `/virtual-network/${network}`, { 'virtual-network': { perms2: { ...perms2, share } } }));
    await waitReadyOrTell(plain.name, ['guest']);
    expect(await fetchFrom(plain.name, 'guest', url(text(tenantOf, 'right-near')))).toBe('right-near');
  });

  it('works as published: a shared network of the project admin', async () => {
    const project = await administrator.call('POST', '/projects', { project: { fq_name: ['default-domain', 'admin'], parent_type: 'domain' } });
    expect([200, 409]).toContain(project.status);
    await makeNetwork(administrator, 'admin', 'Custom', '192.168.60.0/24', { is_shared: true });
    await apply([tenantPod('ubuntuapp', plain.name, { network: '{"domain":"default-domain","project":"admin","name":"Custom"}' })]);
    await waitReadyOrTell(plain.name, ['ubuntuapp']);
    expect(await addressesInside(plain.name, 'ubuntuapp')).toContain('192.168.60.252');
    await kubectl(['-n', plain.name, 'delete', 'pod', 'ubuntuapp']);
    await removeNetwork(administrator, 'admin', 'Custom');
  });
});

describe('in the end', () => {
  it('a network in use cannot be deleted, and a definition\'s stays until its last pod is gone', async () => {
    const network = await uuidOf(administrator, 'virtual-network', right.network.split(':'));
    expect((await administrator.call('DELETE', `/virtual-network/${network}`)).status).toBe(409);
    await kubectl(['-n', left.namespace, 'delete', 'network-attachment-definition', 'tenant']);
    expect(await eventOn(left.namespace, 'tenant', 'NetworkInUse')).toContain('in use');
    expect(await fetchFrom(left.namespace, 'left-near', url(text(tenantOf, 'left-far')))).toBe('left-far');
  });

  it('nothing has restarted, and every node has what it should have', async () => {
    expect([await restartsIn(left.namespace), await restartsIn(right.namespace), await restartsIn(plain.name)]).toEqual([0, 0, 0]);
    expect(await verifyCluster()).toMatchObject({ status: 0 });
  });

  it('the network of a definition goes with its namespace', async () => {
    await left.remove();
    await eventually('the network is gone', async () => {
      const found = await administrator.call('POST', '/fqname-to-id', { type: 'virtual-network', fq_name: left.network.split(':') });
      return found.status === 404 ? true : undefined;
    }, 120_000);
  });
});
