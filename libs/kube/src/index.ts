export { EventRecorder } from './event-recorder';
export type { EventRecorderOptions, EventSubject, KubeEvent } from './event-recorder';
export { KubeClient } from './kube-client';
export type {
  KubeCallOptions,
  KubeList,
  KubeListOptions,
  KubePatchType,
  KubeRawRequest,
} from './kube-client';
export { inClusterConnection, kubeconfigConnection } from './kube-connection';
export type { InClusterOptions, KubeConnection, KubeCredentials } from './kube-connection';
export { kubeKinds, kubePath } from './kube-kind';
export type { KubeKind, KubeObject, KubeTarget, NetworkAttachmentDefinition, ServiceCidr } from './kube-kind';
export { LeaseElector } from './lease-elector';
export type { LeaseElectorOptions } from './lease-elector';
export { Reflector } from './reflector';
export type { Reflected, ReflectorEvent, ReflectorHandlers, ReflectorOptions } from './reflector';
