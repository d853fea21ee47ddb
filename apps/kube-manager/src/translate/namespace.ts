import type { DeepPartial, PolicyRuleType, Resource } from '@contrail/proto-gen/config/v1/resources';
import { defaultSecurityGroupName, derivedUuid, toResource } from '@contrail/resource-model';
import { projectFqName, projectUuid, reference } from './cluster';
import type { Cluster, ObjectReference } from './cluster';
import { isolationAnnotations } from './isolation';
import type { Isolation } from './isolation';
import type { KubeNamespace } from './kube-objects';
import { networkAnnotations } from './namespace-network';
import type { NamespaceNetwork } from './namespace-network';
import { ownerAnnotations } from './ownership';

export interface NamespaceSurroundings {
  /** A project of this name that somebody else made: it is used and never touched. */
  readonly existing: ObjectReference | undefined;
  /** What the pods and services of the namespace live by; the security group says so. */
  readonly isolation: Isolation;
  /** Where new pods of the namespace start. */
  readonly network: NamespaceNetwork;
}

/** A namespace: its project and its default security group, which allows everything (R21). */
export function translateNamespace(
  cluster: Cluster,
  namespace: KubeNamespace,
  { existing, isolation, network }: NamespaceSurroundings,
): Resource[] {
  const fqName = projectFqName(cluster, namespace.name);
  const project = existing ?? { uuid: projectUuid(cluster, namespace.uid), fqName };
  const projectName = fqName.at(-1) ?? '';
  const own = ownerAnnotations(cluster, { kind: 'Namespace', namespace: '', ...namespace }, projectName);
  const shared = { kind: 'Cluster', namespace: '', name: cluster.name, uid: cluster.uid } as const;
  const groupName = defaultSecurityGroupName(cluster.name, namespace.name);
  const securityGroup = toResource('security-group', {
    meta: {
      ...reference(defaultSecurityGroup(cluster, namespace)),
      parentType: 'project',
      parentUuid: project.uuid,
      displayName: groupName,
      annotations: { ...own, ...isolationAnnotations(isolation), ...networkAnnotations(network) },
    },
    securityGroupEntries: { policyRule: allowAll(cluster, namespace.uid) },
  });
  if (existing !== undefined) return [securityGroup];
  // Rights in this namespace are rights in the project; a shared project is the cluster's.
  const annotations =
    cluster.sharedProject === ''
      ? { ...own, namespace: namespace.name }
      : ownerAnnotations(cluster, shared, projectName);
  return [
    toResource('project', {
      meta: { uuid: project.uuid, fqName, parentType: 'domain', annotations },
    }),
    securityGroup,
  ];
}

/** The security group that every interface of the namespace refers to. */
export function defaultSecurityGroup(cluster: Cluster, namespace: KubeNamespace): ObjectReference {
  return {
    uuid: derivedUuid(cluster.uid, 'security-group', namespace.uid),
    fqName: [...projectFqName(cluster, namespace.name), defaultSecurityGroupName(cluster.name, namespace.name)],
  };
}

/** Ingress and egress, both families, every protocol and port. Source: contrail-r21.md 2.3. */
function allowAll(cluster: Cluster, namespaceUid: string): DeepPartial<PolicyRuleType>[] {
  const families = [
    { ethertype: 'IPv4', everything: { subnet: { ipPrefix: '0.0.0.0', ipPrefixLen: 0 } } },
    { ethertype: 'IPv6', everything: { subnet: { ipPrefix: '::', ipPrefixLen: 0 } } },
  ];
  const local = { securityGroup: 'local' };
  const ports = [{ startPort: 0, endPort: 65535 }];
  return (['ingress', 'egress'] as const).flatMap((side) =>
    families.map(({ ethertype, everything }) => ({
      ruleUuid: derivedUuid(cluster.uid, 'security-group-rule', namespaceUid, `${side}/${ethertype}`),
      direction: '>',
      protocol: 'any',
      ethertype,
      srcAddresses: [side === 'ingress' ? everything : local],
      srcPorts: ports,
      dstAddresses: [side === 'ingress' ? local : everything],
      dstPorts: ports,
    })),
  );
}
