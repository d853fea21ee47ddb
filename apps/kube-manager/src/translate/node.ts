import { formatAddress, isUsableUnicast, tryParseAddress } from '@contrail/net';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { derivedUuid, globalSystemConfigName, globalSystemConfigUuid, toResource } from '@contrail/resource-model';
import type { Cluster } from './cluster';
import type { Complaint } from './complaint';
import type { KubeNode } from './kube-objects';
import { ownerAnnotations } from './ownership';

export type NodeTranslation = { readonly resource: Resource } | { readonly complaint: Complaint };

/** A node is a VirtualRouter; its first InternalIP is the underlay address. */
export function translateNode(cluster: Cluster, node: KubeNode): NodeTranslation {
  const addresses = node.internalIps.flatMap((text) => {
    const address = tryParseAddress(text);
    return address !== undefined && isUsableUnicast(address) ? [formatAddress(address)] : [];
  });
  const [underlay] = addresses;
  if (underlay === undefined) return { complaint: noInternalIp(node) };
  return {
    resource: toResource('virtual-router', {
      meta: {
        uuid: derivedUuid(cluster.uid, 'virtual-router', node.uid),
        fqName: [globalSystemConfigName, node.name],
        parentType: 'global-system-config',
        parentUuid: globalSystemConfigUuid,
        annotations: ownerAnnotations(cluster, { kind: 'Node', namespace: '', ...node }, ''),
      },
      virtualRouterIpAddress: underlay,
      virtualRouterIpAddresses: [...new Set(addresses)],
      kubeNodeName: node.name,
    }),
  };
}

function noInternalIp(node: KubeNode): Complaint {
  const found = node.internalIps.length === 0 ? 'is absent' : `is ${node.internalIps.join(', ')}, not a usable address`;
  return {
    subject: { apiVersion: 'v1', kind: 'Node', namespace: '', name: node.name, uid: node.uid },
    reason: 'NoInternalIP',
    action: 'CreateVirtualRouter',
    note:
      `Node/${node.name} status.addresses[type=InternalIP]: ${found}, but tunnels to this node need one; ` +
      "start the kubelet with --node-ip=<address of the node>, or let the cloud provider set it. The node's pods have no network until then",
  };
}
