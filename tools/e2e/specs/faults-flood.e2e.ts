import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { apply, netexecPod, nodeAddresses, podExec, podIp, sandbox, waitReady } from '../src/cluster';
import { contrailctl } from '../src/contrailctl';
import { expectNothingLeftOver, expectUnbroken } from '../src/expectations';
import { scriptPod } from '../src/script-pod';
import { sized } from '../src/seeded';
import { startTraffic } from '../src/traffic';
import type { Traffic } from '../src/traffic';

/** Fault 10 of the list in docs/testing.md: a pod floods with SYNs; FAULT_FLOOD_SECONDS and FAULT_PER_SECOND make it longer. */
const floodSeconds = sized('FAULT_FLOOD_SECONDS', 15);
const synsPerSecond = 10_000;
const reason = 'flow-quota-of-interface';
const program = '/syn-flood';

jest.setTimeout(600_000);

interface Vif {
  readonly podNamespace: string;
  readonly podName: string;
  readonly flows: number;
  readonly maxFlows: number;
}

describe('a SYN flood from one pod', () => {
  let traffic: Traffic;
  let node = '';

  const read = async <T>(table: string): Promise<T[]> => JSON.parse((await contrailctl(['-o', 'json', '--node', node, table])).stdout) as T[];
  const flooder = async (): Promise<Vif> => {
    const found = (await read<Vif>('vif')).find(({ podNamespace, podName }) => podNamespace === traffic.namespace && podName === 'flooder');
    if (!found) throw new Error('the flooder has no interface');
    return found;
  };
  const refused = async (): Promise<number> => {
    const drops = await read<{ reasonName: string; packets: string | number }>('drop');
    return drops.filter(({ reasonName }) => reasonName === reason).reduce((sum, { packets }) => sum + Number(packets), 0);
  };

  beforeAll(async () => {
    traffic = await startTraffic(sized('FAULT_PER_SECOND', 50));
    const [client] = traffic.nodes;
    node = (await nodeAddresses()).get(client) ?? '';
    await apply([
      await scriptPod('flooder', traffic.namespace, { node: client, capabilities: ['NET_RAW'] }),
      netexecPod('victim', traffic.namespace, { spec: { nodeName: client } }),
    ]);
    await waitReady(traffic.namespace, ['flooder', 'victim']);
    const encoded = readFileSync(compileFlood()).toString('base64');
    const load = `let text = ''; process.stdin.on('data', (part) => (text += part)).on('end', () => fs.writeFileSync('${program}', Buffer.from(text, 'base64'), { mode: 0o755 }))`;
    const loaded = await sandbox(['kubectl', '-n', traffic.namespace, 'exec', '-i', 'flooder', '--', 'node', '-e', load], { input: encoded });
    expect({ status: loaded.status, said: loaded.stderr }).toEqual({ status: 0, said: '' });
  });
  afterAll(() => traffic.remove());

  it('is refused at its own quota and counted; old and new connections of all others, in its own network and on its node, go on', async () => {
    await traffic.take();
    const before = await refused();
    const addresses = await Promise.all(['flooder', 'victim'].map((pod) => podIp(traffic.namespace, pod)));
    const flood = podExec(traffic.namespace, 'flooder', [program, ...addresses, String(synsPerSecond), String(floodSeconds)]);
    let most = 0;
    let isOver = false;
    const watched = (async () => {
      while (!isOver) most = Math.max(most, (await flooder()).flows);
    })();
    const { stdout, stderr } = await flood;
    isOver = true;
    await watched;
    const sent = Number(stdout);
    expect({ said: stderr, sentEnough: sent > 40_000 }).toEqual({ said: '', sentEnough: true });
    const { maxFlows } = await flooder();
    expect(maxFlows).toBeGreaterThan(0);
    expect(most).toBeGreaterThan(maxFlows / 2);
    expect(most).toBeLessThanOrEqual(maxFlows);
    expect((await refused()) - before).toBeGreaterThan(1000);
    await expectUnbroken(traffic);
  });

  it('leaves the flooder itself usable when it is over', async () => {
    const url = `http://${await podIp(traffic.namespace, 'victim')}:8080/hostname`;
    const script = `fetch(${JSON.stringify(url)}).then((answer) => answer.text()).then(console.log)`;
    // Its records go when their time is over: ten seconds after the victim's reset.
    await new Promise((resolve) => setTimeout(resolve, 15_000));
    expect((await podExec(traffic.namespace, 'flooder', ['node', '-e', script])).stdout.trim()).toBe('victim');
    await expectNothingLeftOver();
  });
});

function compileFlood(): string {
  const root = path.resolve(__dirname, '../../..');
  const folder = path.join(root, 'build/e2e');
  const output = path.join(folder, 'syn-flood');
  mkdirSync(folder, { recursive: true });
  execFileSync('gcc', ['-std=gnu11', '-O2', '-static', '-s', '-Wall', '-Wextra', '-Werror', '-o', output, path.join(root, 'tools/e2e/src/syn-flood.c')]);
  return output;
}
