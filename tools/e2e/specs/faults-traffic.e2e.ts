import { setTimeout as sleep } from 'node:timers/promises';
import { apply, eventually, kubectl, netexecPod, nodeAddresses, nodeExec, waitReady } from '../src/cluster';
import { expectNothingLeftOver, expectUnbroken } from '../src/expectations';
import { containersOf, killAndRecover, killContainer, withoutControlSide } from '../src/kill';
import { sized } from '../src/seeded';
import { startTraffic } from '../src/traffic';
import type { Traffic } from '../src/traffic';

/**
 * Faults 1 to 4 of the list in docs/testing.md: what runs goes on while our processes die, and new connections to
 * what exists succeed. FAULT_PER_SECOND, FAULT_AWAY_SECONDS and FAULT_ROUNDS make it longer.
 */
const perSecond = sized('FAULT_PER_SECOND', 50);
const awaySeconds = sized('FAULT_AWAY_SECONDS', 10);
const rounds = sized('FAULT_ROUNDS', 1);
const recoveryMs = 180_000;

jest.setTimeout(420_000);

describe('traffic under faults', () => {
  let traffic: Traffic;
  let pods = 0;

  beforeAll(async () => {
    traffic = await startTraffic(perSecond);
  });
  afterAll(() => traffic.remove());

  /** Creates a pod without waiting; it must become ready when the fault is over. */
  const newPod = async (node: string): Promise<string> => {
    const name = `late-${(pods += 1)}`;
    await apply([netexecPod(name, traffic.namespace, { spec: { nodeName: node } })]);
    return name;
  };

  it('the probe sees a break: the nodes cannot reach each other for a moment', async () => {
    await traffic.take();
    const [here, there] = traffic.nodes;
    const address = (await nodeAddresses()).get(there) ?? '';
    const blackhole = (verb: string): Promise<unknown> => nodeExec(here, ['ip', 'route', verb, 'blackhole', `${address}/32`]);
    await blackhole('add');
    await sleep(14_000);
    await blackhole('del');
    const { failures } = await traffic.take();
    expect(failures.some(({ kind, target }) => kind === 'stream' && target === 'other-node')).toBe(true);
    expect(failures.some(({ kind, target }) => kind === 'new' && target === 'other-node')).toBe(true);
    expect(failures.filter(({ target }) => target === 'same-node')).toEqual([]);
    expect(failures.every(({ at }) => !Number.isNaN(Date.parse(at)))).toBe(true);
    await traffic.take();
    await expectUnbroken(traffic);
  });

  describe.each(Array.from({ length: rounds }, (_, i) => i + 1))('round %i', () => {
    it.each(['control', 'config-api', 'ipam', 'kube-manager', 'redis'])('kill -9 of %s: it comes back, and a pod made meanwhile becomes ready', async (app) => {
      const name = await newPod(traffic.nodes[0]);
      await killAndRecover(app);
      await waitReady(traffic.namespace, [name], recoveryMs / 1000);
    });

    it.each([0, 1] as const)("kill -9 of the agent of node %i, the client's first", async (index) => {
      const node = traffic.nodes[index];
      await killAndRecover('vrouter-agent', node);
      const name = await newPod(node);
      await waitReady(traffic.namespace, [name], recoveryMs / 1000);
    });

    it('none of these deaths broke a connection or refused a new one', () => expectUnbroken(traffic));

    it('restart of every agent, one after another', async () => {
      await kubectl(['-n', 'contrail', 'rollout', 'restart', 'daemonset/vrouter-agent']);
      await kubectl(['-n', 'contrail', 'rollout', 'status', 'daemonset/vrouter-agent', '--timeout=110s']);
      await expectUnbroken(traffic);
    });

    it('the whole control side is away; an agent dies meanwhile', async () => {
      let name = '';
      await withoutControlSide(async () => {
        name = await newPod(traffic.nodes[0]);
        await killAgentOf(traffic.nodes[1]);
        await sleep(awaySeconds * 1000);
      });
      await waitReady(traffic.namespace, [name], recoveryMs / 1000);
      await expectUnbroken(traffic);
    });

    it('afterwards nothing is left over', () => expectNothingLeftOver());
  });
});

/** An agent that cannot reach control is not ready, but it runs. */
async function killAgentOf(node: string): Promise<void> {
  const [agent] = await containersOf('vrouter-agent', node);
  if (!agent) throw new Error(`${node} has no agent`);
  expect(await killContainer(agent)).toBeGreaterThan(0);
  const isNew = ({ containerId }: { containerId: string }): boolean => containerId !== '' && containerId !== agent.containerId;
  await eventually('a new agent', async () => ((await containersOf('vrouter-agent', node)).some(isNew) ? true : undefined), 60_000);
}
