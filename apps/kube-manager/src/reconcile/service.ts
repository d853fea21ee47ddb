import { ContrailError, errorText } from '@contrail/errors';
import { addressEquals, tryParseAddress } from '@contrail/net';
import type { ReconcileOutcome } from '@contrail/reconcile';
import { findMessage, metaOf } from '@contrail/resource-model';
import { serviceNetwork } from '../translate/cluster';
import type { IpFamily } from '../translate/cluster';
import type { KubeService } from '../translate/kube-objects';
import { podAliasIpUuid, podInstanceIpUuid, podInterfaceUuid } from '../translate/pod';
import type { AllocatedAddress } from '../translate/pod';
import { hasLoadbalancer, serviceInstanceIpUuid, translateService } from '../translate/service';
import { rootKey } from '../translate/ownership';
import type { Root } from '../translate/ownership';
import { apply } from './apply';
import { backendAdmission } from './backend-admission';
import { findNetworkedHome } from './namespace-home';
import { WaitingList } from './waiting-list';
import type { Workplace } from './workplace';

/** The native load balancer of a Service with a cluster IP; other Services have none. */
export async function reconcileService(work: Workplace, root: Root): Promise<ReconcileOutcome> {
  const key = rootKey(root);
  const service = work.kube.service(root.namespace, root.name);
  if (service === undefined || !hasLoadbalancer(service)) {
    await apply(work, key, []);
    return service === undefined ? 'gone' : 'done';
  }
  const home = findNetworkedHome(work, service.namespace);
  if ('sentence' in home) return work.waiting.wait(key, home.topic, home.sentence);
  const addresses = await findAddresses(work, service);
  if (addresses.length === 0) return { pending: 'has no cluster IP inside SERVICE_SUBNETS' };
  const { resources, complaints } = translateService(
    work.cluster,
    service,
    work.kube.slices.ofService(service.namespace, service.name),
    { ...home, network: home.serviceNetwork, addresses, refusalOf: backendAdmission(work, service), findInterface: interfaceFinder(work, key) },
  );
  for (const complaint of complaints) work.complain(complaint);
  await apply(work, key, resources);
  return 'done';
}

/** Cluster IPs as ipam records them; one outside the subnets is complained about and left out. */
async function findAddresses(work: Workplace, service: KubeService): Promise<AllocatedAddress[]> {
  const found = await Promise.all(service.clusterIps.map((text) => findAddress(work, service, text)));
  return found.flatMap((address) => address ?? []);
}

async function findAddress(work: Workplace, service: KubeService, text: string): Promise<AllocatedAddress | undefined> {
  const address = tryParseAddress(text);
  if (address === undefined) {
    complainClusterIp(work, service, text, 'is not an IP address');
    return undefined;
  }
  const family: IpFamily = address.length === 4 ? 4 : 6;
  const ownerUuid = serviceInstanceIpUuid(work.cluster, service.uid, family);
  const stored = work.cache.get(ownerUuid);
  const instanceIp = stored === undefined ? undefined : findMessage('instance-ip', stored);
  const known = tryParseAddress(instanceIp?.instanceIpAddress ?? '');
  if (instanceIp !== undefined && known !== undefined && addressEquals(known, address)) {
    return { address, subnetUuid: instanceIp.subnetUuid };
  }
  const description = rootKey({ kind: 'Service', namespace: service.namespace, name: service.name });
  const networkUuid = serviceNetwork(work.cluster).uuid;
  try {
    return await work.addresses.reserve({ networkUuid, ownerUuid, description }, address);
  } catch (error) {
    const refused = error instanceof ContrailError && ['INVALID_ARGUMENT', 'OUT_OF_RANGE'].includes(error.code);
    if (!refused) throw error;
    complainClusterIp(work, service, text, errorText(error));
    return undefined;
  }
}

function complainClusterIp(work: Workplace, service: KubeService, text: string, cause: string): void {
  const { namespace, name, uid } = service;
  work.complain({
    subject: { apiVersion: 'v1', kind: 'Service', namespace, name, uid },
    reason: 'ClusterIPNotUsable',
    action: 'ReserveAddress',
    note:
      `Service/${namespace}/${name} spec.clusterIPs: "${text}" cannot be used (${cause}); ` +
      'add the range of its ServiceCIDR to SERVICE_SUBNETS of kube-manager, or create the Service again',
  });
}

/** Knows a pod's interface by the address that we gave it; a pod that has none yet is noted. */
function interfaceFinder(work: Workplace, key: string) {
  return (podUid: string, address: string): { vm: string; vmi: string } | undefined => {
    const family: IpFamily = address.includes(':') ? 6 : 4;
    const uuids = [podInstanceIpUuid(work.cluster, podUid, family), podAliasIpUuid(work.cluster, podUid, family)];
    if (work.cache.findByAddress(address).some((resource) => uuids.includes(metaOf(resource).uuid))) {
      return { vm: podUid, vmi: podInterfaceUuid(work.cluster, podUid) };
    }
    for (const uuid of uuids) if (!work.cache.has(uuid)) work.waiting.note(key, WaitingList.object(uuid));
    return undefined;
  };
}
