import type { Namespace, Node, Pod, Service } from 'kubernetes-types/core/v1';
import type { EndpointSlice } from 'kubernetes-types/discovery/v1';
import { isolationKey, isolationStatusKey, networkKey, networkStatusKey, serviceIsolationKey } from './annotation-keys';

/**
 * Kubernetes objects with the fields that we use, and nothing else: this is what a cluster of 150 000 pods
 * costs in memory, and a change in any other field is no change for us.
 */
export interface KubeNamespace {
  readonly name: string;
  readonly uid: string;
  /** Annotations as written; absent ones are undefined. */
  readonly isolation: string | undefined;
  readonly serviceIsolation: string | undefined;
  readonly network: string | undefined;
  /** What we wrote there. */
  readonly isolationStatus: string | undefined;
}

export interface KubeNode {
  readonly name: string;
  readonly uid: string;
  /** Addresses of type InternalIP as Kubernetes has them, in order. */
  readonly internalIps: readonly string[];
}

export interface KubePod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly nodeName: string;
  /** Phase Succeeded or Failed: its sandbox is freed, and its addresses with it. */
  readonly finished: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly hostPorts: readonly KubeHostPort[];
  /** The annotation as written; undefined: none. */
  readonly network: string | undefined;
  /** What we wrote about its network; undefined: nothing yet. */
  readonly networkStatus: string | undefined;
  /** Addresses that the pod has by its own report (status.podIPs), one for each family; empty until it runs. */
  readonly reportedAddresses: readonly string[];
}

export interface KubeHostPort {
  readonly protocol: string;
  readonly hostPort: number;
  readonly containerPort: number;
  readonly hostIp: string;
}

export interface KubeService {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly type: string;
  readonly clusterIps: readonly string[];
  readonly ports: readonly KubeServicePort[];
  /** Another proxy serves it (label service.kubernetes.io/service-proxy-name). */
  readonly foreignProxy: boolean;
  readonly affinityTimeoutS: number;
  readonly sourceRanges: readonly string[];
  readonly internalLocalOnly: boolean;
  readonly externalLocalOnly: boolean;
  readonly publishNotReady: boolean;
  readonly healthCheckNodePort: number;
}

export interface KubeServicePort {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
  readonly nodePort: number;
}

export interface KubeEndpointSlice {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Empty: belongs to no Service. */
  readonly serviceName: string;
  readonly addressType: string;
  readonly ports: readonly KubeEndpointPort[];
  readonly endpoints: readonly KubeEndpoint[];
}

export interface KubeEndpointPort {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
}

export interface KubeEndpoint {
  readonly addresses: readonly string[];
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly nodeName: string;
  readonly zone: string;
  readonly hintZones: readonly string[];
  readonly hintNodes: readonly string[];
  /** uid of the pod behind it; empty when it is no pod. */
  readonly podUid: string;
}

export function toKubeNamespace(raw: Namespace): KubeNamespace {
  const { name = '', uid = '', annotations = {} } = raw.metadata ?? {};
  return {
    name,
    uid,
    isolation: annotations[isolationKey],
    serviceIsolation: annotations[serviceIsolationKey],
    network: annotations[networkKey],
    isolationStatus: annotations[isolationStatusKey],
  };
}

export function toKubeNode(raw: Node): KubeNode {
  const addresses = raw.status?.addresses ?? [];
  return {
    name: raw.metadata?.name ?? '',
    uid: raw.metadata?.uid ?? '',
    internalIps: addresses.filter((entry) => entry.type === 'InternalIP').map((entry) => entry.address),
  };
}

/** @returns undefined for a pod that does not concern us: on the host network, or not scheduled yet. */
export function toKubePod(raw: Pod): KubePod | undefined {
  const { metadata, spec, status } = raw;
  if (spec === undefined || spec.hostNetwork === true || (spec.nodeName ?? '') === '') return undefined;
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const hostPorts = containers.flatMap((container) =>
    (container.ports ?? [])
      .filter((port) => (port.hostPort ?? 0) !== 0)
      .map((port) => ({
        protocol: port.protocol ?? 'TCP',
        hostPort: port.hostPort ?? 0,
        containerPort: port.containerPort,
        hostIp: port.hostIP ?? '',
      })),
  );
  return {
    namespace: metadata?.namespace ?? '',
    name: metadata?.name ?? '',
    uid: metadata?.uid ?? '',
    nodeName: spec.nodeName ?? '',
    finished: status?.phase === 'Succeeded' || status?.phase === 'Failed',
    labels: metadata?.labels ?? {},
    hostPorts,
    network: metadata?.annotations?.[networkKey],
    networkStatus: metadata?.annotations?.[networkStatusKey],
    reportedAddresses: (status?.podIPs ?? []).flatMap(({ ip }) => ip ?? []),
  };
}

const proxyNameLabel = 'service.kubernetes.io/service-proxy-name';
const defaultAffinityS = 10_800;

export function toKubeService(raw: Service): KubeService {
  const { metadata, spec } = raw;
  const clusterIps = spec?.clusterIPs ?? (spec?.clusterIP === undefined ? [] : [spec.clusterIP]);
  const affinityS = spec?.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? defaultAffinityS;
  return {
    namespace: metadata?.namespace ?? '',
    name: metadata?.name ?? '',
    uid: metadata?.uid ?? '',
    type: spec?.type ?? 'ClusterIP',
    clusterIps: clusterIps.filter((address) => address !== '' && address !== 'None'),
    ports: (spec?.ports ?? []).map((port) => ({
      name: port.name ?? '',
      protocol: port.protocol ?? 'TCP',
      port: port.port,
      nodePort: port.nodePort ?? 0,
    })),
    foreignProxy: metadata?.labels?.[proxyNameLabel] !== undefined,
    affinityTimeoutS: spec?.sessionAffinity === 'ClientIP' ? affinityS : 0,
    sourceRanges: spec?.loadBalancerSourceRanges ?? [],
    internalLocalOnly: spec?.internalTrafficPolicy === 'Local',
    externalLocalOnly: spec?.externalTrafficPolicy === 'Local',
    publishNotReady: spec?.publishNotReadyAddresses === true,
    healthCheckNodePort: spec?.healthCheckNodePort ?? 0,
  };
}

/** Newer than the types package. */
interface NodeHints {
  readonly forNodes?: readonly { readonly name: string }[];
}

export function toKubeEndpointSlice(raw: EndpointSlice): KubeEndpointSlice {
  const { metadata } = raw;
  return {
    namespace: metadata?.namespace ?? '',
    name: metadata?.name ?? '',
    uid: metadata?.uid ?? '',
    serviceName: metadata?.labels?.['kubernetes.io/service-name'] ?? '',
    addressType: raw.addressType,
    ports: (raw.ports ?? []).flatMap(({ name, protocol, port }) =>
      port === undefined || port === null ? [] : [{ name: name ?? '', protocol: protocol ?? 'TCP', port }],
    ),
    endpoints: (raw.endpoints ?? []).map((endpoint) => {
      const ready = endpoint.conditions?.ready ?? true;
      return {
        addresses: endpoint.addresses,
        ready,
        serving: endpoint.conditions?.serving ?? ready,
        terminating: endpoint.conditions?.terminating ?? false,
        nodeName: endpoint.nodeName ?? '',
        zone: endpoint.zone ?? '',
        hintZones: (endpoint.hints?.forZones ?? []).map((zone) => zone.name),
        hintNodes: ((endpoint.hints as NodeHints | undefined)?.forNodes ?? []).map((node) => node.name),
        podUid: endpoint.targetRef?.kind === 'Pod' ? (endpoint.targetRef.uid ?? '') : '',
      };
    }),
  };
}
