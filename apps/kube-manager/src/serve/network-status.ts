import { ContrailError } from '@contrail/errors';
import { kubeKinds } from '@contrail/kube';
import type { KubeClient } from '@contrail/kube';
import { networkStatusKey } from '../translate/annotation-keys';
import type { KubePod } from '../translate/kube-objects';

/** Writes the annotation `k8s.v1.cni.cncf.io/network-status` of pods. */
export class NetworkStatus {
  constructor(private readonly kube: KubeClient) {}

  /** Nothing is written when the pod says so already, or is gone. */
  async ensure(pod: KubePod, text: string): Promise<void> {
    if (pod.networkStatus === text) return;
    const { namespace, name, uid } = pod;
    try {
      // The uid is a precondition: a pod of the same name that came later is another one.
      const patch = { metadata: { uid, annotations: { [networkStatusKey]: text } } };
      await this.kube.patch(kubeKinds.pods, { namespace, name, subresource: 'status' }, patch);
    } catch (error) {
      const isGone = error instanceof ContrailError && (error.code === 'NOT_FOUND' || error.code === 'ABORTED');
      if (!isGone) throw error;
    }
  }
}
