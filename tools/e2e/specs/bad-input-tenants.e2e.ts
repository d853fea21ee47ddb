import { apply, eventually, kubectl, kubectlJson, netexecPod, podIp, temporaryNamespace, waitReady } from '../src/cluster';
import { addressesInside, eventOn, fetchFrom, makeNetwork, networkKey, removeNetwork, tenantPod, twoNodes, uuidOf, waitReadyOrTell } from '../src/custom-network';
import { setMode } from '../src/matrix/set-mode';
import { restClient } from '../src/rest-client';
import type { RestClient } from '../src/rest-client';

jest.setTimeout(300_000);

type Space = Awaited<ReturnType<typeof temporaryNamespace>>;

let administrator: RestClient;
let secret: Space;
let other: Space;

/** A Service without selector and a slice with the addresses. */
function doorTo(addresses: readonly string[]): unknown[] {
  const labels = { 'kubernetes.io/service-name': 'door', 'endpointslice.kubernetes.io/managed-by': 'e2e.example.com' };
  const metadata = { name: 'door', namespace: other.name };
  return [
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ name: 'http', port: 80, targetPort: 8080 }] } },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, labels },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
    },
  ];
}

describe('bad input of tenants', () => {
  beforeAll(async () => {
    administrator = await restClient('admin');
    [secret, other] = await Promise.all([temporaryNamespace('secret'), temporaryNamespace('other')]);
    await apply([netexecPod('hidden', secret.name), netexecPod('client', other.name, { labels: { app: 'open' } })]);
    await waitReady(secret.name, ['hidden']);
    await waitReady(other.name, ['client']);
    await setMode(secret.name, 'isolated');
  });
  afterAll(() => Promise.all([secret, other].map((space) => space.remove())));

  it('a slice that names a pod of an isolated namespace makes no path to it, and its other endpoints serve', async () => {
    const [hidden, client] = [await podIp(secret.name, 'hidden'), await podIp(other.name, 'client')];
    await apply(doorTo([hidden, client]));
    const note = await eventOn(other.name, 'door', 'BackendRefused');
    for (const words of [`"${hidden}" of Service/${other.name}/door`, `Pod/${secret.name}/hidden is in the isolated namespace ${secret.name}`]) expect(note).toContain(words);
    const clusterIp = (await kubectl(['-n', other.name, 'get', 'service', 'door', '-o', 'jsonpath={.spec.clusterIP}'])).trim();
    await eventually('the other endpoint answers', async () => ((await fetchFrom(other.name, 'client', `http://${clusterIp}/hostname`)) === 'client' ? true : undefined));
    const answers = new Set<string | undefined>();
    for (let i = 0; i < 10; i += 1) answers.add(await fetchFrom(other.name, 'client', `http://${clusterIp}/hostname`));
    expect([...answers]).toEqual(['client']);
  });

  it.each([
    ['10.96.77.0/24', 'the range of cluster IPs'],
    ['192.168.77.0', 'is no subnet; write a subnet as "192.168.0.0/24"'],
  ])('a definition with the cidr %s is told why it makes no network', async (cidr, cause) => {
    const name = `bad-${cidr.replaceAll(/[./]/g, '-')}`;
    const metadata = { name, namespace: other.name, annotations: { 'opencontrail.org/cidr': cidr } };
    await apply([{ apiVersion: 'k8s.cni.cncf.io/v1', kind: 'NetworkAttachmentDefinition', metadata, spec: { config: '{"cniVersion": "0.3.1", "type": "contrail-k8s-cni"}' } }]);
    const note = await eventOn(other.name, name, cidr.includes('/') ? 'NetworkConflict' : 'MalformedAnnotation');
    expect(note).toContain(`NetworkAttachmentDefinition/${other.name}/${name} metadata.annotations["opencontrail.org/cidr"]`);
    expect(note).toContain(cause);
  });

  describe('a network', () => {
    let uuid: string;
    let project: string;
    let tenant: string;

    beforeAll(async () => {
      const nodes = await twoNodes();
      project = `k8s-${other.name}`;
      uuid = await makeNetwork(administrator, project, 'tiny', '192.168.70.0/29');
      await apply([tenantPod('tenant', other.name, { node: nodes[0], network: `default-domain:${project}:tiny` })]);
      await waitReadyOrTell(other.name, ['tenant']);
      const alias = await podIp(other.name, 'tenant');
      tenant = (await addressesInside(other.name, 'tenant')).find((address) => address !== alias) ?? '';
    });
    afterAll(async () => {
      await kubectl(['-n', other.name, 'delete', 'pods', '--all', '--wait=false']);
      await removeNetwork(administrator, project, 'tiny');
    });

    const fixed = (name: string, address: string): ReturnType<RestClient['call']> =>
      administrator.call('POST', '/instance-ips', { 'instance-ip': { fq_name: [`${other.name}-${name}`], instance_ip_address: address, virtual_network_refs: [{ uuid }] } });

    it('refuses a fixed address that is taken, or outside its subnet', async () => {
      const taken = await fixed('taken', tenant);
      expect([taken.status, taken.text]).toEqual([409, expect.stringContaining(`${tenant} is already in use by Pod/${other.name}/tenant; choose another or release it`)]);
      const outside = await fixed('outside', '192.168.71.1');
      expect([outside.status, outside.text]).toEqual([400, expect.stringContaining('192.168.71.1 is outside the subnets 192.168.70.0/29; choose an address inside')]);
    });

    it('cannot be deleted while it is in use, and the answer names what uses it', async () => {
      const answer = await administrator.call('DELETE', `/virtual-network/${uuid}`);
      expect([answer.status, answer.text]).toEqual([409, expect.stringMatching(/VirtualMachineInterface|InstanceIp|virtual-machine-interface|instance-ip/)]);
      expect(await uuidOf(administrator, 'virtual-network', ['default-domain', project, 'tiny'])).toBe(uuid);
    });

    it('that is full tells the pods that wait', async () => {
      const names = ['tiny-1', 'tiny-2', 'tiny-3', 'tiny-4', 'tiny-5', 'tiny-6'];
      await apply(names.map((name) => tenantPod(name, other.name, { network: `default-domain:${project}:tiny` })));
      const waiting = await eventually('a pod without address', async () => {
        const { items } = await kubectlJson<{ items: { reason: string; regarding: { name: string } }[] }>(['-n', other.name, 'get', 'events.v1.events.k8s.io']);
        return items.find(({ reason, regarding }) => reason === 'AddressExhausted' && names.includes(regarding.name))?.regarding.name;
      }, 120_000);
      expect(await eventOn(other.name, waiting, 'AddressExhausted')).toContain(`Pod/${other.name}/${waiting} in VirtualNetwork/default-domain:${project}:tiny: no address left`);
    });
  });

  it('a namespace that is deleted in the middle of its switch, with pods, services and a network of its own, leaves the others alone', async () => {
    const gone = await temporaryNamespace('gone');
    const metadata = { name: 'own', namespace: gone.name, annotations: { 'opencontrail.org/cidr': '192.168.70.0/24' } };
    const network = `default-domain:k8s-${gone.name}:k8s-own-pod-network`;
    await apply([
      { apiVersion: 'k8s.cni.cncf.io/v1', kind: 'NetworkAttachmentDefinition', metadata, spec: { config: '{"cniVersion": "0.3.1", "type": "contrail-k8s-cni"}' } },
      netexecPod('plain', gone.name),
      tenantPod('custom', gone.name, { network }),
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: gone.name }, spec: { selector: { app: 'x' }, ports: [{ port: 80 }] } },
    ]);
    await waitReadyOrTell(gone.name, ['plain', 'custom']);
    await kubectl(['annotate', 'namespace', gone.name, 'opencontrail.org/isolation=true', `${networkKey}=${network}`]);
    await gone.remove();
    await eventually('its project is gone', async () => {
      const found = await administrator.call('POST', '/fqname-to-id', { type: 'project', fq_name: ['default-domain', `k8s-${gone.name}`] });
      return found.status === 404 ? true : undefined;
    }, 120_000);
    const hidden = await podIp(secret.name, 'hidden');
    expect(await fetchFrom(secret.name, 'hidden', `http://${hidden}:8080/hostname`)).toBe('hidden');
  });
});
