import { ContrailError } from '@contrail/errors';
import { KubeClient, inClusterConnection, kubeconfigConnection } from '@contrail/kube';
import type { KubeConnection } from '@contrail/kube';
import type { Session } from './session';

type Known = Pick<Session, 'options' | 'kubernetes'>;

export function isKubernetesKnown({ options: { kubeconfig }, kubernetes }: Known): boolean {
  return kubeconfig !== '' || kubernetes !== undefined;
}

/** Runs with a client of the API server: by the kubeconfig, in a pod by its ServiceAccount. @throws ContrailError INVALID_ARGUMENT */
export async function withKubernetes<T>(session: Known, run: (client: KubeClient) => Promise<T>): Promise<T> {
  const client = new KubeClient(connectionOf(session));
  try {
    return await run(client);
  } finally {
    client.close();
  }
}

function connectionOf({ options: { kubeconfig }, kubernetes }: Known): KubeConnection {
  if (kubeconfig !== '') return kubeconfigConnection(kubeconfig);
  if (kubernetes) return inClusterConnection(kubernetes);
  throw new ContrailError('INVALID_ARGUMENT', 'Kubernetes is not known; give --kubeconfig or set KUBECONFIG (verify: or --local for one node without objects)');
}
