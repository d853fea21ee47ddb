import { ContrailError } from '@contrail/errors';
import type { Prefix } from '@contrail/net';
import type { ReconcileOutcome } from '@contrail/reconcile';
import { findMessage, metaOf } from '@contrail/resource-model';
import { cidrKey, networkKey } from '../translate/annotation-keys';
import type { ComplaintSubject } from '../translate/complaint';
import { conflictOf } from '../translate/custom-network';
import { attachmentNetwork, hasReservedName, otherSubnets, parseCidrs, translateAttachment } from '../translate/network-attachment';
import type { AttachmentHome, KubeAttachment } from '../translate/network-attachment';
import { isNetworkName, parseNetworkName } from '../translate/network-name';
import { apiVersionOf, rootKey } from '../translate/ownership';
import type { Root } from '../translate/ownership';
import { apply } from './apply';
import { findHome } from './namespace-home';
import { nodeAddresses } from './pod-network';
import { complainRouteConflicts } from './route-conflicts';
import type { Workplace } from './workplace';

/** Safety net for what an administrator has to mend in other objects. */
const lookAgainMs = 30_000;

/**
 * VirtualNetwork and IPAM of a NetworkAttachmentDefinition with `opencontrail.org/cidr`. One with `opencontrail.org/network`
 * names a network that exists, and has none of its own. Both stay while somebody uses them, also when the definition goes.
 */
export async function reconcileAttachment(work: Workplace, root: Root): Promise<ReconcileOutcome> {
  const key = rootKey(root);
  const attachment = work.kube.attachment(root.namespace, root.name);
  if (attachment === undefined) {
    await removeNetwork(work, root);
    return 'gone';
  }
  if (attachment.network !== undefined) checkName(work, attachment, attachment.network);
  if (attachment.network !== undefined || attachment.cidr === undefined) {
    await removeNetwork(work, root);
    return 'done';
  }
  const home = findHome(work, root.namespace);
  const namespace = work.kube.namespace(root.namespace);
  if ('sentence' in home) return work.waiting.wait(key, home.topic, home.sentence);
  if (namespace === undefined) return 'done';
  const parsed = parseCidrs(attachment.cidr);
  if ('problem' in parsed) return refuse(work, attachment, { reason: 'MalformedAnnotation', sentence: parsed.problem });
  const place = { project: home.project, namespaceUid: namespace.uid };
  const trouble = findTrouble(work, attachment, { ...place, prefixes: parsed });
  if (trouble !== undefined) return refuse(work, attachment, trouble);
  await apply(work, key, translateAttachment(work.cluster, attachment, { ...place, prefixes: parsed }));
  complainRouteConflicts(work, key, subjectOf(attachment));
  return 'done';
}

interface Trouble {
  readonly reason: string;
  /** What the annotation is, and what to do. */
  readonly sentence: string;
}

/** Why the network cannot be made as it is written. */
function findTrouble(
  work: Workplace,
  attachment: KubeAttachment,
  { prefixes, ...home }: AttachmentHome & { readonly prefixes: readonly Prefix[] },
): Trouble | undefined {
  const { cluster, cache, kube } = work;
  const network = attachmentNetwork(cluster, attachment, home);
  const name = network.fqName.join(':');
  const conflict = conflictOf(prefixes, cluster, nodeAddresses(work));
  if (conflict !== undefined) return { reason: 'NetworkConflict', sentence: `${conflict}; write another subnet` };
  if (hasReservedName(cluster, attachment, (other) => kube.namespace(other) !== undefined)) {
    return { reason: 'NetworkNameTaken', sentence: `VirtualNetwork/${name} is the name of a namespace's own network; give the definition another name` };
  }
  const known = cache.findByName('virtual-network', network.fqName);
  if (known !== undefined && metaOf(known).uuid !== network.uuid) {
    return { reason: 'NetworkNameTaken', sentence: `VirtualNetwork/${name} exists already and is another's; give the definition another name` };
  }
  const message = known === undefined ? undefined : findMessage('virtual-network', known);
  const found = message === undefined ? undefined : otherSubnets(message, prefixes);
  if (found === undefined) return undefined;
  const sentence = `is "${attachment.cidr ?? ''}", but VirtualNetwork/${name} has ${found} and keeps it; make another definition, and delete this one`;
  return { reason: 'NetworkChangeIgnored', sentence };
}

function refuse(work: Workplace, attachment: KubeAttachment, { reason, sentence }: Trouble): ReconcileOutcome {
  const { namespace, name } = attachment;
  const note = `NetworkAttachmentDefinition/${namespace}/${name} metadata.annotations["${cidrKey}"]: ${sentence}`;
  work.complain({ subject: subjectOf(attachment), reason, action: 'MakeNetwork', note });
  return { pending: note, retryAfterMs: lookAgainMs };
}

function checkName(work: Workplace, attachment: KubeAttachment, text: string): void {
  const parsed = parseNetworkName(text);
  if (isNetworkName(parsed)) return;
  const { namespace, name } = attachment;
  const note = `NetworkAttachmentDefinition/${namespace}/${name} metadata.annotations["${networkKey}"]: ${parsed.problem}`;
  work.complain({ subject: subjectOf(attachment), reason: 'MalformedAnnotation', action: 'ChooseNetwork', note });
}

/** @throws ContrailError FAILED_PRECONDITION while the network is in use, after an event that says by what. */
async function removeNetwork(work: Workplace, root: Root): Promise<void> {
  const key = rootKey(root);
  const [stored] = work.cache.ofRoot(key).values();
  try {
    await apply(work, key, []);
  } catch (error) {
    if (stored !== undefined && error instanceof ContrailError && error.code === 'FAILED_PRECONDITION') {
      const { namespace, name } = root;
      const uid = metaOf(stored).annotations['k8s_uuid'] ?? '';
      const note =
        `NetworkAttachmentDefinition/${namespace}/${name}: makes no network any more, but the one it made is kept, because it is in use: ` +
        `${error.message}. Delete those pods, or make the definition again; unused, the network goes by itself`;
      work.complain({ subject: subjectOf({ namespace, name, uid }), reason: 'NetworkInUse', action: 'RemoveNetwork', note });
    }
    throw error;
  }
}

function subjectOf({ namespace, name, uid }: Pick<KubeAttachment, 'namespace' | 'name' | 'uid'>): ComplaintSubject {
  const kind = 'NetworkAttachmentDefinition';
  return { apiVersion: apiVersionOf(kind), kind, namespace, name, uid };
}
