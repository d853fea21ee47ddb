import { agnhost, apply, kubectl, kubectlJson, temporaryNamespace } from '../src/cluster';
import type { KubeObject } from '../src/cluster';
import { annotationsOf } from '../src/matrix/expected-reach';
import type { Mode } from '../src/matrix/expected-reach';
import { MatrixWorld } from '../src/matrix/matrix-world';
import type { Target } from '../src/matrix/matrix-world';
import { isolationStatusOf, NamespaceWatch } from '../src/namespace-watch';
import { sized } from '../src/seeded';

const podCount = sized('SWITCH_PODS', 20);
const switches = sized('SWITCHES', 4);
/** The goal is a second on a machine that does nothing else; a busy one must not fail. */
const limitMs = sized('SWITCH_LIMIT_MS', 20_000);

jest.setTimeout(1_800_000);

describe(`a namespace with ${podCount} pods on two nodes`, () => {
  let world: MatrixWorld;
  let namespace: { name: string; remove: () => Promise<void> };
  let targets: Target[];
  let watch: NamespaceWatch;

  beforeAll(async () => {
    [world, namespace] = await Promise.all([MatrixWorld.make(['caller']), temporaryNamespace('many')]);
    const nodes = [...new Set(world.probers.map(({ node }) => node))];
    await apply(Array.from({ length: podCount }, (_, n) => idlePod(`idle-${n}`, namespace.name, nodes[n % nodes.length] ?? '')));
    await kubectl(['-n', namespace.name, 'wait', '--for=condition=Ready', '--timeout=900s', 'pods', '--all']);
    const { items } = await kubectlJson<{ items: KubeObject[] }>(['-n', namespace.name, 'get', 'pods']);
    targets = items.map(({ metadata, status }) => ({
      ...{ name: metadata.name, address: String(status?.['podIP'] ?? ''), answerers: [] },
      callee: { kind: 'pod', namespace: namespace.name },
    }));
    watch = new NamespaceWatch(namespace.name);
  });
  afterAll(async () => {
    watch.stop();
    await Promise.all([namespace.remove(), world.remove()]);
  });

  it('has its new state everywhere when isolation-status says so', async () => {
    const times: number[] = [];
    for (let n = 0; n < switches; n += 1) {
      const mode: Mode = n % 2 === 0 ? 'isolated' : 'open';
      times.push(await switchTo(mode));
      // Nobody listens there: a pod that is reached refuses, one that is not says nothing.
      const wanted = mode === 'open' ? '!ECONNREFUSED' : '!timeout';
      for (const prober of world.probers.filter(({ caller }) => caller.kind === 'pod')) {
        const answers = await world.probe(prober, targets);
        expect({ mode, prober: prober.name, wrong: answers.filter(({ tcp }) => tcp !== wanted) }).toEqual({ mode, prober: prober.name, wrong: [] });
      }
    }
    process.stderr.write(`switches of ${podCount} pods, from annotation to isolation-status: ${times.join(', ')} ms\n`);
    expect(Math.max(...times)).toBeLessThan(limitMs);
  });

  /** @returns milliseconds from the announcement of the annotation to that of the state. */
  async function switchTo(mode: Mode): Promise<number> {
    watch.forget();
    const patch = JSON.stringify({ metadata: { annotations: annotationsOf(mode) } });
    await kubectl(['patch', 'namespace', namespace.name, '--type=merge', '-p', patch]);
    const isAsked = mode === 'isolated';
    const [asked, done] = await Promise.all([
      watch.until((annotations) => (annotations['opencontrail.org/isolation'] === 'true') === isAsked),
      watch.until((annotations) => isolationStatusOf(annotations).state === (isAsked ? 'isolated' : 'not-isolated')),
    ]);
    return done - asked;
  }
});

function idlePod(name: string, namespace: string, nodeName: string): unknown {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: {
      nodeName,
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      tolerations: [{ operator: 'Exists' }],
      containers: [{ name: 'main', image: agnhost, imagePullPolicy: 'IfNotPresent', args: ['pause'] }],
    },
  };
}
