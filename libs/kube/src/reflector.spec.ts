import type { Pod } from 'kubernetes-types/core/v1';
import { FakeKubeApi } from '../testing/fake-kube-api';
import { KubeClient } from './kube-client';
import { kubeKinds } from './kube-kind';
import { Reflector } from './reflector';

interface SlimPod {
  readonly nodeName: string;
}

/** Everything that a reflector said, in order. */
interface Said {
  readonly lines: string[];
  readonly problems: string[];
  syncs: number;
}

const pod = (name: string, nodeName = 'node1'): Pod => ({
  metadata: { namespace: 'blue', name },
  spec: { containers: [], nodeName },
});

describe('Reflector', () => {
  let api: FakeKubeApi;
  let client: KubeClient;
  let reflector: Reflector<Pod, SlimPod>;
  let said: Said;

  beforeEach(async () => {
    api = await FakeKubeApi.start();
    client = new KubeClient(api.connection);
    said = { lines: [], problems: [], syncs: 0 };
    reflector = new Reflector<Pod, SlimPod>({
      client,
      kind: kubeKinds.pods,
      pageSize: 2,
      backoff: { firstMs: 1, maxMs: 5, factor: 2, jitter: 0 },
      project: (raw) => {
        const nodeName = raw.spec?.nodeName ?? '';
        return nodeName === 'ignored' ? undefined : { nodeName };
      },
      handlers: {
        upsert: (key, object, event, previous) =>
          said.lines.push(`${event} ${key} ${previous?.value.nodeName ?? '-'}>${object.value.nodeName}`),
        delete: (key, last, event) => said.lines.push(`${event} ${key} ${last.value.nodeName}>-`),
        synced: () => {
          said.syncs += 1;
        },
      },
      onProblem: (error) => said.problems.push(String(error)),
    });
  });

  afterEach(async () => {
    await reflector.stop();
    client.close();
    await api.stop();
  });

  const put = (name: string, nodeName?: string): void => {
    const known = api.find(kubeKinds.pods, { namespace: 'blue', name });
    const uid = known?.metadata?.uid;
    const fresh = pod(name, nodeName);
    api.put(kubeKinds.pods, uid === undefined ? fresh : { ...fresh, metadata: { ...fresh.metadata, uid } });
  };
  const until = async (condition: () => boolean): Promise<void> => {
    const giveUpAt = Date.now() + 5000;
    while (!condition()) {
      if (Date.now() > giveUpAt) throw new Error(`not reached; said: ${JSON.stringify(said)}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  const watching = (): Promise<void> =>
    until(() => api.watcherCount(kubeKinds.pods) === 1 && reflector.problem === undefined);
  const state = (): string[] => [...reflector.snapshot].map(([key, object]) => `${key}@${object.value.nodeName}`).sort();
  const urls = (part: string): string[] => api.requests.map((request) => request.url).filter((url) => url.includes(part));

  it('lists in pages, then follows the watch', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) put(name);
    expect(reflector.problem).toBe('pods: has not listed yet');
    reflector.start();
    await watching();
    expect(urls('limit=2')).toHaveLength(3);
    expect(said.lines).toHaveLength(5);
    expect(said.lines[0]).toBe('listed blue/a ->node1');
    expect(reflector.synced).toBe(true);
    expect(reflector.problem).toBeUndefined();
    put('a', 'node2');
    put('f');
    api.remove(kubeKinds.pods, { namespace: 'blue', name: 'b' });
    await until(() => said.lines.length === 8);
    expect(said.lines.slice(5)).toEqual(['modified blue/a node1>node2', 'added blue/f ->node1', 'deleted blue/b node1>-']);
    expect(state()).toEqual(['blue/a@node2', 'blue/c@node1', 'blue/d@node1', 'blue/e@node1', 'blue/f@node1']);
    expect(said.problems).toEqual([]);
  });

  it('resumes where it was when the watch ends, without listing again', async () => {
    put('a');
    reflector.start();
    await watching();
    put('b');
    await until(() => said.lines.length === 2);
    const version = api.find(kubeKinds.pods, { namespace: 'blue', name: 'b' })?.metadata?.resourceVersion;
    api.endWatches();
    put('c');
    await until(() => said.lines.length === 3);
    expect(urls('watch=true').at(-1)).toContain(`resourceVersion=${version}`);
    expect(said.syncs).toBe(1);
  });

  it('drops a line cut in the middle and resumes', async () => {
    put('a');
    reflector.start();
    await watching();
    api.cutWatches();
    put('b');
    await until(() => said.lines.length === 2);
    expect(said.lines).toEqual(['listed blue/a ->node1', 'added blue/b ->node1']);
    expect(said.syncs).toBe(1);
  });

  it('resumes from a bookmark', async () => {
    reflector.start();
    await watching();
    api.bookmark(kubeKinds.pods);
    // Without a version it moves nothing; it only shows that the bookmark before it was read.
    const marker = { metadata: { namespace: 'blue', name: 'marker' }, spec: { nodeName: 'node1' } };
    api.sendLine(kubeKinds.pods, JSON.stringify({ type: 'ADDED', object: marker }));
    await until(() => said.lines.length === 1);
    api.compact();
    api.endWatches();
    put('a');
    await until(() => said.lines.length === 2);
    expect(said.syncs).toBe(1);
  });

  it.each<[string, (fake: FakeKubeApi) => void]>([
    ['an ERROR event with 410', (fake) => fake.compact()],
    [
      'HTTP 410 for the watch',
      (fake) => {
        fake.faults.watchGone = true;
      },
    ],
  ])('lists again after %s, and finds what was deleted meanwhile', async (_cause, lose) => {
    for (const name of ['a', 'b', 'c']) put(name);
    reflector.start();
    await watching();
    api.endWatches();
    api.remove(kubeKinds.pods, { namespace: 'blue', name: 'b' });
    put('c', 'node3');
    lose(api);
    await until(() => said.syncs === 2);
    await watching();
    expect(state()).toEqual(['blue/a@node1', 'blue/c@node3']);
    expect(said.lines.slice(3).sort()).toEqual(['listed blue/b node1>-', 'listed blue/c node1>node3']);
  });

  it('survives a continue token that expires in the middle of a list', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) put(name);
    api.faults.expireContinue = true;
    reflector.start();
    await watching();
    expect(state()).toHaveLength(5);
    expect(said.problems.join()).toContain('410');
    expect(said.lines).toHaveLength(5);
    expect(api.requests.at(-2)?.url).not.toContain('limit');
  });

  it('lists again after a line that is not JSON', async () => {
    reflector.start();
    await watching();
    api.sendLine(kubeKinds.pods, '{"type":"ADDED","object":{{{');
    await until(() => said.syncs === 2);
    expect(said.problems.join()).toContain('not JSON');
    await watching();
    put('a');
    await until(() => state().length === 1);
  });

  it('keeps its state and says why while the API server fails, then goes on', async () => {
    put('a');
    reflector.start();
    await watching();
    api.faults.statuses = [503, 503, 500];
    api.endWatches();
    await until(() => said.problems.length >= 3);
    expect(state()).toEqual(['blue/a@node1']);
    await watching();
    await until(() => reflector.problem === undefined);
    expect(said.problems.join()).toContain('503');
    expect(said.syncs).toBe(1);
  });

  it('retries the first list until the server answers', async () => {
    put('a');
    api.faults.hangUps = 2;
    reflector.start();
    await until(() => said.problems.length === 2);
    await watching();
    expect(said.problems[0]).toContain('cannot be reached');
    expect(state()).toEqual(['blue/a@node1']);
  });

  it('treats an object that the projection drops as absent', async () => {
    put('a');
    put('x', 'ignored');
    reflector.start();
    await watching();
    put('a', 'ignored');
    put('x', 'node1');
    await until(() => said.lines.length === 3);
    expect(said.lines.slice(1)).toEqual(['modified blue/a node1>-', 'modified blue/x ->node1']);
  });

  it('does not hold the event loop during a long list', async () => {
    for (let n = 0; n < 3000; n += 1) put(`pod-${n}`);
    const wide = new Reflector<Pod, SlimPod>({
      client,
      kind: kubeKinds.pods,
      project: () => ({ nodeName: '' }),
      handlers: { upsert: () => undefined, delete: () => undefined, synced: () => undefined },
    });
    let turns = 0;
    const ticking = setInterval(() => (turns += 1), 1);
    wide.start();
    await until(() => wide.synced);
    clearInterval(ticking);
    await wide.stop();
    expect(wide.snapshot.size).toBe(3000);
    expect(turns).toBeGreaterThanOrEqual(3);
  });
});
