import { apply, eventually, kubectl, kubectlJson, netexecPod, nodeAddresses, nodeExec } from '../src/cluster';
import type { KubeObject } from '../src/cluster';
import { contrailctl } from '../src/contrailctl';
import { MatrixWorld } from '../src/matrix/matrix-world';
import type { Prober, Target } from '../src/matrix/matrix-world';
import { setMode } from '../src/matrix/set-mode';

jest.setTimeout(900_000);

/** A selftest makes pods and tries some ways twice. */
const selftestMs = 600_000;
const atOnce = 4;

interface Reached {
  readonly reachable: boolean;
  readonly answers: ReadonlyArray<{ readonly reason: string; readonly grants: readonly string[]; readonly backends: ReadonlyArray<{ readonly name: string; readonly used: boolean }> }>;
}

async function reach(from: string, to: string, port: string): Promise<Reached> {
  const { status, stdout, stderr } = await contrailctl(['-o', 'json', 'reach', from, to, port]);
  if (status > 1) throw new Error(`reach ${from} ${to} ${port}: ${stderr}`);
  const result = JSON.parse(stdout) as Reached;
  expect(status).toBe(result.reachable ? 0 : 1);
  return result;
}

describe('contrailctl reach', () => {
  let world: MatrixWorld;
  beforeAll(async () => {
    world = await MatrixWorld.make(['reach-open', 'reach-isolated', 'reach-lifted']);
    const [, isolated = '', lifted = ''] = world.namespaces;
    await Promise.all([setMode(isolated, 'isolated'), setMode(lifted, 'lifted')]);
  });
  afterAll(() => world.remove());

  const podName = ({ namespace, node }: Prober): string => `pod/${namespace}/probe-${node}`;
  const senderWord = (prober: Prober): string => (prober.caller.kind === 'node' ? `node/${prober.node}` : podName(prober));
  const targetWord = ({ name, callee }: Target): string => {
    if (callee.kind === 'service') return `svc/${callee.namespace}/probe`;
    const prober = world.probers.find((candidate) => candidate.name === name);
    if (prober === undefined) throw new Error(`no prober ${name}`);
    return senderWord(prober);
  };

  it('agrees with every connection of pods in open, isolated and lifted namespaces and of nodes', async () => {
    const [node] = world.probers.map((prober) => prober.node);
    const senders = world.probers.filter((prober) => prober.node === node);
    const found = new Map(await Promise.all(senders.map(async (prober) => [prober, await world.probe(prober, world.targets)] as const)));
    const questions = senders.flatMap((prober) => world.targets.map((target) => ({ prober, target })));
    const wrong: string[] = [];
    const work = async (): Promise<void> => {
      for (let next = questions.shift(); next; next = questions.shift()) {
        const { prober, target } = next;
        const said = await reach(senderWord(prober), targetWord(target), '7100/tcp');
        const answer = found.get(prober)?.find(({ name }) => name === target.name)?.tcp;
        const isAnswered = answer?.startsWith('!') === false;
        if (isAnswered !== said.reachable) wrong.push(`${prober.name} -> ${target.name}: reach says ${said.reachable} (${said.answers[0]?.reason}), found ${answer}`);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    expect(wrong).toEqual([]);
  });

  it('names the isolation that forbids, and what would open it', async () => {
    const [open = '', isolated = ''] = world.namespaces;
    const node = world.probers[0]?.node ?? '';
    const said = await reach(`${open}/probe-${node}`, `${isolated}/probe-${node}`, '7100');
    expect(said.answers[0]?.reason).toContain(`namespace ${isolated} is isolated`);
    expect(said.answers[0]?.grants.join()).toContain(`kubectl annotate namespace ${isolated} opencontrail.org/isolation-`);
  });

  it('says over which backends a service is hashed', async () => {
    const [open = ''] = world.namespaces;
    const node = world.probers[0]?.node ?? '';
    const said = await reach(`${open}/probe-${node}`, `svc/${open}/probe`, '7100');
    expect(said.answers[0]?.backends.filter(({ used }) => used)).toHaveLength(2);
  });

  it('takes a pod on the host network for its node, and a pod that completed for none', async () => {
    const [open = ''] = world.namespaces;
    const host = world.probers.find(({ caller }) => caller.kind === 'node');
    if (host === undefined) throw new Error('no prober on the host network');
    const { stdout } = await contrailctl(['reach', podName(host), `node/${host.node}`]);
    expect(stdout).toContain(`Note: pod ${host.namespace}/probe-${host.node} is on the host network: it is node ${host.node}`);
    await apply([netexecPod('done', open, { spec: { restartPolicy: 'Never' }, container: { args: ['help'], readinessProbe: undefined } })]);
    await kubectl(['-n', open, 'wait', '--for=jsonpath={.status.phase}=Succeeded', '--timeout=120s', 'pod/done']);
    const completed = await eventually('a completed pod is out of the network', async () => {
      const result = await contrailctl(['reach', `${open}/done`, `node/${host.node}`]);
      return result.status === 2 ? result : undefined;
    });
    expect(completed.stderr).toContain(`Pod/${open}/done: completed (Succeeded) and has left the network`);
  });
});

interface Tested {
  readonly tried: number;
  readonly open: number;
  readonly differences: ReadonlyArray<{ readonly from: string; readonly to: string; readonly traffic: string; readonly found: string }>;
}

async function selftestNamespaces(): Promise<string[]> {
  const { items } = await kubectlJson<{ items: KubeObject[] }>(['get', 'namespaces', '-l', 'contrail.opencontrail.org/selftest']);
  return items.map(({ metadata }) => metadata.name);
}

describe('contrailctl selftest', () => {
  const selftest = async (): Promise<Tested & { status: number }> => {
    const { status, stdout, stderr } = await contrailctl(['-o', 'json', 'selftest'], { timeoutMs: selftestMs });
    if (!stdout.startsWith('{')) throw new Error(`selftest: ${stderr}`);
    return { ...(JSON.parse(stdout) as Tested), status };
  };

  it('finds no difference on a cluster that works, and leaves nothing', async () => {
    const { status, tried, open, differences } = await selftest();
    expect({ status, differences }).toEqual({ status: 0, differences: [] });
    // 10 pods dial 10 pods and 4 services over TCP and UDP, the pods by ICMP, too, and what everybody needs.
    expect(tried).toBeGreaterThanOrEqual(10 * (14 * 2 + 10));
    expect(open).toBeGreaterThan(0);
    expect(open).toBeLessThan(tried);
    expect(await selftestNamespaces()).toEqual([]);
  });

  it('names the pairs that a broken node keeps apart, with exit status 1', async () => {
    const node = [...(await nodeAddresses()).keys()].find((name) => name !== 'control-plane') ?? '';
    const nft = async (text: string): Promise<void> => {
      const result = await nodeExec(node, ['nft', '-f', '-'], text);
      if (result.status !== 0) throw new Error(result.stderr);
    };
    await nft('table inet selftest_e2e {\n chain input {\n  type filter hook input priority -10\n  udp dport 4789 drop\n }\n}\n');
    try {
      const { status, differences } = await selftest();
      expect(status).toBe(1);
      const pairs = differences.map(({ from, to }) => `${from} -> ${to}`);
      expect(pairs).toEqual(expect.arrayContaining([expect.stringMatching(new RegExp(`-open/probe-1 on node \\S+ -> pod .*-open/probe-0 on node ${node}$`))]));
      expect(differences.every(({ found }) => found.startsWith('no answer'))).toBe(true);
      // What stays on one node works.
      expect(pairs.filter((pair) => pair.split(`on node ${node}`).length === 3 && !pair.includes('-host/'))).toEqual([]);
    } finally {
      await nft('delete table inet selftest_e2e\n');
    }
  });

  it('cleans up when it is interrupted', async () => {
    const interrupt = new AbortController();
    const running = contrailctl(['selftest'], { timeoutMs: selftestMs, interrupt: interrupt.signal });
    await eventually('it began', async () => ((await selftestNamespaces()).length > 0 ? true : undefined), 120_000);
    interrupt.abort();
    const { status, stderr } = await running;
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining('contrailctl: ') as string });
    await eventually('its namespaces are gone', async () => ((await selftestNamespaces()).length === 0 ? true : undefined), 180_000);
  });
});
