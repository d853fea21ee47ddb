import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import * as path from 'node:path';
import type { NodePlan } from './address-plan';
import { SandboxFailure } from './failure';
import { enterNode, holderOf, nodeGroup } from './node-namespace';
import { waitUntil } from './progress';
import { run } from './run';
import type { Sandbox } from './sandbox';
import { pauseTag } from './test-images';

const socket = '/run/containerd/containerd.sock';
const readyTimeoutMs = 30_000;

/** Paths of containerd's folders as its own process sees them. */
export interface ContainerdFolders {
  readonly root: string;
  readonly state: string;
  readonly socket: string;
}

/**
 * The configuration of one containerd.
 *
 * @param withKubernetes false for the one that only imports images into the cache.
 */
export function containerdConfig(folders: ContainerdFolders, withKubernetes: boolean): string {
  const unused = ['blockfile', 'btrfs', 'devmapper', 'erofs', 'native', 'zfs'].map(
    (name) => `io.containerd.snapshotter.v1.${name}`,
  );
  const kubernetes = [
    'io.containerd.grpc.v1.cri',
    'io.containerd.cri.v1.images',
    'io.containerd.cri.v1.runtime',
  ];
  const disabled = [...unused, 'io.containerd.nri.v1.nri', ...(withKubernetes ? [] : kubernetes)];
  const base = `version = 3
root = "${folders.root}"
state = "${folders.state}"
disabled_plugins = [${disabled.map((name) => `"${name}"`).join(', ')}]
[grpc]
  address = "${folders.socket}"
[ttrpc]
  address = "${folders.socket}.ttrpc"
`;
  if (!withKubernetes) return base;
  // restrict_oom_score_adj: root may lack CAP_SYS_RESOURCE and then cannot lower a score.
  // use_internal_loopback: no network has to bring the loopback plugin.
  return `${base}
[plugins.'io.containerd.cri.v1.images']
  snapshotter = "overlayfs"
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "${pauseTag}"
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
  disable_apparmor = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ["/opt/cni/bin"]
  conf_dir = "/etc/cni/net.d"
  use_internal_loopback = true
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
  SystemdCgroup = false
[plugins.'io.containerd.grpc.v1.cri']
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
`;
}

/**
 * The search path of containerd and of what it starts: its own programs first, runc from the
 * machine.
 */
export function containerdEnvironment(binaries: string): NodeJS.ProcessEnv {
  return { PATH: `${binaries}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin` };
}

/** Starts a node's containerd and waits until it answers. */
export async function startContainerd(
  sandbox: Sandbox,
  node: NodePlan,
  binaries: string,
): Promise<void> {
  const config = sandbox.nodeFile(node, 'containerd.toml');
  const folders = { root: '/var/lib/containerd', state: '/run/containerd', socket };
  await mkdir(path.dirname(config), { recursive: true });
  await writeFile(config, containerdConfig(folders, true));
  await sandbox.processes.launch({
    component: `${node.name}/containerd`,
    group: await nodeGroup(node),
    command: [
      ...(await enterNode(sandbox, node)),
      path.join(binaries, 'containerd'),
      '--config',
      config,
    ],
    environment: containerdEnvironment(binaries),
  });
  // Its socket lies in the node's mount namespace.
  const holder = await sandbox.processes.find(holderOf(node));
  const seenFromHere = `/proc/${holder?.pid ?? 0}/root${socket}`;
  if (!(await waitUntil(() => accepts(seenFromHere), readyTimeoutMs, 50))) {
    const log = await readFile(sandbox.processes.logFile(`${node.name}/containerd`), 'utf8');
    throw new SandboxFailure(`${node.name}: containerd does not answer: ${log.slice(-2000)}`);
  }
}

/** Whether somebody listens; containerd does so when all its plugins are there. */
function accepts(file: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(file, () => {
      connection.destroy();
      resolve(true);
    });
    connection.on('error', () => {
      resolve(false);
    });
  });
}

/** Imports a docker-archive into a running node. */
export async function importIntoNode(
  sandbox: Sandbox,
  node: NodePlan,
  binaries: string,
  file: string,
): Promise<void> {
  await run(
    ...(await ctr(sandbox, node, binaries, ['-n', 'k8s.io', 'images', 'import', '--local', file])),
  );
}

async function ctr(
  sandbox: Sandbox,
  node: NodePlan,
  binaries: string,
  args: readonly string[],
): Promise<[string, string[]]> {
  const [program = 'nsenter', ...rest] = await enterNode(sandbox, node);
  return [program, [...rest, path.join(binaries, 'ctr'), '--address', socket, ...args]];
}
