import { getFromApi } from './api-client';
import type { Sandbox } from './sandbox';

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

interface Metadata {
  readonly name: string;
  readonly namespace?: string;
}

export interface KubeNode {
  readonly metadata: Metadata;
  readonly spec: { readonly podCIDR?: string };
  readonly status: { readonly conditions?: readonly Condition[] };
}

interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly terminated?: { readonly reason?: string; readonly exitCode?: number };
  };
}

export interface KubePod {
  readonly metadata: Metadata;
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly phase?: string;
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

/**
 * A Deployment, StatefulSet or DaemonSet: the fields that tell whether all of it is there in its
 * newest version.
 */
export interface Workload {
  readonly kind: string;
  readonly metadata: Metadata & { readonly generation?: number };
  readonly spec: { readonly replicas?: number };
  readonly status: {
    readonly observedGeneration?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
    readonly replicas?: number;
    readonly desiredNumberScheduled?: number;
    readonly updatedNumberScheduled?: number;
    readonly numberAvailable?: number;
  };
}

/** Lists objects of one resource. The caller names the type that belongs to the path. */
async function list<T>(sandbox: Sandbox, path: string): Promise<T[]> {
  return (JSON.parse(await getFromApi(sandbox, path)) as { items: T[] }).items;
}

export function listNodes(sandbox: Sandbox): Promise<KubeNode[]> {
  return list<KubeNode>(sandbox, '/api/v1/nodes');
}

export function listPods(sandbox: Sandbox): Promise<KubePod[]> {
  return list<KubePod>(sandbox, '/api/v1/pods');
}

export async function listWorkloads(sandbox: Sandbox): Promise<Workload[]> {
  const kinds = ['Deployment', 'DaemonSet', 'StatefulSet'];
  const lists = await Promise.all(
    kinds.map(async (kind) => {
      const path = `/apis/apps/v1/${kind.toLowerCase()}s`;
      const found = await list<Omit<Workload, 'kind'>>(sandbox, path);
      // In a list the objects do not say what they are.
      return found.map((workload): Workload => ({ ...workload, kind }));
    }),
  );
  return lists.flat();
}

export function isReady(object: {
  readonly status: { readonly conditions?: readonly Condition[] };
}): boolean {
  return object.status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') === true;
}

/** True when every replica exists in the newest version and is available. */
export function isAvailable(workload: Workload): boolean {
  const { status } = workload;
  if ((status.observedGeneration ?? 0) < (workload.metadata.generation ?? 0)) return false;
  if (workload.kind === 'DaemonSet') {
    const wanted = status.desiredNumberScheduled ?? 0;
    return (
      (status.updatedNumberScheduled ?? 0) >= wanted && (status.numberAvailable ?? 0) >= wanted
    );
  }
  const wanted = workload.spec.replicas ?? 1;
  const isSettled = (status.replicas ?? 0) <= wanted;
  return (
    isSettled &&
    (status.updatedReplicas ?? 0) >= wanted &&
    (status.availableReplicas ?? 0) >= wanted
  );
}
