import type { Container, Namespace, Pod, Service } from 'kubernetes-types/core/v1';
import type { KubeObject } from '@contrail/kube';
import type { DialTarget } from '../probe/dial-probe';

/** Kinds of namespaces: what isolation annotations make of them, one with a network of its own, and one on the host network. */
export const namespaceKinds = ['open', 'isolated', 'lifted', 'custom', 'host'] as const;
export type NamespaceKind = (typeof namespaceKinds)[number];

/** A pod that probes and is probed. */
export interface Prober {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly kind: NamespaceKind;
}

/** Not those of anybody else, because pods on the host network have them, too. */
export const probePorts = { tcp: 27_100, udp: 27_101 };
export const serviceName = 'probe';
/** On namespaces: the run that made them. */
export const runLabel = 'contrail.opencontrail.org/selftest';

/** NetworkAttachmentDefinition of the custom namespace, which goes with it; kube-manager makes its network. */
export const definitionName = 'selftest';
const customSubnet = '198.18.0.0/24';

const appLabel = { app: 'contrail-selftest' };
const program = ['node', '/opt/contrail/contrailctl/main.js', 'probe'];
const unprivilegedUser = 65_532;

export function namespaceName(run: string, kind: NamespaceKind): string {
  return `contrail-selftest-${run}-${kind}`;
}

export function namespaceOf(run: string, kind: NamespaceKind): Namespace {
  const isIsolated = kind === 'isolated' || kind === 'lifted';
  const annotations = {
    ...(isIsolated ? { 'opencontrail.org/isolation': 'true' } : {}),
    ...(kind === 'lifted' ? { 'opencontrail.org/isolation.service': 'false' } : {}),
  };
  // Host network and CAP_NET_RAW.
  const labels = { [runLabel]: run, 'pod-security.kubernetes.io/enforce': 'privileged' };
  return { metadata: { name: namespaceName(run, kind), labels, annotations } };
}

export interface NetworkAttachmentDefinition extends KubeObject {
  readonly spec: { readonly config: string };
}

export function definitionOf(namespace: string): NetworkAttachmentDefinition {
  const annotations = { 'opencontrail.org/cidr': customSubnet };
  return { metadata: { name: definitionName, namespace, annotations }, spec: { config: '{"cniVersion": "0.3.1", "type": "contrail-k8s-cni"}' } };
}

/** Hashed over the pods of its namespace. */
export function serviceOf(namespace: string): Service {
  const ports = [
    { name: 'tcp', port: probePorts.tcp, protocol: 'TCP' },
    { name: 'udp', port: probePorts.udp, protocol: 'UDP' },
  ];
  return { metadata: { name: serviceName, namespace }, spec: { selector: appLabel, ports } };
}

/** @param network name of the VirtualNetwork of its own that it is on; empty: its namespace's. */
export function podOf({ namespace, name, node, kind }: Prober, image: string, network: string): Pod {
  return {
    metadata: { name, namespace, labels: appLabel, annotations: network === '' ? {} : { 'opencontrail.org/network': network } },
    spec: {
      nodeName: node,
      hostNetwork: kind === 'host',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 0,
      tolerations: [{ operator: 'Exists' }],
      securityContext: { runAsNonRoot: true, runAsUser: unprivilegedUser, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          ...containerOf('serve', image, ['serve', `${namespace}/${name}`, String(probePorts.tcp), String(probePorts.udp)]),
          resources: { requests: { cpu: '5m', memory: '32Mi' }, limits: { memory: '256Mi' } },
          readinessProbe: { tcpSocket: { port: probePorts.tcp }, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 30 },
        },
      ],
    },
  };
}

/** Patch of the subresource `ephemeralcontainers`: the pod, with its own address, dials the targets once. */
export function dialPatch(container: string, image: string, targets: readonly DialTarget[]): unknown {
  const dial = containerOf(container, image, ['dial', JSON.stringify(targets)]);
  return { spec: { ephemeralContainers: [{ ...dial, securityContext: { ...dial.securityContext, ...mayEcho } }] } };
}

const secured = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } };
/** An unprivileged process has no capabilities, and ICMP needs this one. */
const mayEcho = { runAsNonRoot: false, runAsUser: 0, capabilities: { drop: ['ALL'], add: ['NET_RAW'] } };

function containerOf(name: string, image: string, words: readonly string[]): Container {
  return { name, image, imagePullPolicy: 'IfNotPresent', command: [...program, ...words], securityContext: secured };
}
