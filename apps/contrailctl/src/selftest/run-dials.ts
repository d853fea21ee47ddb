import type { Pod } from 'kubernetes-types/core/v1';
import { ContrailError } from '@contrail/errors';
import { kubeKinds, kubePath } from '@contrail/kube';
import type { KubeClient } from '@contrail/kube';
import type { DialTarget } from '../probe/dial-probe';
import { dialPatch } from './probe-pods';
import type { Prober } from './probe-pods';
import { podText } from './probe-world';
import { waitFor } from './wait-for';

interface DialOptions {
  readonly kubernetes: KubeClient;
  readonly image: string;
  /** A name of its own for each round. */
  readonly round: string;
  readonly signal: AbortSignal;
}

const dialMs = 120_000;

/**
 * Has a prober dial the targets once: in an ephemeral container, which has the pod's own addresses, and answers by its log,
 * which comes by the kubelet whatever the state of the pod network is.
 *
 * @returns an answer for each target.
 */
export async function runDials(prober: Prober, targets: readonly DialTarget[], { kubernetes, image, round, signal }: DialOptions): Promise<string[]> {
  const { namespace, name } = prober;
  const container = `dial-${round}`;
  await kubernetes.patch(kubeKinds.pods, { namespace, name, subresource: 'ephemeralcontainers' }, dialPatch(container, image, targets), { type: 'strategic', signal });
  await waitFor(`${podText(prober)} has dialled`, async () => ended(await kubernetes.get(kubeKinds.pods, { namespace, name }, { signal }), container), { timeoutMs: dialMs, signal });
  const path = `${kubePath(kubeKinds.pods, { namespace, name, subresource: 'log' })}?container=${container}`;
  const answers = (await kubernetes.request({ method: 'GET', path, subject: `log of ${podText(prober)}`, signal })) as unknown;
  if (Array.isArray(answers) && answers.length === targets.length) return answers.map(String);
  throw new ContrailError('INTERNAL', `${podText(prober)}: its log is not ${targets.length} answers; see kubectl -n ${namespace} logs ${name} -c ${container}`);
}

function ended({ status }: Pod, container: string): true | undefined {
  const state = (status?.ephemeralContainerStatuses ?? []).find(({ name }) => name === container)?.state;
  if (state?.terminated !== undefined) return true;
  const { reason = 'not started', message = '' } = state?.waiting ?? {};
  if (state?.running === undefined) throw new ContrailError('UNAVAILABLE', `${reason} ${message}`.trim());
  return undefined;
}
