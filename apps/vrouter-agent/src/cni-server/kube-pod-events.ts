import { EventRecorder, KubeClient, inClusterConnection } from '@contrail/kube';
import { logger } from '@contrail/telemetry';
import type { DriftEvents } from '../verify/drift-watch';
import type { MendedDrift } from '../verify/verifier';
import type { PodEvents } from './cni-context';

const log = logger('events');

/** Writes events about this node and its pods with the agent's own ServiceAccount, which may do nothing else. */
export function kubePodEvents(options: { host: string; port: number; node: string }): PodEvents & DriftEvents {
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
    // As the kubelet's own events: a Node is named by its name also where a uid is asked for.
    drifted: (drifts) =>
      recorder.record(
        { apiVersion: 'v1', kind: 'Node', namespace: '', name: options.node, uid: options.node },
        {
          type: 'Warning',
          reason: drifts.every(({ mended }) => mended) ? 'VRouterDriftMended' : 'VRouterDrift',
          action: 'VerifyVRouter',
          note: driftNote(options.node, drifts),
        },
      ),
  };
}

const namedMax = 5;

function driftNote(node: string, drifts: readonly MendedDrift[]): string {
  const named = drifts
    .slice(0, namedMax)
    .map(({ kind, object, expected, found, mended }) => `${kind} ${object} was ${found}, not ${expected}${mended ? '' : ' (still)'}`);
  const rest = drifts.length > namedMax ? `; and ${drifts.length - namedMax} more` : '';
  return `Node/${node}: the vRouter was not as it should be: ${named.join('; ')}${rest}. See contrailctl verify.`;
}

/** Where there is no Kubernetes. */
export const loggedPodEvents: PodEvents & DriftEvents = {
  // The watch logs each drift itself.
  drifted: () => undefined,
  bandwidthIgnored: ({ namespace, name }) => log.warn('bandwidth of a pod is ignored', { namespace, pod: name }),
};
