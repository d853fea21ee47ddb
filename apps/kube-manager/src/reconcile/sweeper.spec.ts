import { toResource } from '@contrail/resource-model';
import { uidOf } from '../../testing/kube-makers';
import { ResourceCache } from '../watch/resource-cache';
import { Sweeper } from './sweeper';

const clusterUid = 'f0000000-0000-4000-8000-000000000001';

describe('Sweeper', () => {
  let cache: ResourceCache;
  let exists: Set<string>;
  let inSync: boolean;
  let removed: string[];
  let sweeper: Sweeper;

  beforeEach(() => {
    cache = new ResourceCache(clusterUid);
    removed = [];
    exists = new Set();
    inSync = true;
    sweeper = new Sweeper({
      cache,
      exists: (key) => exists.has(key),
      inSync: () => inSync,
      remove: (key) => removed.push(key),
      intervalMs: 1000,
    });
  });

  const addPod = (name: string): void => {
    const annotations = { cluster_uid: clusterUid, kind: 'Pod', namespace: 'blue', name };
    cache.upsert(toResource('virtual-machine', { meta: { uuid: uidOf('vm', '', name), fqName: [name], annotations, revision: 1n } }), 'watch');
  };

  it('removes an orphan at the second look, not the first, and leaves what Kubernetes has', () => {
    addPod('gone');
    addPod('here');
    exists.add('Pod/blue/here');
    sweeper.sweep();
    expect(removed).toEqual([]);
    sweeper.sweep();
    expect(removed).toEqual(['Pod/blue/gone']);
  });

  it('begins anew when Kubernetes has the object again in between', () => {
    addPod('flaps');
    sweeper.sweep();
    exists.add('Pod/blue/flaps');
    sweeper.sweep();
    exists.clear();
    sweeper.sweep();
    expect(removed).toEqual([]);
  });

  it('looks only while both sides are in sync, and forgets what it saw when they are not', () => {
    addPod('gone');
    sweeper.sweep();
    inSync = false;
    sweeper.sweep();
    inSync = true;
    sweeper.sweep();
    expect(removed).toEqual([]);
    sweeper.sweep();
    expect(removed).toEqual(['Pod/blue/gone']);
  });
});
