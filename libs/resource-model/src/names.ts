/**
 * Names of R21 for the objects of a Kubernetes cluster. Source: contrail-r21.md, 2.1 and 2.3. Where R21
 * appended a random uuid, the caller passes the derived one, so that a retry meets its own work.
 */

export const defaultDomainName = 'default-domain';
export const defaultProjectName = 'default-project';
export const globalSystemConfigName = 'default-global-system-config';
export const ipFabricNetworkName = 'ip-fabric';

/** Project of a namespace; one shared project when the cluster is configured so. */
export function projectName(cluster: string, namespace: string, sharedProject = ''): string {
  return sharedProject === '' ? `${cluster}-${namespace}` : sharedProject;
}

/** Pod network of a namespace; that of namespace `default` is the cluster's. */
export function podNetworkName(cluster: string, namespace = 'default'): string {
  return `${cluster}-${namespace}-pod-network`;
}

/** Service network of a namespace; that of namespace `default` is the cluster's. */
export function serviceNetworkName(cluster: string, namespace = 'default'): string {
  return `${cluster}-${namespace}-service-network`;
}

export function podIpamName(cluster: string): string {
  return `${cluster}-pod-ipam`;
}

export function serviceIpamName(cluster: string): string {
  return `${cluster}-service-ipam`;
}

/** Alias addresses of pods whose own addresses are not unique. */
export function aliasIpPoolName(cluster: string): string {
  return `${cluster}-default-alias-pool`;
}

/** IPAM of a network that a NetworkAttachmentDefinition makes. */
export function attachmentIpamName(cluster: string, attachment: string): string {
  return `${cluster}-${attachment}-pod-ipam`;
}

/** Network that a NetworkAttachmentDefinition makes. */
export function attachmentNetworkName(cluster: string, attachment: string): string {
  return `${cluster}-${attachment}-pod-network`;
}

export function ipFabricIpamName(cluster: string): string {
  return `${cluster}-ip-fabric-ipam`;
}

/** Joins ip-fabric with every network to which it is attached. */
export function ipFabricPolicyName(cluster: string): string {
  return `${cluster}-default-ip-fabric-np`;
}

/** Joins the cluster service network with every network to which it is attached. */
export function servicePolicyName(cluster: string): string {
  return `${cluster}-default-service-np`;
}

/** Joins the pod network and the service network of the cluster. */
export function clusterPodServicePolicyName(cluster: string): string {
  return `${cluster}-default-pod-service-np`;
}

/** Joins the pod network and the service network of an isolated namespace. */
export function podServicePolicyName(cluster: string, namespace: string): string {
  return `${cluster}-${namespace}-pod-service-np`;
}

export function defaultSecurityGroupName(cluster: string, namespace: string): string {
  return `${cluster}-${namespace}-default-sg`;
}

/** A pod; without parent. */
export function virtualMachineName(cluster: string, namespace: string, pod: string): string {
  return `${cluster}__${namespace}__${pod}`;
}

/** An interface of a pod, child of the project. */
export function podInterfaceName(pod: string, interfaceUuid: string): string {
  return `${pod}__${interfaceUuid}`;
}

/** The address of a pod's interface; without parent. */
export function podInstanceIpName(pod: string, interfaceUuid: string): string {
  return `${pod}__${interfaceUuid}`;
}

/** A Service or an Ingress, child of the project. */
export function loadbalancerName(name: string, kubernetesUid: string): string {
  return `${name}__${kubernetesUid}`;
}

/** The interface that carries the address of a Service or an Ingress. */
export function loadbalancerInterfaceName(
  cluster: string,
  kind: 'Service' | 'Ingress',
  object: { readonly name: string; readonly uid: string },
): string {
  return `${cluster}__${kind}__${object.name}__${object.uid}`;
}

/** The address of a Service or an Ingress; without parent. */
export function loadbalancerInstanceIpName(name: string, instanceIpUuid: string): string {
  return `${name}__${instanceIpUuid}`;
}

/** A listener or a pool of a load balancer: `<lb>-<proto>-<port>-<uuid>`. */
export function listenerName(
  loadbalancer: string,
  port: { readonly protocol: string; readonly port: number },
  uuid: string,
): string {
  return `${loadbalancer}-${port.protocol}-${port.port}-${uuid}`;
}
