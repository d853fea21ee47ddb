import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import type { NodePlan } from './address-plan';
import { daemonGroup, readHierarchies, trackingHierarchy } from './cgroups';
import { SandboxFailure } from './failure';
import { claimMountPoints } from './mount-points';
import { isAlive } from './processes';
import { waitUntil } from './progress';
import type { Sandbox } from './sandbox';

/**
 * Folders that every node has to itself, at the paths that the same DaemonSet uses on all nodes.
 */
const privateFolders = [
  '/etc/cni/net.d',
  '/opt/cni/bin',
  '/run/containerd',
  '/run/contrail',
  '/run/netns',
  '/var/lib/cni',
  '/var/lib/containerd',
  '/var/lib/contrail',
  '/var/lib/kubelet',
  '/var/log/containers',
  '/var/log/pods',
] as const;

const readyTimeoutMs = 10_000;

/** The process that keeps a node's mount and UTS namespaces. */
export function holderOf(node: NodePlan): string {
  return `${node.name}/holder`;
}

/** The node's own version of one of its private folders, as the machine sees it. */
export function nodeFolder(
  sandbox: Sandbox,
  node: NodePlan,
  target: (typeof privateFolders)[number],
): string {
  return target === '/var/lib/containerd'
    ? sandbox.containerdRoot(node)
    : sandbox.nodeFile(node, 'root', target);
}

/**
 * Gives a node a mount namespace and a host name of its own, kept by a holder process. All that is
 * mounted there, by us or by containerd, kubelet and agents, vanishes with the node's last process.
 */
export async function createNodeNamespace(sandbox: Sandbox, node: NodePlan): Promise<void> {
  for (const target of privateFolders)
    await mkdir(nodeFolder(sandbox, node, target), { recursive: true });
  await claimMountPoints(sandbox.settings, privateFolders);
  const script = sandbox.nodeFile(node, 'holder.sh');
  const ready = sandbox.nodeFile(node, 'ready');
  await rm(ready, { force: true });
  await mkdir(sandbox.nodeFile(node, 'sys'), { recursive: true });
  await writeFile(script, holderScript(sandbox, node, ready));
  const record = await sandbox.processes.launch({
    component: holderOf(node),
    group: await nodeGroup(node),
    command: [
      ...['nsenter', `--net=/run/netns/${node.netns}`],
      ...['unshare', '--mount', '--uts', '--propagation', 'private', 'sh', '-eu', script],
    ],
  });
  const isReady = async (): Promise<boolean> => {
    if (!(await isAlive(record))) throw new Error('ended');
    return (await readFile(ready, 'utf8')) === 'ready\n';
  };
  if (!(await waitUntil(isReady, readyTimeoutMs, 20))) {
    const log = await readFile(sandbox.processes.logFile(holderOf(node)), 'utf8');
    throw new SandboxFailure(`${node.name}: its mount namespace was not made: ${log.trim()}`);
  }
}

/** The words that run what follows them on a node: its network, mounts and host name. */
export async function enterNode(sandbox: Sandbox, node: NodePlan): Promise<string[]> {
  const holder = await sandbox.processes.find(holderOf(node));
  if (holder === undefined || !(await isAlive(holder))) {
    throw new SandboxFailure(
      `${node.name}: does not run; repair it with "sandbox --name ${sandbox.record.name} up"`,
    );
  }
  return ['nsenter', `--target=${holder.pid}`, '--net', '--mount', '--uts'];
}

/** The cgroup that a node's daemons join. */
export async function nodeGroup(node: NodePlan): Promise<string> {
  return daemonGroup(trackingHierarchy(await readHierarchies()), node.cgroup);
}

/**
 * - /run/netns first: copies of the machine's namespace mounts would keep deleted namespaces alive.
 * - /sys anew: it shows the interfaces of the network namespace that mounted it. The machine's
 *   cgroups stay below it.
 * - rshared last: pods with mount propagation are refused on a private tree.
 */
function holderScript(sandbox: Sandbox, node: NodePlan, ready: string): string {
  const sys = sandbox.nodeFile(node, 'sys');
  const binds = privateFolders.map(
    (target) => `mount --bind '${nodeFolder(sandbox, node, target)}' '${target}'`,
  );
  return [
    'umount -R -l /run/netns 2>/dev/null || true',
    `hostname '${node.name}'`,
    `mount -t sysfs sysfs '${sys}'`,
    `mount --rbind /sys/fs/cgroup '${sys}/fs/cgroup'`,
    `mount -t bpf bpf '${sys}/fs/bpf'`,
    'for kind in debug tracing; do',
    '  mountpoint -q /sys/kernel/$kind || continue',
    `  mount --rbind /sys/kernel/$kind '${sys}'/kernel/$kind`,
    'done',
    `mount --rbind '${sys}' /sys`,
    ...binds,
    'mount --make-rshared /',
    `echo ready > '${ready}.new'`,
    `mv '${ready}.new' '${ready}'`,
    'exec sleep infinity',
    '',
  ].join('\n');
}

/** Where a node's CNI configuration and plugins are, as the machine sees them. */
export function cniFolders(
  sandbox: Sandbox,
  node: NodePlan,
): { readonly config: string; readonly plugins: string } {
  return {
    config: path.resolve(nodeFolder(sandbox, node, '/etc/cni/net.d')),
    plugins: path.resolve(nodeFolder(sandbox, node, '/opt/cni/bin')),
  };
}
