import { ContrailError } from '@contrail/errors';
import { kubeKinds } from '@contrail/kube';
import type { KubeClient, ServiceCidr } from '@contrail/kube';
import { formatPrefix, networkAddress, parsePrefix } from '@contrail/net';
import type { Prefix } from '@contrail/net';

import { systemNamespace } from '../translate/cluster';
/** Identity of the cluster: the uid of the namespace kube-system. @throws ContrailError */
export async function readClusterUid(client: KubeClient, signal: AbortSignal): Promise<string> {
  const namespace = await client.get(kubeKinds.namespaces, { name: systemNamespace }, { signal });
  const uid = namespace.metadata?.uid;
  if (uid === undefined) throw new ContrailError('INTERNAL', 'Namespace/kube-system metadata.uid: is missing');
  return uid;
}

/** ServiceCIDR objects; undefined when the API server has no such kind (before 1.33). */
export async function readServiceCidrs(
  client: KubeClient,
  signal: AbortSignal,
): Promise<readonly ServiceCidr[] | undefined> {
  try {
    return (await client.list(kubeKinds.serviceCidrs, { signal })).items;
  } catch (error) {
    if (error instanceof ContrailError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

/**
 * The service network must be exactly what Kubernetes takes cluster IPs from.
 *
 * @throws ContrailError FAILED_PRECONDITION that names both.
 */
export function checkServiceSubnets(configured: readonly Prefix[], objects: readonly ServiceCidr[]): void {
  const ours = configured.map(canonical).sort();
  const theirs = [...new Set(objects.flatMap((object) => (object.spec?.cidrs ?? []).map((text) => canonical(parsePrefix(text)))))].sort();
  if (ours.join() === theirs.join()) return;
  const names = objects.map((object) => `ServiceCIDR/${object.metadata?.name ?? ''}`).join(', ');
  throw new ContrailError(
    'FAILED_PRECONDITION',
    `SERVICE_SUBNETS is ${ours.join(',')}, but the cluster's ${names || 'ServiceCIDR objects'} say ` +
      `${theirs.join(',') || 'nothing'}; set SERVICE_SUBNETS to ${theirs.join(',') || 'the service range of the cluster'}`,
  );
}

function canonical(prefix: Prefix): string {
  return formatPrefix({ address: networkAddress(prefix), length: prefix.length });
}
