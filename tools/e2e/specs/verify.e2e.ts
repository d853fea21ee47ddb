import { apply, eventually, kubectlJson, netexecPod, nodeAddresses, nodeExec, podExec, podIp, temporaryNamespace, waitReady } from '../src/cluster';
import { contrailctl, verifyCluster } from '../src/contrailctl';

interface Event {
  readonly reason: string;
  readonly message: string;
  readonly involvedObject: { readonly kind: string; readonly name: string };
}

describe('contrailctl verify', () => {
  let ns = { name: '', remove: () => Promise.resolve() };
  let node = '';
  let device = '';

  beforeAll(async () => {
    ns = await temporaryNamespace('verify');
    node = [...(await nodeAddresses()).keys()].find((name) => name !== 'control-plane') ?? 'control-plane';
    await apply([netexecPod('subject', ns.name, { spec: { nodeName: node } }), netexecPod('asker', ns.name)]);
    await waitReady(ns.name, ['subject', 'asker'], 120);
    const address = (await nodeAddresses()).get(node) ?? '';
    const vifs = JSON.parse((await contrailctl(['-o', 'json', '--node', address, 'vif'])).stdout) as Array<{ podNamespace: string; podName: string; device: string }>;
    device = vifs.find(({ podNamespace, podName }) => podNamespace === ns.name && podName === 'subject')?.device ?? '';
  });
  afterAll(() => ns.remove());

  const quiet = (): Promise<unknown> =>
    eventually('no drift', async () => {
      const report = await verifyCluster();
      if (report.status !== 0) throw new Error(JSON.stringify([...report.notChecked, ...report.drifts.slice(0, 5)]));
      return report;
    }, 90_000);

  const reaches = async (): Promise<boolean> =>
    (await podExec(ns.name, 'asker', ['curl', '-s', '--max-time', '3', `http://${await podIp(ns.name, 'subject')}:8080/hostname`])).stdout === 'subject';

  const mendedEvent = async (about: string): Promise<Event | undefined> => {
    const { items } = await kubectlJson<{ items: Event[] }>(['-n', 'default', 'get', 'events']);
    return items.find(({ reason, message, involvedObject }) => reason === 'VRouterDriftMended' && involvedObject.name === node && message.includes(about));
  };

  it('finds nothing on a cluster that runs, and has looked at all of it', async () => {
    await quiet();
    const { checked, notChecked } = await verifyCluster();
    expect(notChecked).toEqual([]);
    expect(Object.keys(checked)).toEqual(expect.arrayContaining(['map', 'program', 'pin', 'device', 'route', 'interface', 'attachment', 'globals', 'object']));
    expect(checked['interface']).toBeGreaterThanOrEqual(2);
  });

  it('names what somebody broke on a node, mends it on demand, and traffic flows again', async () => {
    expect(device).not.toBe('');
    await nodeExec(node, ['ip', 'link', 'set', device, 'mtu', '1300']);
    await nodeExec(node, ['tc', 'filter', 'del', 'dev', device, 'ingress']);
    const repaired = await verifyCluster('--repair');
    expect(repaired.status).toBe(0);
    const found = repaired.drifts.map(({ node: where, kind, mended }) => `${where} ${kind} ${mended}`);
    expect(found).toContain(`${node} interface true`);
    // The program is back before anybody asks: its loss is dropped traffic, and the kernel tells it.
    await eventually('the event', () => mendedEvent('pod at ifindex'), 30_000);
    await quiet();
    expect(await reaches()).toBe(true);
  });

  it('the agent mends by itself, too, and says so in an event of the Node', async () => {
    await nodeExec(node, ['ip', 'link', 'del', 'vxlan-contrail']);
    await eventually('the event', () => mendedEvent('vxlan-contrail'), 120_000);
    await quiet();
    await eventually('traffic', async () => ((await reaches()) ? true : undefined));
    const metrics = async (): Promise<string> => (await fetch(`http://${(await nodeAddresses()).get(node)}:9106/metrics`)).text();
    expect(await metrics()).toMatch(/contrail_vrouter_agent_drift_mended_total\{kind="device"\} [1-9]/);
    await eventually('a comparison that finds nothing left', async () => {
      return /contrail_vrouter_agent_drift_left\{kind="device"\} 0/.test(await metrics()) ? true : undefined;
    }, 120_000);
  });

  it('says what it could not check, with exit status 2', async () => {
    const { status, stdout } = await contrailctl(['--config-api', '127.0.0.1:1', '-o', 'json', 'verify']);
    expect(status).toBe(2);
    expect((JSON.parse(stdout) as { notChecked: string[] }).notChecked.join()).toContain('nodes:');
  });
});
