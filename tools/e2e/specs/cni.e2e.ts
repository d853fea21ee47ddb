import { apply, eventually, kubectl, kubectlJson, netexecPod, nodeExec, podExec, podIp, temporaryNamespace, waitReady } from '../src/cluster';
import type { CommandResult } from '../src/cluster';

const PLUGIN = '/opt/cni/bin/contrail-cni';
const conf = (extra: Record<string, unknown> = {}): string => JSON.stringify({ cniVersion: '1.1.0', name: 'contrail', type: 'contrail-cni', ...extra });

/** Runs the installed plugin on node1 as a runtime would. */
function plugin(command: string, env: Record<string, string>, stdin: string): Promise<CommandResult> {
  const variables = Object.entries({ CNI_COMMAND: command, CNI_PATH: '/opt/cni/bin', ...env }).map(([name, value]) => `${name}=${value}`);
  return nodeExec('node1', ['env', ...variables, PLUGIN], stdin);
}

describe('CNI plugin on the node', () => {
  it('VERSION lists 1.1.0', async () => {
    const got = await plugin('VERSION', {}, conf());
    expect(JSON.parse(got.stdout)).toMatchObject({ supportedVersions: expect.arrayContaining(['1.0.0', '1.1.0']) as unknown });
  });

  it('STATUS succeeds while the agent serves', async () => {
    expect(await plugin('STATUS', {}, conf())).toMatchObject({ status: 0 });
  });

  it.each([
    ['broken JSON', '{"cniVersion":', {}, 6],
    ['no container id', conf(), { CNI_CONTAINERID: '' }, 4],
    ['an interface name that is too long', conf(), { CNI_IFNAME: 'x'.repeat(20) }, 4],
    ['a version of the future', conf({ cniVersion: '9.0.0' }), {}, 1],
  ])('ADD with %s answers an error object with its code', async (_what, stdin, env, code) => {
    const got = await plugin('ADD', { CNI_CONTAINERID: 'abc', CNI_IFNAME: 'eth0', CNI_NETNS: '/run/netns/none', CNI_ARGS: 'K8S_POD_NAMESPACE=default;K8S_POD_NAME=x;K8S_POD_UID=00000000-0000-4000-8000-000000000000', ...env }, stdin);
    expect(got.status).not.toBe(0);
    expect(JSON.parse(got.stdout)).toMatchObject({ code, msg: expect.stringMatching(/.+/) as unknown });
  });

  it('DEL, CHECK and GC of what is not there', async () => {
    const env = { CNI_CONTAINERID: 'feedbeef', CNI_IFNAME: 'eth0', CNI_NETNS: '/run/netns/gone', CNI_ARGS: '' };
    expect(await plugin('DEL', env, conf())).toMatchObject({ status: 0 });
    expect(await plugin('DEL', env, conf())).toMatchObject({ status: 0 });
    expect((await plugin('CHECK', env, conf({ prevResult: { cniVersion: '1.1.0', interfaces: [], ips: [] } }))).status).not.toBe(0);
  });

  it('a repeated ADD of a running pod answers an error and changes nothing', async () => {
    const ns = await temporaryNamespace('cni');
    await apply([netexecPod('attached', ns.name, { spec: { nodeName: 'node1' } })]);
    await waitReady(ns.name, ['attached']);
    const files = (await nodeExec('node1', ['sh', '-c', `grep -l ${ns.name} /var/lib/contrail/agent/attachments/*`])).stdout.trim();
    const attachment = JSON.parse((await nodeExec('node1', ['cat', files])).stdout) as { containerId: string; ifname: string; netns: string; hostInterface: string };
    const device = async (): Promise<string> => (await nodeExec('node1', ['ip', '-o', 'link', 'show', attachment.hostInterface])).stdout;
    const before = await device();
    expect(before).toContain(attachment.hostInterface);
    const env = { CNI_CONTAINERID: attachment.containerId, CNI_IFNAME: attachment.ifname, CNI_NETNS: attachment.netns, CNI_ARGS: 'K8S_POD_NAMESPACE=x;K8S_POD_NAME=y;K8S_POD_UID=00000000-0000-4000-8000-000000000000' };
    const got = await plugin('ADD', env, conf());
    expect(got.status).not.toBe(0);
    expect((JSON.parse(got.stdout) as { msg: string }).msg).toMatch(/already/);
    expect(await device()).toBe(before);
    await ns.remove();
  });

  it('cnitool attaches an interface named by its uuid, checks it and takes it away', async () => {
    const ns = await temporaryNamespace('cnitool');
    // The kubelet waits for the ConfigMap before it makes a sandbox; the interface exists from scheduling on.
    const volume = { name: 'never', configMap: { name: 'does-not-exist' } };
    await apply([
      netexecPod('peer', ns.name),
      netexecPod('waiting', ns.name, { spec: { nodeName: 'node1', volumes: [volume] }, container: { volumeMounts: [{ name: 'never', mountPath: '/never' }] } }),
    ]);
    await waitReady(ns.name, ['peer']);
    const agent = (await kubectl(['-n', 'contrail', 'get', 'pods', '-l', 'app.kubernetes.io/name=vrouter-agent', '--field-selector', 'spec.nodeName=node1', '-o', 'jsonpath={.items[0].metadata.name}'])).trim();
    const vmi = await eventually('interface of the waiting pod', async () => {
      const vifs = JSON.parse((await podExec('contrail', agent, ['contrailctl', 'vif', '-o', 'json'])).stdout) as Array<{ podNamespace: string; podName: string; uuid: string }>;
      return vifs.find((vif) => vif.podNamespace === ns.name && vif.podName === 'waiting')?.uuid;
    });
    const netns = `/run/netns/${ns.name}`;
    const cnitool = (command: string): Promise<CommandResult> =>
      nodeExec('node1', ['env', 'CNI_PATH=/opt/cni/bin', 'NETCONFPATH=/etc/cni/net.d', `CNI_ARGS=CONTRAIL_VMI=${vmi}`, 'cnitool', command, 'contrail', netns]);
    await nodeExec('node1', ['ip', 'netns', 'add', ns.name]);
    try {
      expect(await cnitool('status')).toMatchObject({ status: 0 });
      const added = await cnitool('add');
      expect(added).toMatchObject({ status: 0 });
      const result = JSON.parse(added.stdout) as { ips: Array<{ address: string }> };
      const inside = (command: string[]): Promise<CommandResult> => nodeExec('node1', ['ip', 'netns', 'exec', ns.name, ...command]);
      expect((await inside(['ip', '-o', 'address', 'show', 'eth0'])).stdout).toContain(result.ips[0]?.address.replace(/\/.*/, '') ?? 'no address');
      expect((await inside(['curl', '-s', '--max-time', '5', `http://${await podIp(ns.name, 'peer')}:8080/hostname`])).stdout).toBe('peer');
      expect(await cnitool('check')).toMatchObject({ status: 0 });
      expect(await cnitool('del')).toMatchObject({ status: 0 });
      expect((await inside(['ip', 'link', 'show', 'eth0'])).status).not.toBe(0);
      expect(await cnitool('del')).toMatchObject({ status: 0 });
    } finally {
      await cnitool('del');
      await nodeExec('node1', ['ip', 'netns', 'delete', ns.name]);
      await ns.remove();
    }
  });

  it('leaves no other CNI plugin and no kube-proxy on the node', async () => {
    expect((await nodeExec('node1', ['ls', '/etc/cni/net.d'])).stdout.trim()).toBe('10-contrail.conflist');
    const daemonSets = await kubectlJson<{ items: Array<{ metadata: { name: string } }> }>(['get', 'daemonsets', '-A']);
    expect(daemonSets.items.map((item) => item.metadata.name)).not.toContain('kube-proxy');
    expect(await kubectl(['get', 'nodes', '-o', 'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}'])).toMatch(/^True( True)*$/);
  });
});
