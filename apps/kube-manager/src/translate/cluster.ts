import type { Prefix } from '@contrail/net';
import { derivedUuid, podNetworkName, projectName, serviceNetworkName } from '@contrail/resource-model';

/** What translation knows of the cluster; nothing in it changes while the process runs. */
export interface Cluster {
  readonly name: string;
  /** uid of the namespace kube-system. */
  readonly uid: string;
  readonly domain: string;
  readonly owner: string;
  /** One project for all namespaces; empty: one for each. */
  readonly sharedProject: string;
  readonly podSubnets: readonly Prefix[];
  readonly serviceSubnets: readonly Prefix[];
  readonly ipFabricSubnets: readonly Prefix[];
  readonly ipFabricSnat: boolean;
}

/** An object that another one refers to. */
export interface ObjectReference {
  readonly uuid: string;
  readonly fqName: readonly string[];
}

export function reference({ uuid, fqName }: ObjectReference): { uuid: string; fqName: string[] } {
  return { uuid, fqName: [...fqName] };
}

/** Name of the namespace whose project and networks are the cluster's. */
export const defaultNamespace = 'default';
/** The namespace whose uid is the cluster's, and on which events about the whole cluster are. */
export const systemNamespace = 'kube-system';

export function projectFqName(cluster: Cluster, namespace: string): string[] {
  return [cluster.domain, projectName(cluster.name, namespace, cluster.sharedProject)];
}

/** Identity of the project of a namespace, when we make it. */
export function projectUuid(cluster: Cluster, namespaceUid: string): string {
  return derivedUuid(cluster.uid, 'project', cluster.sharedProject === '' ? namespaceUid : cluster.uid);
}

/** The cluster pod network; every pod of a namespace that is not isolated is on it. */
export function podNetwork(cluster: Cluster): ObjectReference {
  return {
    uuid: derivedUuid(cluster.uid, 'virtual-network/pod', cluster.uid),
    fqName: [...projectFqName(cluster, defaultNamespace), podNetworkName(cluster.name)],
  };
}

/** The cluster service network; every cluster IP is on it. */
export function serviceNetwork(cluster: Cluster): ObjectReference {
  return {
    uuid: derivedUuid(cluster.uid, 'virtual-network/service', cluster.uid),
    fqName: [...projectFqName(cluster, defaultNamespace), serviceNetworkName(cluster.name)],
  };
}

export type IpFamily = 4 | 6;

/** Families of a list of subnets, IPv4 first. */
export function familiesOf(subnets: readonly Prefix[]): IpFamily[] {
  const families: readonly IpFamily[] = [4, 6];
  return families.filter((family) => subnets.some((subnet) => subnet.address.length === (family === 4 ? 4 : 16)));
}
