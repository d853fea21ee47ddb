import { eventually, kubectl, kubectlJson, nodeExec } from './cluster';

export interface ContainerState {
  readonly pod: string;
  readonly namespace: string;
  readonly node: string;
  readonly containerId: string;
  readonly restarts: number;
  readonly ready: boolean;
}

interface PodList {
  readonly items: ReadonlyArray<{
    readonly metadata: { readonly name: string; readonly namespace: string; readonly deletionTimestamp?: string };
    readonly spec: { readonly nodeName?: string };
    readonly status: { readonly containerStatuses?: ReadonlyArray<{ readonly containerID?: string; readonly restartCount: number; readonly ready: boolean }> };
  }>;
}

/** First containers of the pods of one of our apps; those that are being deleted are left out. */
export async function containersOf(app: string, node?: string): Promise<ContainerState[]> {
  const { items } = await kubectlJson<PodList>(['get', 'pods', '-A', '-l', `app.kubernetes.io/name=${app}`]);
  return items
    .filter(({ metadata, spec }) => metadata.deletionTimestamp === undefined && (node === undefined || spec.nodeName === node))
    .map(({ metadata, spec, status }) => {
      const container = status.containerStatuses?.[0];
      return {
        pod: metadata.name,
        namespace: metadata.namespace,
        node: spec.nodeName ?? '',
        containerId: container?.containerID?.replace(/^.*:\/\//, '') ?? '',
        restarts: container?.restartCount ?? 0,
        ready: container?.ready ?? false,
      };
    });
}

/** `kill -9` of every process of the container. @returns how many there were. */
export function killContainer(container: ContainerState): Promise<number> {
  return signalContainer(container, 'KILL');
}

/** Sends a signal to every process of the container; needs no API server. @returns how many there were. */
async function signalContainer({ node, containerId }: ContainerState, signal: 'KILL' | 'STOP' | 'CONT'): Promise<number> {
  if (containerId === '') throw new Error('the container has no id');
  const script = `for file in $(grep -l ${containerId} /proc/[0-9]*/cgroup 2>/dev/null); do pid=\${file#/proc/}; kill -${signal} \${pid%/cgroup} && echo done; done`;
  const { stdout } = await nodeExec(node, ['sh', '-c', script]);
  return stdout.split('\n').filter((line) => line === 'done').length;
}

/** Every process of the containers stands still while `meanwhile` runs: their connections stay open and nobody reads. */
export async function whileFrozen(containers: readonly ContainerState[], meanwhile: () => Promise<void>): Promise<void> {
  if (containers.length === 0) throw new Error('nothing to freeze');
  try {
    for (const container of containers) {
      if ((await signalContainer(container, 'STOP')) === 0) throw new Error(`no process of ${container.pod} was found`);
    }
    await meanwhile();
  } finally {
    for (const container of containers) await signalContainer(container, 'CONT');
  }
}

/**
 * The API server stands still while `meanwhile` runs: it is reached and does not answer, which is the worst way to be
 * away. Only commands that need no API server work then.
 */
export async function withoutApiServer(meanwhile: () => Promise<void>): Promise<void> {
  const signal = async (name: 'STOP' | 'CONT'): Promise<string> =>
    (await nodeExec('control-plane', ['sh', '-c', `${ownApiServer}; kill -${name} $pid && echo done`])).stdout.trim();
  try {
    if ((await signal('STOP')) !== 'done') throw new Error('the API server was not found');
    await meanwhile();
  } finally {
    await signal('CONT');
  }
  await eventually('the API server', () => kubectl(['get', '--raw', '/readyz']), 120_000);
}

/** Processes of other sandboxes are visible; this one's has the network namespace of the node. */
const ownApiServer =
  'for candidate in $(pgrep -x kube-apiserver); do [ "$(readlink /proc/$candidate/ns/net)" = "$(readlink /proc/self/ns/net)" ] && pid=$candidate; done';

/** Kills the app (on one node) and waits until it is ready again with a new process. */
export async function killAndRecover(app: string, node?: string): Promise<void> {
  const before = await containersOf(app, node);
  if (before.length === 0) throw new Error(`${app}: has no pod to kill`);
  for (const container of before) {
    if ((await killContainer(container)) === 0) throw new Error(`${app}: no process of ${container.pod} was found`);
  }
  const old = new Set(before.map(({ containerId }) => containerId));
  await eventually(
    `${app} ready again`,
    async () => {
      const now = await containersOf(app, node);
      return now.length === before.length && now.every(({ containerId, ready }) => ready && !old.has(containerId)) ? true : undefined;
    },
    180_000,
  );
}

const controlSide = ['deployment/config-api', 'deployment/ipam', 'deployment/control', 'deployment/kube-manager', 'statefulset/redis'] as const;

/** Kills config-api, ipam, control, kube-manager and Redis at once, and keeps them away while `meanwhile` runs. */
export async function withoutControlSide(meanwhile: () => Promise<void>): Promise<void> {
  const apps = controlSide.map((workload) => workload.replace(/.*\//, ''));
  const containers = (await Promise.all(apps.map((app) => containersOf(app)))).flat();
  const scale = (replicas: number): Promise<string> => kubectl(['-n', 'contrail', 'scale', `--replicas=${replicas}`, ...controlSide]);
  await Promise.all(containers.map((container) => killContainer(container)));
  try {
    await scale(0);
    await eventually('no pod of the control side', async () => ((await Promise.all(apps.map((app) => containersOf(app)))).flat().length === 0 ? true : undefined), 120_000);
    await meanwhile();
  } finally {
    await scale(1);
  }
  for (const workload of controlSide) await kubectl(['-n', 'contrail', 'rollout', 'status', workload, '--timeout=100s']);
}
