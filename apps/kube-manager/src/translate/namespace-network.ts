import type { Meta } from '@contrail/proto-gen/config/v1/resources';
import { networkKey } from './annotation-keys';
import type { Complaint } from './complaint';
import { subjectOf } from './isolation';
import type { KubeNamespace } from './kube-objects';
import { isNetworkName, parseNetworkName } from './network-name';
import type { NetworkName } from './network-name';

/** Annotation of the namespace's default security group: on which custom network new pods start. */
const appliedKey = 'network';

/** The annotation of a new namespace is malformed: nobody knows where its pods belong, so they wait. */
export const undecidedNetwork = 'undecided';

export type NamespaceNetwork = NetworkName | typeof undecidedNetwork | undefined;

export function networkAnnotations(network: NamespaceNetwork): Record<string, string> {
  return { [appliedKey]: network === undefined || network === undecidedNetwork ? (network ?? '') : network.join(':') };
}

/** @param meta of the namespace's default security group. */
export function findNamespaceNetwork({ annotations }: Pick<Meta, 'annotations'>): NamespaceNetwork {
  const text = annotations[appliedKey] ?? '';
  if (text === undecidedNetwork) return undecidedNetwork;
  const parsed = text === '' ? undefined : parseNetworkName(text);
  return parsed !== undefined && isNetworkName(parsed) ? parsed : undefined;
}

export interface WantedNetwork {
  readonly network: NamespaceNetwork;
  readonly complaints: readonly Complaint[];
}

/**
 * The custom network of a namespace's new pods. A malformed value keeps what is applied; pods of a new namespace wait.
 *
 * @param applied by the security group; undefined for a namespace that is new.
 * @param hasPods some exist already, and stay where they are.
 */
export function wantedNetwork(
  namespace: KubeNamespace,
  applied: Pick<Meta, 'annotations'> | undefined,
  hasPods: boolean,
): WantedNetwork {
  const before = applied === undefined ? undefined : findNamespaceNetwork(applied);
  const parsed = namespace.network === undefined ? undefined : parseNetworkName(namespace.network);
  const where = `Namespace/${namespace.name} metadata.annotations["${networkKey}"]`;
  if (parsed !== undefined && !isNetworkName(parsed)) {
    const kept = applied === undefined ? undecidedNetwork : before;
    const consequence = kept === undecidedNetwork ? 'new pods wait until then' : `until then new pods start on ${describe(kept)}`;
    return { network: kept, complaints: [complaint(namespace, 'MalformedAnnotation', `${where}: ${parsed.problem}; ${consequence}`)] };
  }
  const isChange = applied !== undefined && before !== undecidedNetwork && describe(before) !== describe(parsed);
  if (!isChange || !hasPods) return { network: parsed, complaints: [] };
  const note = `${where}: new pods start on ${describe(parsed)}; those that run stay on ${describe(before)}. Delete them, so that they start anew`;
  return { network: parsed, complaints: [complaint(namespace, 'NetworkForNewPods', note)] };
}

function describe(network: NetworkName | undefined): string {
  return network === undefined ? 'the networks of the namespace' : `VirtualNetwork/${network.join(':')}`;
}

function complaint(namespace: KubeNamespace, reason: string, note: string): Complaint {
  return { subject: subjectOf(namespace), reason, action: 'ChooseNetwork', note };
}
