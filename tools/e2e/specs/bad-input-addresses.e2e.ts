import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { fromResource, metaOf, toResource, withFields } from '@contrail/resource-model';
import { callUnary } from '@contrail/rpc';
import { apply, eventually, kubectl, kubectlJson, netexecPod, nodeExec, podIp, temporaryNamespace, waitReady } from '../src/cluster';
import { openContrailClients } from '../src/contrail-clients';
import type { ContrailClients } from '../src/contrail-clients';

interface Event {
  readonly reason: string;
  readonly message: string;
  readonly involvedObject: { readonly kind: string; readonly name: string };
}

let contrail: ContrailClients;
beforeAll(async () => {
  contrail = await openContrailClients();
});
afterAll(() => contrail.close());

const eventOn = (namespace: string, pod: string, reason: string): Promise<Event> =>
  eventually(`event ${reason} on ${pod}`, async () => {
    const { items } = await kubectlJson<{ items: Event[] }>(['-n', namespace, 'get', 'events']);
    return items.find((event) => event.involvedObject.name === pod && event.reason === reason);
  });

const get = async (type: string, ...fqName: string[]): Promise<Resource> => {
  const { resource } = await callUnary(contrail.config, 'get', { key: { uuid: '', type, fqName } });
  if (resource === undefined) throw new Error(`${type} ${fqName.join(':')} is absent`);
  return resource;
};

describe('a network without free addresses', () => {
  const ipamName = ['default-domain', 'k8s-default', 'k8s-pod-ipam'];
  /** From now on pods get these addresses only; none: any of the subnet. */
  const narrow = async (...pools: { start: string; end: string }[]): Promise<void> => {
    const stored = await get('network-ipam', ...ipamName);
    const { ipamSubnets } = fromResource('network-ipam', stored);
    const allocationPools = pools.map((pool) => ({ ...pool, vrouterSpecificPool: false }));
    const subnets = (ipamSubnets?.subnets ?? []).map((subnet) => ({ ...subnet, allocationPools }));
    const resource = withFields(stored, { ipamSubnets: { subnets } });
    await callUnary(contrail.config, 'update', { resource, updateMask: undefined, expectedRevision: metaOf(stored).revision });
  };
  const ready = async (namespace: string): Promise<string[]> => {
    const { items } = await kubectlJson<{ items: { metadata: { name: string }; status: { conditions?: { type: string; status: string }[] } }[] }>(['-n', namespace, 'get', 'pods']);
    return items.filter(({ status }) => status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True')).map(({ metadata }) => metadata.name);
  };

  it('tells the pods that wait, leaves others alone, and serves the waiting ones when space appears', async () => {
    const ns = await temporaryNamespace('full');
    try {
      await apply([netexecPod('bystander', ns.name)]);
      await waitReady(ns.name, ['bystander']);
      await narrow({ start: '10.40.7.1', end: '10.40.7.2' });
      await apply(['full-1', 'full-2', 'full-3'].map((name) => netexecPod(name, ns.name)));
      const lucky = await eventually('two pods with the two addresses', async () => {
        const names = (await ready(ns.name)).filter((name) => name.startsWith('full-'));
        return names.length === 2 ? names : undefined;
      });
      const waiting = ['full-1', 'full-2', 'full-3'].find((name) => !lucky.includes(name)) ?? '';
      const { message } = await eventOn(ns.name, waiting, 'AddressExhausted');
      expect(message).toContain(`Pod/${ns.name}/${waiting} in VirtualNetwork/default-domain:k8s-default:k8s-default-pod-network: no address left`);
      expect(message).toMatch(/10\.32\.0\.0\/12.*add a subnet to NetworkIpam\/default-domain:k8s-default:k8s-pod-ipam, or delete what is not needed/);
      const address = await podIp(ns.name, 'bystander');
      expect((await nodeExec('node1', ['curl', '-s', '--max-time', '4', `http://${address}:8080/hostname`])).stdout).toBe('bystander');
      // Its address can be given again when its quarantine is over.
      await kubectl(['-n', ns.name, 'delete', 'pod', lucky[0] ?? '', '--grace-period=0', '--force']);
      await waitReady(ns.name, [waiting], 120);
      expect(['10.40.7.1', '10.40.7.2']).toContain(await podIp(ns.name, waiting));
      await apply([netexecPod('full-4', ns.name)]);
      await eventOn(ns.name, 'full-4', 'AddressExhausted');
      await narrow();
      await waitReady(ns.name, ['full-4'], 60);
    } finally {
      await narrow();
      await ns.remove();
    }
  }, 300_000);
});

describe('a pod without a project', () => {
  const someone = '5eed5eed-0000-4000-8000-00000000000e';

  it('is told why when the project of its namespace belongs to another cluster, and starts when that is gone', async () => {
    const namespace = `claimed-${Math.random().toString(36).slice(2, 8)}`;
    const { uuid: domain } = metaOf(await get('domain', 'default-domain'));
    const fqName = ['default-domain', `k8s-${namespace}`];
    const { resource } = await callUnary(contrail.config, 'create', {
      resource: toResource('project', { meta: { fqName, parentType: 'domain', parentUuid: domain, annotations: { cluster_uid: someone } } }),
    });
    if (resource === undefined) throw new Error('config-api created nothing');
    await kubectl(['create', 'namespace', namespace]);
    try {
      await eventually('ServiceAccount', async () => kubectl(['-n', namespace, 'get', 'serviceaccount', 'default']));
      await apply([netexecPod('homeless', namespace)]);
      const { message } = await eventOn(namespace, 'homeless', 'NetworkNotReady');
      expect(message).toContain(`Project/default-domain:k8s-${namespace}: exists and belongs to the cluster with uid ${someone}`);
      expect(message).toContain('give each cluster a CLUSTER_NAME of its own');
      const key = { uuid: metaOf(resource).uuid, type: 'project', fqName: [] };
      await callUnary(contrail.config, 'delete', { key, expectedRevision: 0n });
      await waitReady(namespace, ['homeless'], 90);
    } finally {
      await kubectl(['delete', 'namespace', namespace, '--wait=false']);
    }
  });

  it('starts all the same when somebody deleted the project: it is made anew', async () => {
    const ns = await temporaryNamespace('deleted');
    try {
      const project = ['default-domain', `k8s-${ns.name}`];
      const group = await eventually('default security group', () => get('security-group', ...project, `k8s-${ns.name}-default-sg`));
      const removal = (type: string, uuid: string): { kind: { $case: 'delete'; value: { key: { uuid: string; type: string; fqName: string[] }; expectedRevision: bigint } } } => ({
        kind: { $case: 'delete', value: { key: { uuid, type, fqName: [] }, expectedRevision: 0n } },
      });
      const operations = [removal('security-group', metaOf(group).uuid), removal('project', metaOf(await get('project', ...project)).uuid)];
      await callUnary(contrail.config, 'transact', { operations });
      await apply([netexecPod('afterwards', ns.name)]);
      await waitReady(ns.name, ['afterwards'], 90);
    } finally {
      await ns.remove();
    }
  });
});
