import type { GlobalConfig, Node } from '@contrail/proto-gen/control/v1/messages';

/** A device on this node that carries a VMI, made by the CNI plugin. */
export interface AttachedDevice {
  readonly ifindex: number;
  readonly mtu: number;
  /** Port mappings that the runtime asked for beside those of the VMI. */
  readonly hostPorts: readonly DeviceHostPort[];
}

export interface DeviceHostPort {
  readonly protocol: number;
  readonly hostPort: number;
  readonly containerPort: number;
  /** Empty: every address of the node. */
  readonly hostAddress: Uint8Array;
}

/** What the agent knows of its own node; changes are rare and derive everything anew. */
export interface LocalFacts {
  readonly nodeAddressV4: Uint8Array | undefined;
  readonly nodeAddressV6: Uint8Array | undefined;
  readonly uplinkIfindex: number;
  readonly tunnelIfindex: number;
  /** 0 while the host interface does not exist. */
  readonly hostIfindex: number;
  readonly uplinkMtu: number;
  /** What is left for an inner packet: the uplink's without the tunnel's headers. */
  readonly podMtu: number;
  /** Flow records that fit on this node. */
  readonly flowCapacity: number;
}

export const noLocalFacts: LocalFacts = {
  nodeAddressV4: undefined,
  nodeAddressV6: undefined,
  uplinkIfindex: 0,
  tunnelIfindex: 0,
  hostIfindex: 0,
  uplinkMtu: 0,
  podMtu: 0,
  flowCapacity: 0,
};

/**
 * What reducers may read beside their own entry. Reads are recorded: a unit is derived again when
 * something that it read has changed, so there is no list of dependencies to keep.
 */
export interface Facts {
  /** Name of this node. */
  readonly self: string;
  node(name: string): Node | undefined;
  device(vmiUuid: string): AttachedDevice | undefined;
  policyKnown(id: number): boolean;
  global(): GlobalConfig | undefined;
  local(): LocalFacts;
}
