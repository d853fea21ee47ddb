import type { NetworkAttachmentDefinition } from '@contrail/kube';
import { formatAddress, formatPrefix, parsePrefix } from '@contrail/net';
import type { Prefix } from '@contrail/net';
import type { Resource, VirtualNetwork } from '@contrail/proto-gen/config/v1/resources';
import { attachmentIpamName, attachmentNetworkName, derivedUuid, toResource } from '@contrail/resource-model';
import { cidrKey, networkKey } from './annotation-keys';
import { reference } from './cluster';
import type { Cluster, ObjectReference } from './cluster';
import { prefixesOf } from './custom-network';
import { ownerAnnotations } from './ownership';

/** A NetworkAttachmentDefinition with the fields that we use. */
export interface KubeAttachment {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Annotations as written; absent ones are undefined. */
  readonly network: string | undefined;
  readonly cidr: string | undefined;
}

/** Plugins of which we know that they are ours: R21's, and our own. */
const pluginTypes = /"type"\s*:\s*"(contrail-k8s-cni|contrail-cni)"/;

/** @returns undefined for a definition that names the plugin of another network. */
export function toKubeAttachment({ metadata, spec }: NetworkAttachmentDefinition): KubeAttachment | undefined {
  const config = (spec?.config ?? '').trim();
  if (config !== '' && !pluginTypes.test(config)) return undefined;
  const { namespace = '', name = '', uid = '', annotations = {} } = metadata ?? {};
  return { namespace, name, uid, network: annotations[networkKey], cidr: annotations[cidrKey] };
}

const cidrsMax = 16;
const remedy = 'write a subnet as "192.168.0.0/24"';

/**
 * The annotation `opencontrail.org/cidr`: one subnet, or a list of them in JSON or as a Python literal. Bits behind the prefix
 * length do not count (R21 took addresses).
 *
 * @returns the subnets, or what is wrong with the text.
 */
export function parseCidrs(text: string): readonly Prefix[] | { readonly problem: string } {
  const quoted = `"${text.trim().slice(0, 100)}"`;
  const inner = text.trim().replace(/^\[(.*)\]$/s, '$1');
  const parts = inner.split(',').map((part) => part.trim().replace(/^u?(["'])(.*)\1$/, '$2').trim());
  if (parts.length > cidrsMax) return { problem: `is ${quoted}, but at most ${cidrsMax} subnets are allowed; ${remedy}` };
  const prefixes: Prefix[] = [];
  for (const part of parts) {
    const prefix = tryParsePrefix(part);
    if (prefix === undefined) return { problem: `is ${quoted}, but "${part.slice(0, 50)}" is no subnet; ${remedy}` };
    prefixes.push(prefix);
  }
  return prefixes;
}

function tryParsePrefix(text: string): Prefix | undefined {
  try {
    return parsePrefix(text);
  } catch {
    return undefined;
  }
}

/** Identities follow the name, so that a definition that is made anew has the network that pods still use. */
export function attachmentNetwork(cluster: Cluster, attachment: KubeAttachment, home: AttachmentHome): ObjectReference {
  return {
    uuid: derivedUuid(cluster.uid, 'virtual-network/attachment', home.namespaceUid, attachment.name),
    fqName: [...home.project.fqName, attachmentNetworkName(cluster.name, attachment.name)],
  };
}

/** Whether the network would have the name of the pod network that a namespace has, or gets when it is isolated. */
export function hasReservedName(cluster: Cluster, { namespace, name }: KubeAttachment, isNamespace: (name: string) => boolean): boolean {
  return name === namespace || (cluster.sharedProject !== '' && isNamespace(name));
}

export interface AttachmentHome {
  readonly project: ObjectReference;
  readonly namespaceUid: string;
}

/** IPAM and VirtualNetwork of a definition with subnets. Source: contrail-r21.md 1.2. */
export function translateAttachment(
  cluster: Cluster,
  attachment: KubeAttachment,
  home: AttachmentHome & { readonly prefixes: readonly Prefix[] },
): Resource[] {
  const { project, namespaceUid, prefixes } = home;
  const root = { kind: 'NetworkAttachmentDefinition', ...attachment } as const;
  const annotations = ownerAnnotations(cluster, root, project.fqName.at(-1) ?? '');
  const parent = { parentType: 'project', parentUuid: project.uuid, annotations };
  const ipam = {
    uuid: derivedUuid(cluster.uid, 'network-ipam/attachment', namespaceUid, attachment.name),
    fqName: [...project.fqName, attachmentIpamName(cluster.name, attachment.name)],
  };
  const ipamSubnets = prefixes.map(({ address, length }) => ({ subnet: { ipPrefix: formatAddress(address), ipPrefixLen: length } }));
  return [
    toResource('network-ipam', { meta: { ...reference(ipam), ...parent }, ipamSubnetMethod: 'user-defined-subnet' }),
    toResource('virtual-network', {
      meta: { ...reference(attachmentNetwork(cluster, attachment, home)), ...parent },
      addressAllocationMode: 'user-defined-subnet-only',
      virtualNetworkProperties: { forwardingMode: 'l2_l3' },
      networkIpamRefs: [{ ...reference(ipam), attr: { ipamSubnets } }],
    }),
  ];
}

/** The subnets that a network has instead of those wanted, as text; undefined when they are the same. */
export function otherSubnets(network: VirtualNetwork, wanted: readonly Prefix[]): string | undefined {
  const textOf = (prefixes: readonly Prefix[]): string => prefixes.map(formatPrefix).sort().join(', ');
  const found = textOf(prefixesOf(network, () => undefined));
  return found === textOf(wanted) ? undefined : found;
}
