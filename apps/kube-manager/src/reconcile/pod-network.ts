import { tryParseAddress } from '@contrail/net';
import type { ReconcilePending } from '@contrail/reconcile';
import { findMessage, metaOf } from '@contrail/resource-model';
import { familiesOf } from '../translate/cluster';
import type { IpFamily, ObjectReference } from '../translate/cluster';
import { clusterIpams } from '../translate/cluster-resources';
import { networkKey } from '../translate/annotation-keys';
import { conflictOf, familiesIn, mayUse, prefixesOf } from '../translate/custom-network';
import type { KubePod } from '../translate/kube-objects';
import { customNetworkKey, networkOf } from '../translate/move-to-network';
import { findNamespaceNetwork, undecidedNetwork } from '../translate/namespace-network';
import { isNetworkName, parseNetworkName } from '../translate/network-name';
import type { NetworkName } from '../translate/network-name';
import { podInterfaceUuid } from '../translate/pod';
import { podKey, podSubject } from '../translate/pod-names';
import type { NamespaceHome, NamespaceNetworks } from './namespace-home';
import { WaitingList } from './waiting-list';
import type { Workplace } from './workplace';

/** Where the interface of a pod is. */
export interface PodNetwork {
  readonly network: ObjectReference;
  readonly families: readonly IpFamily[];
  /** Chosen by an annotation: the pod stays there for its life. */
  readonly isChosen: boolean;
  /** Its addresses may be those of others, too, so the pod gets an alias address. */
  readonly needsAlias: boolean;
}

type Home = NamespaceHome & NamespaceNetworks;

/**
 * The network of a pod. Its own annotation goes before its namespace's, that before the networks of the namespace. A pod that
 * has an interface stays where it is; only the networks of its namespace can change under it.
 */
export function findPodNetwork(work: Workplace, pod: KubePod, home: Home): PodNetwork | ReconcilePending {
  const stored = work.cache.get(podInterfaceUuid(work.cluster, pod.uid));
  if (stored === undefined) return chooseNetwork(work, pod, home);
  const chosen = metaOf(stored).annotations[customNetworkKey];
  complainLateChoice(work, pod, chosen);
  if (chosen === undefined) return ofNamespace(work, home);
  const network = { uuid: networkOf(stored) ?? '', fqName: chosen.split(':') };
  if (work.cache.has(network.uuid)) return toPodNetwork(work, network);
  return work.waiting.wait(podKey(pod), WaitingList.object(network.uuid), `waits for VirtualNetwork/${chosen}`);
}

function ofNamespace(work: Workplace, { podNetwork }: Home): PodNetwork {
  return { network: podNetwork, families: familiesOf(work.cluster.podSubnets), isChosen: false, needsAlias: false };
}

function toPodNetwork(work: Workplace, network: ObjectReference): PodNetwork {
  const stored = work.cache.get(network.uuid);
  const message = stored === undefined ? undefined : findMessage('virtual-network', stored);
  const usesClusterIpam = message?.networkIpamRefs.some(({ uuid }) => uuid === clusterIpams(work.cluster).pod.uuid) === true;
  const families = message === undefined ? [] : familiesIn(prefixesOf(message, ipamFinder(work)));
  return { network, families, isChosen: true, needsAlias: !usesClusterIpam };
}

function chooseNetwork(work: Workplace, pod: KubePod, home: Home): PodNetwork | ReconcilePending {
  if (pod.network !== undefined) {
    const where = `Pod/${pod.namespace}/${pod.name} metadata.annotations["${networkKey}"]`;
    const parsed = parseNetworkName(pod.network);
    if (isNetworkName(parsed)) return useNetwork(work, pod, { home, name: parsed, where });
    const note = `${where}: ${parsed.problem}. The pod starts when the annotation of a new pod is right; delete this one`;
    return refuse(work, pod, { reason: 'MalformedAnnotation', note });
  }
  const group = work.cache.get(home.securityGroup.uuid);
  const ofItsNamespace = group === undefined ? undefined : findNamespaceNetwork(metaOf(group));
  if (ofItsNamespace === undefined) return ofNamespace(work, home);
  const where = `Namespace/${pod.namespace} metadata.annotations["${networkKey}"]`;
  if (ofItsNamespace !== undecidedNetwork) return useNetwork(work, pod, { home, name: ofItsNamespace, where });
  work.waiting.note(podKey(pod), WaitingList.object(home.securityGroup.uuid));
  const note = `Pod/${pod.namespace}/${pod.name}: waits until ${where} is right; the events of the namespace say what is wrong`;
  return refuse(work, pod, { reason: 'MalformedAnnotation', note });
}

interface Choice {
  readonly home: Home;
  readonly name: NetworkName;
  /** Object and key of the annotation. */
  readonly where: string;
}

function useNetwork(work: Workplace, pod: KubePod, { home, name, where }: Choice): PodNetwork | ReconcilePending {
  const key = podKey(pod);
  const text = name.join(':');
  const subject = `Pod/${pod.namespace}/${pod.name}`;
  const stored = work.cache.findByName('virtual-network', name);
  const network = stored === undefined ? undefined : findMessage('virtual-network', stored);
  if (stored === undefined || network === undefined) {
    work.waiting.note(key, WaitingList.named('virtual-network', name));
    const note = `${subject}: VirtualNetwork/${text}, which ${where} names, does not exist; create it. The pod starts by itself then`;
    return refuse(work, pod, { reason: 'NetworkNotFound', note });
  }
  const { uuid } = metaOf(stored);
  const again = (reason: string, sentence: string): ReconcilePending => {
    work.waiting.note(key, WaitingList.object(uuid));
    for (const ipam of network.networkIpamRefs) work.waiting.note(key, WaitingList.object(ipam.uuid));
    return refuse(work, pod, { reason, note: `${subject}: VirtualNetwork/${text}, which ${where} names, ${sentence}` });
  };
  const project = work.cache.get(home.project.uuid);
  const domainUuid = project === undefined ? '' : metaOf(project).parentUuid;
  if (!mayUse(network, { uuid: home.project.uuid, domainUuid })) {
    return again(
      'NetworkNotAllowed',
      `belongs to another project and is not shared with Project/${home.project.fqName.join(':')} (uuid ${home.project.uuid}); let its ` +
        'owner set is_shared, or share it with that project (perms2.share, tenant_access 5) or its domain ' +
        `(tenant "domain:${domainUuid}"). The pod starts by itself then`,
    );
  }
  const prefixes = prefixesOf(network, ipamFinder(work));
  if (prefixes.length === 0) return again('NetworkWithoutSubnet', 'has no subnet; add a NetworkIpam with a subnet. The pod starts by itself then');
  const conflict = conflictOf(prefixes, work.cluster, nodeAddresses(work));
  if (conflict !== undefined) return again('NetworkConflict', `cannot be used by pods: ${conflict}; give the network another subnet`);
  return toPodNetwork(work, { uuid, fqName: name });
}

function ipamFinder({ cache }: Workplace) {
  return (uuid: string): ReturnType<typeof findMessage<'network-ipam'>> => {
    const stored = cache.get(uuid);
    return stored === undefined ? undefined : findMessage('network-ipam', stored);
  };
}

/** Underlay addresses of all nodes. */
export function nodeAddresses(work: Pick<Workplace, 'kube'>): Uint8Array[] {
  return work.kube.nodes().flatMap(({ internalIps }) => internalIps.flatMap((text) => tryParseAddress(text) ?? []));
}

/** What a pod does not get; it is looked at again when something changes. */
function refuse(work: Workplace, pod: KubePod, { reason, note }: { readonly reason: string; readonly note: string }): ReconcilePending {
  work.complain({ subject: podSubject(pod), reason, action: 'ChooseNetwork', note });
  return { pending: note, retryAfterMs: lookAgainMs };
}

/** Safety net; whatever is waited for wakes the pod. */
const lookAgainMs = 30_000;

/** The annotation of a running pod is read once, when its interface is made (R21). */
function complainLateChoice(work: Workplace, pod: KubePod, chosen: string | undefined): void {
  if (pod.network === undefined) return;
  const parsed = parseNetworkName(pod.network);
  if (isNetworkName(parsed) && parsed.join(':') === chosen) return;
  work.complain({
    subject: podSubject(pod),
    reason: 'NetworkChangeIgnored',
    action: 'ChooseNetwork',
    note:
      `Pod/${pod.namespace}/${pod.name} metadata.annotations["${networkKey}"]: is "${pod.network.slice(0, 200)}", but the pod runs on ` +
      `${chosen === undefined ? 'the network of its namespace' : `VirtualNetwork/${chosen}`} and stays there; delete it and make it anew with the annotation`,
  });
}
