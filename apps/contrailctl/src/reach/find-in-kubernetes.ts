import { ContrailError } from '@contrail/errors';
import { kubeKinds } from '@contrail/kube';
import type { KubeClient } from '@contrail/kube';
import type { ReachEnd } from '@contrail/proto-gen/control/v1/reach';

/** A pod that control does not know, as Kubernetes does. */
export interface FoundEnd {
  readonly end: ReachEnd;
  /** What people should know; empty: it is the end that they named. */
  readonly note: string;
}

const finished = ['Succeeded', 'Failed'];

/**
 * Why a pod has no interface in the virtual network: on the host network it is its node.
 *
 * @returns the end as it was when it is no pod, or an ordinary one.
 * @throws ContrailError NOT_FOUND or FAILED_PRECONDITION with the remedy.
 */
export async function findInKubernetes(kubernetes: Pick<KubeClient, 'get'>, end: ReachEnd): Promise<FoundEnd> {
  if (end.kind?.$case !== 'pod') return { end, note: '' };
  const { namespace, name } = end.kind.value;
  const what = `Pod/${namespace}/${name}`;
  const pod = await kubernetes.get(kubeKinds.pods, { namespace, name }).catch((error: unknown) => {
    if (!(error instanceof ContrailError) || error.code !== 'NOT_FOUND') throw error;
    throw new ContrailError('NOT_FOUND', `${what}: does not exist; kubectl -n ${namespace} get pods lists those that do`, { cause: error });
  });
  const phase = pod.status?.phase ?? 'Pending';
  if (finished.includes(phase)) {
    throw new ContrailError('FAILED_PRECONDITION', `${what}: completed (${phase}) and has left the network; name a pod that runs`);
  }
  const node = pod.spec?.nodeName ?? '';
  if (node === '') throw new ContrailError('FAILED_PRECONDITION', `${what}: is on no node yet; see its events with kubectl -n ${namespace} describe pod ${name}`);
  if (pod.spec?.hostNetwork === true) {
    return { end: { kind: { $case: 'node', value: node } }, note: `pod ${namespace}/${name} is on the host network: it is node ${node}` };
  }
  return { end, note: '' };
}
