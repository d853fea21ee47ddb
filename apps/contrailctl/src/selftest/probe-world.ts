import type { DaemonSet } from 'kubernetes-types/apps/v1';
import type { Node, Pod } from 'kubernetes-types/core/v1';
import { ContrailError } from '@contrail/errors';
import { kubeKinds } from '@contrail/kube';
import type { KubeClient, KubeKind, KubeObject } from '@contrail/kube';
import { definitionName, definitionOf, namespaceKinds, namespaceName, namespaceOf, podOf, runLabel, serviceName, serviceOf } from './probe-pods';
import type { NamespaceKind, NetworkAttachmentDefinition, Prober } from './probe-pods';
import { waitFor } from './wait-for';

/** A prober that runs. */
export interface RunningProber extends Prober {
  readonly address: string;
}

export interface ProbeWorld {
  /** Ours, which every node has. */
  readonly image: string;
  readonly nodes: readonly string[];
  readonly probers: readonly RunningProber[];
  /** Cluster IP of the service of each namespace that has one. */
  readonly clusterIps: ReadonlyMap<string, string>;
  /** What this cluster does not have, for people. */
  readonly notTried: readonly string[];
}

const daemonSets: KubeKind<DaemonSet> = { apiVersion: 'apps/v1', kind: 'DaemonSet', plural: 'daemonsets', namespaced: true };
const definitions: KubeKind<NetworkAttachmentDefinition> = {
  apiVersion: 'k8s.cni.cncf.io/v1',
  kind: 'NetworkAttachmentDefinition',
  plural: 'network-attachment-definitions',
  namespaced: true,
};
const agent = { namespace: 'contrail', name: 'vrouter-agent' };
const readyMs = 180_000;
const removeMs = 120_000;
/** What a run left that ended without cleaning up. */
const leftoverMs = 15 * 60_000;
const isolationStatusKey = 'opencontrail.org/isolation-status';
const controlPlaneLabel = 'node-role.kubernetes.io/control-plane';

interface WorldOptions {
  readonly kubernetes: KubeClient;
  readonly run: string;
  readonly nodeCount: number;
  readonly signal: AbortSignal;
  /** Name of the VirtualNetwork that a NetworkAttachmentDefinition made; undefined: not yet. */
  findNetwork(namespace: string, definition: string): Promise<string | undefined>;
}

/** Namespaces of each kind with a pod on each of the nodes and a service over them; returns when all of it is ready. */
export async function createWorld(options: WorldOptions): Promise<ProbeWorld> {
  const { kubernetes, run, nodeCount, signal } = options;
  const { nodes: known, image } = await findImage(kubernetes);
  const nodes = chooseNodes(known, nodeCount);
  for (const kind of namespaceKinds) await kubernetes.create(kubeKinds.namespaces, namespaceOf(run, kind), { signal });
  const network = await createNetwork(options);
  const kinds = namespaceKinds.filter((kind) => kind !== 'custom' || network !== undefined);
  const probers = kinds.flatMap((kind) => nodes.map((node, i): Prober => ({ namespace: namespaceName(run, kind), name: `probe-${i}`, node, kind })));
  const kindsWithService = kinds.filter((kind) => kind !== 'host');
  for (const kind of kindsWithService) await kubernetes.create(kubeKinds.services, serviceOf(namespaceName(run, kind)), { signal });
  // A pod is refused until its namespace has a ServiceAccount.
  const created = probers.map((prober) => {
    const pod = podOf(prober, image, prober.kind === 'custom' ? (network ?? '') : '');
    return waitFor(`${podText(prober)} is created`, () => createPod(kubernetes, pod, signal), { timeoutMs: readyMs, signal });
  });
  await Promise.all(created);
  const ready = probers.map(async (prober) => ({ ...prober, address: await readyAddress(kubernetes, prober, signal) }));
  const isolated = (['isolated', 'lifted'] as const).map((kind) => waitUntilIsolated(kubernetes, namespaceName(run, kind), kind, signal));
  const services = kindsWithService.map(async (kind) => {
    const service = await kubernetes.get(kubeKinds.services, { namespace: namespaceName(run, kind), name: serviceName }, { signal });
    return [namespaceName(run, kind), service.spec?.clusterIP ?? ''] as const;
  });
  const [running, clusterIps] = await Promise.all([Promise.all(ready), Promise.all(services), Promise.all(isolated)]);
  const notTried = network === undefined ? ['custom networks: the cluster has no NetworkAttachmentDefinitions'] : [];
  return { image, nodes, probers: running, clusterIps: new Map(clusterIps), notTried };
}

/** @returns the name of the VirtualNetwork; undefined in a cluster without NetworkAttachmentDefinitions. */
async function createNetwork({ kubernetes, run, signal, findNetwork }: WorldOptions): Promise<string | undefined> {
  const namespace = namespaceName(run, 'custom');
  try {
    await kubernetes.create(definitions, definitionOf(namespace), { signal });
  } catch (error) {
    if (error instanceof ContrailError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
  const what = `NetworkAttachmentDefinition/${namespace}/${definitionName} has a network (see its events)`;
  return await waitFor(what, () => findNetwork(namespace, definitionName), { timeoutMs: readyMs, signal });
}

/** Deletes what a run made, whatever of it exists. @param waits until it is gone. */
export async function removeWorld(kubernetes: KubeClient, run: string, waits: boolean): Promise<void> {
  await Promise.all(namespaceKinds.map((kind) => kubernetes.delete(kubeKinds.namespaces, { name: namespaceName(run, kind) })));
  if (!waits) return;
  const left = async (): Promise<true | undefined> => ((await listRuns(kubernetes, `${runLabel}=${run}`)).length === 0 ? true : undefined);
  await waitFor('namespaces of the selftest are deleted', left, { timeoutMs: removeMs, signal: undefined });
}

/** @returns names of namespaces that an earlier run left behind; they are being deleted. */
export async function removeLeftovers(kubernetes: KubeClient, now: number): Promise<string[]> {
  const old = (await listRuns(kubernetes, runLabel)).filter(({ metadata }) => now - Date.parse(String(metadata?.creationTimestamp ?? '')) > leftoverMs);
  const names = old.flatMap(({ metadata }) => metadata?.name ?? []);
  await Promise.all(names.map((name) => kubernetes.delete(kubeKinds.namespaces, { name })));
  return names;
}

async function listRuns(kubernetes: KubeClient, labelSelector: string): Promise<readonly KubeObject[]> {
  return (await kubernetes.list(kubeKinds.namespaces, { labelSelector })).items;
}

async function findImage(kubernetes: KubeClient): Promise<{ image: string; nodes: readonly Node[] }> {
  const daemonSet = await kubernetes.get(daemonSets, agent);
  const image = daemonSet.spec?.template.spec?.containers[0]?.image ?? '';
  return { image, nodes: (await kubernetes.list(kubeKinds.nodes)).items };
}

/** Ready ones, workers first. */
function chooseNodes(nodes: readonly Node[], count: number): string[] {
  const ready = nodes.filter(({ spec, status }) => spec?.unschedulable !== true && (status?.conditions ?? []).some(({ type, status: is }) => type === 'Ready' && is === 'True'));
  const rank = ({ metadata }: Node): number => Number(metadata?.labels?.[controlPlaneLabel] !== undefined);
  const names = [...ready].sort((a, b) => rank(a) - rank(b) || ((a.metadata?.name ?? '') < (b.metadata?.name ?? '') ? -1 : 1)).flatMap(({ metadata }) => metadata?.name ?? []);
  if (names.length === 0) throw new ContrailError('FAILED_PRECONDITION', 'selftest: no node is Ready; see kubectl get nodes');
  return names.slice(0, count);
}

async function createPod(kubernetes: KubeClient, pod: Pod, signal: AbortSignal): Promise<true> {
  try {
    await kubernetes.create(kubeKinds.pods, pod, { signal });
  } catch (error) {
    if (!(error instanceof ContrailError) || error.code !== 'ALREADY_EXISTS') throw error;
  }
  return true;
}

async function readyAddress(kubernetes: KubeClient, prober: Prober, signal: AbortSignal): Promise<string> {
  const probe = async (): Promise<string | undefined> => {
    const { status } = await kubernetes.get(kubeKinds.pods, prober, { signal });
    const isReady = (status?.conditions ?? []).some(({ type, status: is }) => type === 'Ready' && is === 'True');
    if (isReady && status?.podIP !== undefined) return status.podIP;
    throw new ContrailError('UNAVAILABLE', `phase ${status?.phase ?? 'unknown'}; see kubectl -n ${prober.namespace} describe pod ${prober.name}`);
  };
  return await waitFor(`${podText(prober)} is ready`, probe, { timeoutMs: readyMs, signal });
}

async function waitUntilIsolated(kubernetes: KubeClient, name: string, kind: NamespaceKind, signal: AbortSignal): Promise<void> {
  const services = kind === 'lifted' ? 'open' : 'isolated';
  const probe = async (): Promise<true | undefined> => {
    const { metadata } = await kubernetes.get(kubeKinds.namespaces, { name }, { signal });
    const text = metadata?.annotations?.[isolationStatusKey] ?? '{}';
    const status = JSON.parse(text) as { state?: string; services?: string };
    if (status.state === 'isolated' && status.services === services) return true;
    throw new ContrailError('UNAVAILABLE', `${isolationStatusKey} is ${text}`);
  };
  await waitFor(`namespace ${name} is isolated on every node`, probe, { timeoutMs: readyMs, signal });
}

export function podText({ namespace, name, node }: Prober): string {
  return `pod ${namespace}/${name} on node ${node}`;
}
