import type { Allocation } from '@contrail/proto-gen/ipam/v1/messages';
import { toResource } from '@contrail/resource-model';
import { uidOf } from '../../testing/kube-makers';
import { podNetwork, serviceNetwork } from '../translate/cluster';
import type { Cluster } from '../translate/cluster';
import { ResourceCache } from '../watch/resource-cache';
import { Sweeper } from './sweeper';

const cluster: Cluster = {
  ...{ name: 'k8s', uid: 'f0000000-0000-4000-8000-000000000001', domain: 'default-domain', owner: 'k8s', sharedProject: '' },
  ...{ podSubnets: [], serviceSubnets: [], ipFabricSubnets: [], ipFabricSnat: true },
};

describe('Sweeper', () => {
  let cache: ResourceCache;
  let held: Allocation[];
  let exists: Set<string>;
  let inSync: boolean;
  let removed: string[];
  let released: string[];
  let sweeper: Sweeper;

  beforeEach(() => {
    cache = new ResourceCache(cluster.uid);
    [held, removed, released] = [[], [], []];
    exists = new Set();
    inSync = true;
    for (const { uuid, fqName } of [podNetwork(cluster), serviceNetwork(cluster)]) {
      cache.upsert(toResource('virtual-network', { meta: { uuid, fqName: [...fqName], revision: 1n } }), 'watch');
    }
    sweeper = new Sweeper({
      cluster,
      cache,
      exists: (key) => exists.has(key),
      inSync: () => inSync,
      remove: (key) => removed.push(key),
      intervalMs: 1000,
      addresses: {
        list: async function* (network) {
          await Promise.resolve();
          if (network === podNetwork(cluster).uuid) yield* held;
        },
        release: (_network, owner) => Promise.resolve(void released.push(owner)),
      },
    });
  });

  const addPod = (name: string): void => {
    const annotations = { cluster_uid: cluster.uid, kind: 'Pod', namespace: 'blue', name };
    cache.upsert(toResource('virtual-machine', { meta: { uuid: uidOf('vm', '', name), fqName: [name], annotations, revision: 1n } }), 'watch');
  };
  const hold = (ownerUuid: string, description: string): void => {
    held.push({ subnetUuid: '', address: Buffer.from([10, 32, 0, 9]), ownerUuid, description, allocatedAtMs: 0n, reserved: false });
  };

  it('removes an orphan at the second look, not the first, and leaves what Kubernetes has', async () => {
    addPod('gone');
    addPod('here');
    exists.add('Pod/blue/here');
    await sweeper.sweep();
    expect(removed).toEqual([]);
    await sweeper.sweep();
    expect(removed).toEqual(['Pod/blue/gone']);
  });

  it('begins anew when Kubernetes has the object again in between', async () => {
    addPod('flaps');
    await sweeper.sweep();
    exists.add('Pod/blue/flaps');
    await sweeper.sweep();
    exists.clear();
    await sweeper.sweep();
    expect(removed).toEqual([]);
  });

  it('looks only while both sides are in sync, and forgets what it saw when they are not', async () => {
    addPod('gone');
    await sweeper.sweep();
    inSync = false;
    await sweeper.sweep();
    inSync = true;
    await sweeper.sweep();
    expect(removed).toEqual([]);
    await sweeper.sweep();
    expect(removed).toEqual(['Pod/blue/gone']);
  });

  it.each<[string, string, boolean]>([
    ['of a pod that is gone', 'Pod/blue/gone', true],
    ['of a service that is gone', 'Service/blue/gone', true],
    ['of a pod that is being made', 'Pod/blue/here', false],
    ['that somebody else asked for', 'InstanceIp/users-own', false],
    ['whose description was cut', `Pod/blue/${'x'.repeat(247)}`, false],
  ])('an address %s', async (_rule, description, goes) => {
    exists.add('Pod/blue/here');
    hold('owner-1', description);
    await sweeper.sweep();
    expect(released).toEqual([]);
    await sweeper.sweep();
    expect(released).toEqual(goes ? ['owner-1'] : []);
  });

  it('leaves an address whose object is stored', async () => {
    addPod('gone');
    hold(uidOf('vm', '', 'gone'), 'Pod/blue/gone');
    await sweeper.sweep();
    await sweeper.sweep();
    expect(released).toEqual([]);
  });
});
