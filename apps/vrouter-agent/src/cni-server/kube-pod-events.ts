import { EventRecorder, KubeClient, inClusterConnection } from '@contrail/kube';
import { logger } from '@contrail/telemetry';
import type { PodEvents } from './cni-context';

const log = logger('events');

/** Writes events about pods of this node with the agent's own ServiceAccount. */
export function kubePodEvents(options: { host: string; port: number; node: string }): PodEvents {
  const recorder = new EventRecorder({
    client: new KubeClient(inClusterConnection(options)),
    controller: 'contrail.io/vrouter-agent',
    instance: `vrouter-agent-${options.node}`,
    onProblem: (error) => log.warn('event not written', { error }),
  });
  return {
    bandwidthIgnored: ({ uid, namespace, name }) =>
      recorder.record(
        { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
        {
          type: 'Warning',
          reason: 'BandwidthIgnored',
          action: 'AttachInterface',
          note:
            `Pod ${namespace}/${name} metadata.annotations["kubernetes.io/ingress-bandwidth" or "kubernetes.io/egress-bandwidth"]: ` +
            'the vRouter does not shape traffic; the pod runs unshaped. Remove the annotation.',
        },
      ),
  };
}

/** Where there is no Kubernetes. */
export const loggedPodEvents: PodEvents = {
  bandwidthIgnored: ({ namespace, name }) => log.warn('bandwidth of a pod is ignored', { namespace, pod: name }),
};
