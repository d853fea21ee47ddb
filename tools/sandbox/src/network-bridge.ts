import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { podSubnet, type NodePlan } from './address-plan';
import { kubeconfigOf } from './cluster-pki';
import { applyObjects } from './control-plane';
import { coreDnsObjects } from './coredns-objects';
import { SandboxFailure } from './failure';
import { ensureGroup } from './go-build';
import { listNodes } from './kubernetes-client';
import { cniFolders, enterNode, nodeGroup } from './node-namespace';
import { waitUntil } from './progress';
import type { Sandbox } from './sandbox';
import { batch } from './underlay';

const cidrTimeoutMs = 30_000;

/**
 * The network that ours is compared with: the bridge plugin on each node, static routes between the
 * nodes, kube-proxy, CoreDNS.
 */
export async function startBridgeNetwork(
  sandbox: Sandbox,
  binaries: { readonly kubernetes: string; readonly cni: string },
): Promise<void> {
  const podCidrs = await readPodCidrs(sandbox);
  const proxy = await ensureGroup(sandbox.settings, 'kube-proxy');
  for (const node of sandbox.plan.nodes) {
    const routes = sandbox.plan.nodes
      .filter((other) => other !== node)
      .map((other) => `route replace ${podCidrs.get(other.name) ?? ''} via ${other.address}`);
    await batch(node.netns, routes);
    await startKubeProxy(sandbox, node, proxy);
    await installPlugins(sandbox, node, binaries.cni, podCidrs.get(node.name) ?? '');
  }
  await applyObjects(sandbox, binaries.kubernetes, coreDnsObjects());
}

async function readPodCidrs(sandbox: Sandbox): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const isComplete = async (): Promise<boolean> => {
    for (const { metadata, spec } of await listNodes(sandbox)) {
      if (spec.podCIDR !== undefined) found.set(metadata.name, spec.podCIDR);
    }
    return sandbox.plan.nodes.every((node) => found.has(node.name));
  };
  if (!(await waitUntil(isComplete, cidrTimeoutMs, 300))) {
    throw new SandboxFailure('kube-controller-manager: gave no podCIDR to some nodes; see its log');
  }
  return found;
}

async function installPlugins(
  sandbox: Sandbox,
  node: NodePlan,
  plugins: string,
  podCidr: string,
): Promise<void> {
  const folders = cniFolders(sandbox, node);
  for (const plugin of ['bridge', 'host-local', 'loopback', 'portmap']) {
    await copyFile(path.join(plugins, plugin), path.join(folders.plugins, plugin));
  }
  const list = {
    cniVersion: '1.0.0',
    name: 'sandbox',
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isGateway: true,
        ipMasq: false,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          ranges: [[{ subnet: podCidr }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      {
        type: 'portmap',
        backend: sandbox.record.network === 'bridge' ? 'nftables' : 'iptables',
        capabilities: { portMappings: true },
      },
    ],
  };
  // Written in place: containerd ignores the creation of a file but sees a write.
  await writeFile(
    path.join(folders.config, '10-sandbox.conflist'),
    JSON.stringify(list, undefined, 2),
  );
}

async function startKubeProxy(sandbox: Sandbox, node: NodePlan, binaries: string): Promise<void> {
  const config = sandbox.nodeFile(node, 'kube-proxy.json');
  await mkdir(path.dirname(config), { recursive: true });
  const content = {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: sandbox.record.network === 'bridge' ? 'nftables' : 'iptables',
    clientConnection: { kubeconfig: kubeconfigOf(sandbox, 'kube-proxy'), qps: 100, burst: 200 },
    clusterCIDR: podSubnet,
    hostnameOverride: node.name,
    oomScoreAdj: 0,
    // Not writable from a network namespace.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  };
  await writeFile(config, JSON.stringify(content, undefined, 2));
  await sandbox.processes.launch({
    component: `${node.name}/kube-proxy`,
    group: await nodeGroup(node),
    command: [
      ...(await enterNode(sandbox, node)),
      path.join(binaries, 'kube-proxy'),
      `--config=${config}`,
    ],
  });
}
