import type { Address } from '@contrail/net';
import type { InterfaceObject, LoadbalancerObject } from '../model/model-object';
import type { Network } from '../topology/topology';

/** Who sends; the world outside has no network. */
export interface Sender {
  /** For people: "pod default/web". */
  readonly name: string;
  readonly address: Address | undefined;
  readonly node: string;
  /** In whose VRF its packets are looked up. */
  readonly network: Network | undefined;
  /** Undefined for a node. */
  readonly interface: InterfaceObject | undefined;
}

/** Who is called. */
export type Target =
  | {
      readonly kind: 'interface';
      readonly name: string;
      readonly interface: InterfaceObject;
      readonly network: Network;
      readonly node: string;
      /** The pod's address as Kubernetes knows it first. */
      readonly addresses: readonly Address[];
    }
  | { readonly kind: 'node'; readonly name: string; readonly node: string; readonly addresses: readonly Address[] }
  /** Nobody in particular: whoever the sender's VRF says has it. */
  | { readonly kind: 'address'; readonly name: string; readonly addresses: readonly Address[] }
  | ServiceTarget;

export interface ServiceTarget {
  readonly kind: 'service';
  readonly name: string;
  readonly loadbalancer: LoadbalancerObject;
  /** Its cluster IPs, each with the network it is of. */
  readonly clusterIps: readonly { readonly address: Address; readonly networkUuid: string }[];
}
