import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { apply, eventually, kubectl, kubectlJson, netexecPod, nodeAddresses, nodeExec, waitReady } from '../src/cluster';
import type { KubeObject } from '../src/cluster';
import { verifyCluster } from '../src/contrailctl';
import { expectNothingLeftOver, expectUnbroken } from '../src/expectations';
import { containersOf, killContainer, whileFrozen, withoutApiServer } from '../src/kill';
import type { ContainerState } from '../src/kill';
import { sized } from '../src/seeded';
import { startTraffic } from '../src/traffic';
import type { Traffic } from '../src/traffic';

/**
 * Faults 3, 18, 22 and 23 of the list in docs/testing.md: what our processes depend on is away, stands still, floods them
 * or is made anew. FAULT_STILL_SECONDS, FAULT_STORM_PODS and FAULT_PER_SECOND make it longer.
 */
const stillSeconds = sized('FAULT_STILL_SECONDS', 10);
const stormPods = sized('FAULT_STORM_PODS', 24);
const idleConnections = 200;

jest.setTimeout(600_000);

describe('faults around our processes', () => {
  let traffic: Traffic;
  let addresses = new Map<string, string>();

  beforeAll(async () => {
    traffic = await startTraffic(sized('FAULT_PER_SECOND', 50));
    addresses = await nodeAddresses();
  });
  afterAll(() => traffic.remove());

  const readiness = async (node: string): Promise<number> => (await fetch(`http://${addresses.get(node)}:9106/readyz`, { signal: AbortSignal.timeout(5000) })).status;
  /** The kubelet may wait for minutes before it starts a container that died again and again. */
  const agentIsReady = (node: string): Promise<true> =>
    eventually(`the agent of ${node} in sync`, async () => ((await readiness(node)) === 200 ? true : undefined), 240_000);
  const newPods = async (prefix: string, nodes: readonly string[]): Promise<string[]> => {
    const names = nodes.map((_, index) => `${prefix}-${index + 1}`);
    await apply(names.map((name, index) => netexecPod(name, traffic.namespace, { spec: { nodeName: nodes[index] } })));
    return names;
  };

  it('while the API server and the agents are away nothing changes; the agents come back without it', async () => {
    const agents = (await Promise.all(traffic.nodes.map((node) => containersOf('vrouter-agent', node)))).flat();
    await traffic.take();
    await withoutApiServer(async () => {
      for (const agent of agents) expect(await killContainer(agent)).toBeGreaterThan(0);
      await sleep(stillSeconds * 1000);
      for (const { node } of agents) await agentIsReady(node);
    });
    await waitReady(traffic.namespace, await newPods('after-api', traffic.nodes), 120);
    await expectUnbroken(traffic);
    await expectNothingLeftOver();
  });

  it(`${stormPods} pods while the watches of kube-manager are cut again and again`, async () => {
    const names = Array.from({ length: stormPods }, (_, index) => `storm-${index + 1}`);
    const podOf = (name: string): unknown => pausePod(name, { namespace: traffic.namespace, node: traffic.nodes[names.indexOf(name) % 2] ?? '' });
    const kubeManagers = await containersOf('kube-manager');
    let cuts = 0;
    let isOver = false;
    const cutting = (async () => {
      while (!isOver) {
        for (const container of kubeManagers) cuts += await cutWatches(container);
        await sleep(700);
      }
    })();
    try {
      await apply(names.map(podOf));
      // Some go and come again under their names while they start.
      const again = names.filter((_, index) => index % 4 === 0);
      await kubectl(['-n', traffic.namespace, 'delete', 'pods', ...again, '--grace-period=0', '--force']);
      await apply(again.map(podOf));
      await sleep(5000);
    } finally {
      isOver = true;
      await cutting;
    }
    expect(cuts).toBeGreaterThan(5);
    await waitReady(traffic.namespace, names, 240);
    await expectNothingLeftOver();
    await kubectl(['-n', traffic.namespace, 'delete', 'pods', ...names, '--wait=true', '--grace-period=0']);
    await expectNothingLeftOver();
    await expectUnbroken(traffic);
  });

  it('an agent that stands still holds nobody else up, and catches up', async () => {
    const [here, there] = traffic.nodes;
    let waiting: string[] = [];
    await whileFrozen(await containersOf('vrouter-agent', there), async () => {
      waiting = await newPods('at-frozen', [there]);
      await waitReady(traffic.namespace, await newPods('beside-frozen', [here]), 120);
      await sleep(stillSeconds * 1000);
    });
    await waitReady(traffic.namespace, waiting, 180);
    await expectUnbroken(traffic);
  });

  it('control that stands still stops no traffic and no agent; what was asked meanwhile is done', async () => {
    let waiting: string[] = [];
    await whileFrozen(await containersOf('control'), async () => {
      waiting = await newPods('without-control', traffic.nodes);
      await sleep(stillSeconds * 1000);
    });
    await waitReady(traffic.namespace, waiting, 240);
    await expectUnbroken(traffic);
    await expectNothingLeftOver();
  });

  it('hundreds of connections that never begin TLS keep no service from its clients', async () => {
    const host = addresses.get('control-plane') ?? '';
    const sockets: Socket[] = [];
    for (const port of [9001, 9002, 9003, 9006, 9011]) {
      for (let i = 0; i < idleConnections / 5; i += 1) sockets.push(connect({ host, port }).on('error', () => undefined));
    }
    try {
      await sleep(1000);
      expect(sockets.filter(({ readyState }) => readyState === 'open').length).toBeGreaterThan(idleConnections / 2);
      // New connections to config-api, ipam and every agent; a new one from an agent to control.
      expect((await verifyCluster()).notChecked).toEqual([]);
      const [agent] = await containersOf('vrouter-agent', traffic.nodes[0]);
      if (!agent) throw new Error('there is no agent');
      await kubectl(['-n', 'contrail', 'delete', 'pod', agent.pod, '--wait=true']);
      await agentIsReady(agent.node);
      await waitReady(traffic.namespace, await newPods('beside-idlers', traffic.nodes), 120);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
    await expectUnbroken(traffic);
  });

  it('a node that is deleted and made anew under its name is the same place with a new identity', async () => {
    const [node] = traffic.nodes;
    const before = await kubectlJson<KubeObject>(['get', 'node', node]);
    const { metadata, spec } = before;
    const fresh = { apiVersion: 'v1', kind: 'Node', metadata: { name: node, labels: metadata.labels, annotations: metadata.annotations }, spec };
    await kubectl(['delete', 'node', node, '--wait=true']);
    await kubectl(['create', '-f', '-'], JSON.stringify(fresh));
    await kubectl(['wait', '--for=condition=Ready', `node/${node}`, '--timeout=120s']);
    expect((await kubectlJson<KubeObject>(['get', 'node', node])).metadata.uid).not.toBe(metadata.uid);
    await kubectl(['-n', 'contrail', 'rollout', 'status', 'daemonset/vrouter-agent', '--timeout=110s']);
    await waitReady(traffic.namespace, await newPods('on-new-node', [node]), 180);
    await expectNothingLeftOver();
    await expectUnbroken(traffic);
  });
});

/** Breaks the connections of one container to the API server. @returns how many. */
async function cutWatches({ node, containerId }: ContainerState): Promise<number> {
  const script = `
    for file in $(grep -l ${containerId} /proc/[0-9]*/cgroup 2>/dev/null); do
      pid=\${file#/proc/}
      ss -tnpH dport = :6443 | grep "pid=\${pid%/cgroup}," | awk '{ print $4 }' | sed 's/.*://' | while read port; do
        ss -KtnH sport = ":$port" dport = :6443
      done
    done`;
  const { stdout } = await nodeExec(node, ['sh', '-c', script]);
  return stdout.split('\n').filter((line) => line.includes(':6443')).length;
}

function pausePod(name: string, { namespace, node }: { namespace: string; node: string }): unknown {
  return netexecPod(name, namespace, {
    container: { args: ['pause'], readinessProbe: null },
    spec: { nodeName: node, automountServiceAccountToken: false },
  });
}
