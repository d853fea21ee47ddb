import type { NetworkAttachmentDefinition } from '@contrail/kube';
import type { Namespace, Node, Pod, Service } from 'kubernetes-types/core/v1';
import type { EndpointSlice } from 'kubernetes-types/discovery/v1';

/** Kubernetes objects as tests write them: only what matters. uids are derived from the names. */
export function uidOf(kind: string, namespace: string, name: string): string {
  let hash = 0n;
  for (const letter of `${kind}/${namespace}/${name}`) hash = (hash * 131n + BigInt(letter.charCodeAt(0))) & 0xffffffffffffn;
  return `00000000-0000-4000-8000-${hash.toString(16).padStart(12, '0')}`;
}

export function makeNamespace(name: string, annotations: Record<string, string> = {}): Namespace {
  return { metadata: { name, uid: uidOf('Namespace', '', name), annotations } };
}

export function makeNode(name: string, ...internalIps: string[]): Node {
  return {
    metadata: { name, uid: uidOf('Node', '', name) },
    status: { addresses: internalIps.map((address) => ({ type: 'InternalIP', address })) },
  };
}

export function makeAttachment(
  namespace: string,
  name: string,
  annotations: Record<string, string>,
  config = '{"cniVersion": "0.3.1", "type": "contrail-k8s-cni"}',
): NetworkAttachmentDefinition {
  return { metadata: { namespace, name, uid: uidOf('NetworkAttachmentDefinition', namespace, name), annotations }, spec: { config } };
}

export interface PodOptions {
  readonly nodeName?: string;
  readonly phase?: string;
  readonly hostNetwork?: boolean;
  readonly uid?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly hostPort?: number;
  readonly podIp?: string;
}

export function makePod(namespace: string, name: string, options: PodOptions = {}): Pod {
  const { nodeName = 'node1', phase = 'Pending', hostNetwork = false, labels = {}, hostPort } = options;
  const ports = hostPort === undefined ? [] : [{ containerPort: 8080, hostPort, protocol: 'TCP', hostIP: '0.0.0.0' }];
  return {
    metadata: { namespace, name, uid: options.uid ?? uidOf('Pod', namespace, name), labels, annotations: options.annotations ?? {} },
    spec: { hostNetwork, containers: [{ name: 'main', ports }], ...(nodeName === '' ? {} : { nodeName }) },
    status: { phase, ...(options.podIp === undefined ? {} : { podIP: options.podIp, podIPs: [{ ip: options.podIp }] }) },
  };
}

export interface ServiceOptions {
  readonly clusterIP?: string;
  readonly type?: string;
  readonly labels?: Record<string, string>;
  readonly ports?: { name?: string; port: number; protocol?: string; nodePort?: number }[];
}

export function makeService(namespace: string, name: string, options: ServiceOptions = {}): Service {
  const { clusterIP = '10.96.0.5', type = 'ClusterIP', labels = {}, ports = [{ name: 'http', port: 80 }] } = options;
  return {
    metadata: { namespace, name, uid: uidOf('Service', namespace, name), labels },
    spec: {
      type,
      ports: ports.map((port) => ({ protocol: 'TCP', ...port })),
      ...(clusterIP === '' ? {} : { clusterIP, clusterIPs: [clusterIP] }),
    },
  };
}

export interface EndpointOptions {
  readonly address: string;
  readonly pod?: string;
  readonly ready?: boolean;
}

export function makeSlice(
  namespace: string,
  service: string,
  endpoints: readonly EndpointOptions[],
  options: { readonly suffix?: string; readonly port?: number; readonly portName?: string } = {},
): EndpointSlice {
  const { suffix = 'a', port = 8080, portName = 'http' } = options;
  const name = `${service}-${suffix}`;
  return {
    metadata: {
      namespace,
      name,
      uid: uidOf('EndpointSlice', namespace, name),
      labels: { 'kubernetes.io/service-name': service },
    },
    addressType: 'IPv4',
    ports: [{ name: portName, port, protocol: 'TCP' }],
    endpoints: endpoints.map(({ address, pod, ready = true }) => ({
      addresses: [address],
      conditions: { ready, serving: ready, terminating: false },
      ...(pod === undefined ? {} : { targetRef: { kind: 'Pod', namespace, name: pod, uid: uidOf('Pod', namespace, pod) } }),
    })),
  };
}
