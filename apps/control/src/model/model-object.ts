import type { Address, Prefix } from '@contrail/net';
import type { NetworkPolicy } from '@contrail/policy';

/**
 * Slim copies of the resources that forwarding depends on: only the fields used, parsed once, so that
 * a change of anything else recompiles nothing and a million objects fit into memory.
 */
export type ModelObject =
  | NetworkIpamObject
  | VirtualNetworkObject
  | RoutingInstanceObject
  | NetworkPolicyObject
  | GlobalVrouterConfigObject
  | VirtualRouterObject
  | VirtualMachineObject
  | InterfaceObject
  | InstanceIpObject
  | AliasIpObject
  | LoadbalancerObject
  | ListenerObject
  | PoolObject
  | MemberObject;

/** Kebab-case type, as in the resource model. */
export type ModelType = ModelObject['type'];

export type ObjectOf<T extends ModelType> = Extract<ModelObject, { type: T }>;

export interface Subnet {
  readonly prefix: Prefix;
  /** Undefined when the subnet is too small to have one. */
  readonly gateway: Address | undefined;
  readonly dnsServer: Address | undefined;
}

export interface NetworkIpamObject {
  readonly type: 'network-ipam';
  readonly uuid: string;
  readonly subnets: readonly Subnet[];
}

export interface VirtualNetworkObject {
  readonly type: 'virtual-network';
  readonly uuid: string;
  /** fq_name joined by colons. */
  readonly name: string;
  readonly networkId: number;
  readonly maxFlows: number;
  readonly fabricSnat: boolean;
  readonly portSecurity: boolean;
  /** IPAMs with the subnets that the reference itself carries. */
  readonly ipams: readonly { readonly uuid: string; readonly subnets: readonly Subnet[] }[];
  /** In the order in which they apply. */
  readonly policyUuids: readonly string[];
  /** What its annotation says of networks that it is not joined with; empty: nothing. */
  readonly conflict: string;
}

export interface RoutingInstanceObject {
  readonly type: 'routing-instance';
  readonly uuid: string;
  readonly name: string;
  readonly networkUuid: string;
  readonly isDefault: boolean;
}

export interface NetworkPolicyObject extends NetworkPolicy {
  readonly type: 'network-policy';
  readonly uuid: string;
  /** What its annotation says of networks that it does not join; empty: nothing. */
  readonly conflict: string;
}

export interface GlobalVrouterConfigObject {
  readonly type: 'global-vrouter-config';
  readonly uuid: string;
  readonly flowTimeouts: readonly { readonly protocol: string; readonly timeoutS: number }[];
  readonly snatPorts: { readonly first: number; readonly last: number } | undefined;
}

export interface VirtualRouterObject {
  readonly type: 'virtual-router';
  readonly uuid: string;
  /** Last part of the fq_name: the name of the node. */
  readonly name: string;
  /** The tunnel endpoint first. */
  readonly addresses: readonly Address[];
}

export interface VirtualMachineObject {
  readonly type: 'virtual-machine';
  readonly uuid: string;
  /** Empty until the pod is scheduled. */
  readonly node: string;
  readonly hostPorts: readonly {
    readonly protocol: number;
    readonly hostPort: number;
    readonly containerPort: number;
    readonly hostAddress: Address | undefined;
  }[];
}

export interface InterfaceObject {
  readonly type: 'virtual-machine-interface';
  readonly uuid: string;
  readonly networkUuid: string;
  readonly machineUuid: string;
  /** Carries the address of a service: no interface of any node. */
  readonly isService: boolean;
  readonly mac: Uint8Array;
  readonly allowedSources: readonly Prefix[];
  /** Undefined: as the network says. */
  readonly portSecurity: boolean | undefined;
  readonly maxFlows: number;
  readonly containerInterface: string;
  readonly podNamespace: string;
  readonly podName: string;
  readonly vlan: number;
  /** Interface of the virtual machine around a nested pod; empty otherwise. */
  readonly parentUuid: string;
}

export interface InstanceIpObject {
  readonly type: 'instance-ip';
  readonly uuid: string;
  readonly address: Address;
  readonly secondary: boolean;
  readonly interfaceUuids: readonly string[];
}

/** A second address of interfaces, unique in the cluster whatever their network's addresses are. */
export interface AliasIpObject {
  readonly type: 'alias-ip';
  readonly uuid: string;
  readonly address: Address;
  readonly interfaceUuids: readonly string[];
}

export interface LoadbalancerObject {
  readonly type: 'loadbalancer';
  readonly uuid: string;
  /** "namespace/name" of the Service; the fq_name of a load balancer that nobody annotated. */
  readonly name: string;
  readonly interfaceUuids: readonly string[];
  readonly affinityTimeoutS: number;
  readonly sourceRanges: readonly Prefix[];
  readonly internalLocalOnly: boolean;
  readonly externalLocalOnly: boolean;
}

export interface ListenerObject {
  readonly type: 'loadbalancer-listener';
  readonly uuid: string;
  readonly loadbalancerUuid: string;
  readonly portName: string;
  /** IP protocol number. */
  readonly protocol: number;
  readonly port: number;
}

export interface PoolObject {
  readonly type: 'loadbalancer-pool';
  readonly uuid: string;
  readonly listenerUuid: string;
}

export interface MemberObject {
  readonly type: 'loadbalancer-member';
  readonly uuid: string;
  readonly poolUuid: string;
  readonly address: Address;
  readonly port: number;
  /** Of the pod behind it; empty for an endpoint that is no pod of ours. */
  readonly interfaceUuid: string;
  readonly machineUuid: string;
  readonly node: string;
  /** Why no traffic may go there; empty when it may. */
  readonly refused: string;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
}
