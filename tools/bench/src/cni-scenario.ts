import { setTimeout as sleep } from 'node:timers/promises';
import { AgentNode } from './cni/agent-node';
import type { AgentNodeOptions } from './cni/agent-node';
import { BridgeNode } from './cni/bridge-node';
import { runCni } from './cni/cni-run';
import type { Attachment, Runner } from './cni/cni-run';
import { residentBytes } from './process-usage';
import type { Scenario, ScenarioContext } from './scenario';
import { quantile } from './statistics';
import { markdownTable } from './table';

/** What a container runtime waits for, and what an agent weighs. */
export const cniScenario: Scenario = {
  name: 'cni',
  title: 'CNI ADD, and the memory of an agent',
  run: runCniScenario,
};

interface PluginNode {
  readonly runner: Runner;
  freshPods(from: number, count: number): Attachment[];
}

/** Times of ADD, in milliseconds. */
interface AddTimes {
  readonly single: number[];
  readonly burst: number[];
}

const burstSize = 50;

/** Control knows `local` pods on the node, with and without interface, and the routes of `remote` pods elsewhere. */
function aloneWith(local: number, remote: number): AgentNodeOptions {
  return { name: 'node1', address: '192.0.2.1', control: 'fake-control', controlArguments: [local, remote] };
}

async function measureAdds(node: PluginNode, rounds: number, signal: AbortSignal): Promise<AddTimes> {
  const times: AddTimes = { single: [], burst: [] };
  // The first ADD makes the bridge, or warms the agent's code up.
  await runCni(node.runner, 'ADD', node.freshPods(1, 5), 1);
  for (let round = 0; round < rounds; round += 1) {
    signal.throwIfAborted();
    const first = 6 + round * 2 * burstSize;
    const singles = node.freshPods(first, burstSize);
    times.single.push(...(await runCni(node.runner, 'ADD', singles, 1)));
    await runCni(node.runner, 'DEL', singles, 1);
    const together = node.freshPods(first + burstSize, burstSize);
    times.burst.push(...(await runCni(node.runner, 'ADD', together, burstSize)));
    await runCni(node.runner, 'DEL', together, 1);
    // Devices go in the background.
    await sleep(2000);
  }
  return times;
}

function addRows(name: string, { single, burst }: AddTimes, goals: readonly [string, string]): string[][] {
  const ms = (values: readonly number[], q: number): string => quantile(values, q).toFixed(1);
  const row = (what: string, values: readonly number[], goal: string): string[] => [
    `${name}, ${what}`,
    ms(values, 0.5),
    ms(values, 0.99),
    goal,
    String(values.length),
  ];
  return [row('one at a time', single, goals[0]), row(`${burstSize} at once`, burst, goals[1])];
}

async function runCniScenario({ programs, quick, rounds, progress, signal }: ScenarioContext): Promise<string> {
  const count = rounds ?? (quick ? 1 : 4);
  progress(`ADD with the agent, ${count} rounds`);
  const node = await AgentNode.start(programs, aloneWith(5 + 2 * burstSize * count, 0));
  let agent: AddTimes;
  try {
    agent = await measureAdds(node, count, signal);
  } finally {
    await node.stop();
  }
  progress('ADD with bridge and portmap');
  const bridge = new BridgeNode(programs, programs.sandboxGroup('cni'));
  let rival: AddTimes;
  try {
    rival = await measureAdds(bridge, Math.min(count, 1), signal);
  } finally {
    bridge.stop();
  }
  const times = markdownTable(
    ['ADD in fresh namespaces, objects present', 'p50 ms', 'p99 ms', 'goal', 'attachments'],
    [
      ...addRows('agent', agent, ['p50 8 ms', 'p50 60 ms, p99 200 ms']),
      ...addRows('bridge and portmap', rival, ['', '']),
    ],
  );
  return `${times}\n\n${await measureMemory({ programs, progress, signal })}`;
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

/** What an agent holds when nothing has happened for a while. */
async function settledBytes(pid: number): Promise<number> {
  await sleep(5000);
  return residentBytes(pid);
}

async function measureMemory({ programs, progress, signal }: Pick<ScenarioContext, 'programs' | 'progress' | 'signal'>): Promise<string> {
  const remotePods = 20_000;
  const rows: string[][] = [];
  let base = 0;
  for (const [local, remote] of [[100, 0], [100, remotePods]] as const) {
    signal.throwIfAborted();
    progress(`memory with ${local} local and ${remote} remote pods`);
    const node = await AgentNode.start(programs, aloneWith(local, remote));
    try {
      await runCni(node.runner, 'ADD', node.freshPods(1, local), 4);
      const bytes = await settledBytes(node.agentPid);
      if (remote === 0) base = bytes;
      const growth = remote === 0 ? '' : `${((bytes - base) / remote / 1000).toFixed(2)} kB`;
      rows.push([`${local} pods here, ${remote.toLocaleString('en')} elsewhere`, `${megabytes(bytes)} MB`, growth]);
    } finally {
      await node.stop();
    }
  }
  return markdownTable(['agent (goal: 120 MB with 100 pods, 15 kB a pod of the cluster)', 'resident', 'for each pod elsewhere'], rows);
}
