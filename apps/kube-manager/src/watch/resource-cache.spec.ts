import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { metaOf, setMeta, toResource } from '@contrail/resource-model';
import { uidOf } from '../../testing/kube-makers';
import type { CacheChange } from './resource-cache';
import { ResourceCache } from './resource-cache';

const clusterUid = 'cluster-1';
const uuid = uidOf('vm', '', 'web-1');

function machine(revision: bigint, annotations: Record<string, string> = {}): Resource {
  const own = { cluster_uid: clusterUid, kind: 'Pod', namespace: 'blue', name: 'web-1', ...annotations };
  const resource = toResource('virtual-machine', { meta: { uuid, fqName: ['k8s__blue__web-1'], annotations: own } });
  return setMeta(resource, { ...metaOf(resource), revision });
}

describe('ResourceCache', () => {
  let cache: ResourceCache;
  let changes: CacheChange[];
  beforeEach(() => {
    cache = new ResourceCache(clusterUid);
    changes = [];
    cache.onChange((change) => changes.push(change));
  });
  const revision = (): bigint | undefined => {
    const found = cache.get(uuid);
    return found === undefined ? undefined : metaOf(found).revision;
  };
  const sources = (): string[] => changes.map(({ source, deleted }) => `${source}${deleted ? ' deleted' : ''}`);

  it('finds objects by uuid and by their root', () => {
    cache.upsert(machine(1n), 'watch');
    expect([...cache.ofRoot('Pod/blue/web-1').keys()]).toEqual([uuid]);
    expect([...cache.roots()]).toEqual(['Pod/blue/web-1']);
    cache.remove(uuid, 2n, 'watch');
    expect([...cache.roots()]).toEqual([]);
    expect(cache.size).toBe(0);
  });

  it.each([
    ['of another cluster', { cluster_uid: 'cluster-2' }],
    ['of a kind that we do not know', { kind: 'Gateway' }],
  ])('does not keep an object %s', (_rule, annotations) => {
    cache.upsert(machine(1n, annotations), 'watch');
    expect(cache.size).toBe(0);
  });

  it('keeps networks and projects of others, by name', () => {
    const fqName = ['default-domain', 'red', 'net'];
    cache.upsert(toResource('virtual-network', { meta: { uuid, fqName, revision: 1n } }), 'watch');
    expect(cache.findByName('virtual-network', fqName)).toBeDefined();
    expect([...cache.roots()]).toEqual([]);
  });

  it('never goes back to an older revision', () => {
    cache.upsert(machine(5n), 'own');
    cache.upsert(machine(4n), 'watch');
    expect(revision()).toBe(5n);
    cache.remove(uuid, 4n, 'watch');
    expect(revision()).toBe(5n);
  });

  it('takes the word of a snapshot, also when the store lost its content and counts from 0 again', () => {
    cache.upsert(machine(119n), 'watch');
    cache.setPosition(119n);
    cache.beginSnapshot();
    cache.remove(uuid, 0n, 'watch');
    expect(cache.has(uuid)).toBe(false);
    cache.setPosition(0n);
    cache.upsert(machine(1n), 'own');
    expect(revision()).toBe(1n);
  });

  it('a snapshot that says the same tells nobody', () => {
    cache.upsert(machine(5n), 'watch');
    cache.beginSnapshot();
    changes.length = 0;
    cache.upsert(machine(5n), 'watch');
    expect(changes).toEqual([]);
    expect(revision()).toBe(5n);
    cache.remove(uuid, 4n, 'watch');
    expect(cache.has(uuid)).toBe(true);
  });

  it('does not bring back what we deleted when the watch still tells of its past', () => {
    cache.upsert(machine(5n), 'own');
    cache.remove(uuid, 8n, 'own');
    cache.upsert(machine(5n), 'watch');
    expect(revision()).toBeUndefined();
    cache.remove(uuid, 8n, 'watch');
    cache.upsert(machine(9n), 'watch');
    expect(revision()).toBe(9n);
  });

  it('does not bring back what others deleted before our answer came', () => {
    cache.setPosition(11n);
    cache.upsert(machine(10n), 'own');
    expect(revision()).toBeUndefined();
  });

  describe('while we write', () => {
    it('takes our own echo for ours', () => {
      cache.beginWrite([uuid]);
      cache.upsert(machine(7n), 'watch');
      cache.upsert(machine(7n), 'own');
      cache.endWrite([uuid], new Map([[uuid, 7n]]));
      expect(sources()).toEqual(['own']);
    });

    it('tells of the change of somebody else that came in between', () => {
      cache.beginWrite([uuid]);
      cache.upsert(machine(7n), 'watch');
      cache.upsert(machine(8n), 'watch');
      cache.endWrite([uuid], new Map([[uuid, 7n]]));
      expect(sources()).toEqual(['own', 'own', 'watch']);
    });

    it('tells of the deletion by somebody else that came in between', () => {
      cache.beginWrite([uuid]);
      cache.upsert(machine(7n), 'watch');
      cache.remove(uuid, 8n, 'watch');
      cache.endWrite([uuid], new Map([[uuid, 7n]]));
      expect(sources()).toEqual(['own', 'own deleted', 'watch deleted']);
    });

    it('takes the echo of our deletion for ours', () => {
      cache.upsert(machine(1n), 'watch');
      cache.beginWrite([uuid]);
      cache.remove(uuid, 8n, 'watch');
      cache.remove(uuid, 8n, 'own');
      cache.endWrite([uuid], new Map());
      expect(sources()).toEqual(['watch', 'own deleted']);
    });

    it('tells of what came while our write was refused', () => {
      cache.upsert(machine(1n), 'watch');
      cache.beginWrite([uuid]);
      cache.upsert(machine(2n), 'watch');
      cache.endWrite([uuid], new Map());
      expect(sources()).toEqual(['watch', 'own', 'watch']);
    });
  });
});
