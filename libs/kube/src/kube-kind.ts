import type { Lease } from 'kubernetes-types/coordination/v1';
import type { Namespace, Node, Pod, Service } from 'kubernetes-types/core/v1';
import type { EndpointSlice } from 'kubernetes-types/discovery/v1';
import type { Event } from 'kubernetes-types/events/v1';
import type { ObjectMeta } from 'kubernetes-types/meta/v1';

/** What every object of the Kubernetes API has. */
export interface KubeObject {
  readonly metadata?: ObjectMeta;
}

/** One collection of the Kubernetes API. */
export interface KubeKind<T extends KubeObject> {
  /** `v1`, or group/version. */
  readonly apiVersion: string;
  /** As in manifests: `Pod`. */
  readonly kind: string;
  /** As in the path: `pods`. */
  readonly plural: string;
  readonly namespaced: boolean;
  /** Never set; ties the kind to the type of its objects. */
  readonly objectType?: T;
}

/** networking.k8s.io/v1, newer than the types package. */
export interface ServiceCidr extends KubeObject {
  readonly spec?: { readonly cidrs?: readonly string[] };
}

/** k8s.cni.cncf.io/v1: a network that pods may join. Its CRD may be absent. */
export interface NetworkAttachmentDefinition extends KubeObject {
  readonly spec?: { readonly config?: string };
}

/** The collections that our services read or write. */
export const kubeKinds = {
  namespaces: { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false } as KubeKind<Namespace>,
  nodes: { apiVersion: 'v1', kind: 'Node', plural: 'nodes', namespaced: false } as KubeKind<Node>,
  pods: { apiVersion: 'v1', kind: 'Pod', plural: 'pods', namespaced: true } as KubeKind<Pod>,
  services: { apiVersion: 'v1', kind: 'Service', plural: 'services', namespaced: true } as KubeKind<Service>,
  endpointSlices: {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    plural: 'endpointslices',
    namespaced: true,
  } as KubeKind<EndpointSlice>,
  serviceCidrs: {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    plural: 'servicecidrs',
    namespaced: false,
  } as KubeKind<ServiceCidr>,
  networkAttachments: {
    apiVersion: 'k8s.cni.cncf.io/v1',
    kind: 'NetworkAttachmentDefinition',
    plural: 'network-attachment-definitions',
    namespaced: true,
  } as KubeKind<NetworkAttachmentDefinition>,
  leases: {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    plural: 'leases',
    namespaced: true,
  } as KubeKind<Lease>,
  events: { apiVersion: 'events.k8s.io/v1', kind: 'Event', plural: 'events', namespaced: true } as KubeKind<Event>,
};

/** Names an object, or a collection when `name` is absent. */
export interface KubeTarget {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
}

/** `/api/v1/namespaces/blue/pods/web-1/status`. */
export function kubePath(kind: KubeKind<KubeObject>, target: KubeTarget = {}): string {
  const parts = [kind.apiVersion.includes('/') ? 'apis' : 'api', kind.apiVersion];
  if (kind.namespaced && target.namespace !== undefined) parts.push('namespaces', encodeURIComponent(target.namespace));
  parts.push(kind.plural);
  if (target.name !== undefined) parts.push(encodeURIComponent(target.name));
  if (target.subresource !== undefined) parts.push(target.subresource);
  return `/${parts.join('/')}`;
}

/** For people: `Pod/blue/web-1`, or `pods` for a collection. */
export function kubeObjectName(kind: KubeKind<KubeObject>, target: KubeTarget): string {
  if (target.name === undefined) return target.namespace === undefined ? kind.plural : `${kind.plural} in ${target.namespace}`;
  return [kind.kind, target.namespace, target.name].filter((part) => part !== undefined && part !== '').join('/');
}
