import type { Address } from '@contrail/net';

/** What DNS needs of a Service. */
export interface ServiceRecord {
  readonly namespace: string;
  readonly name: string;
  readonly kind: 'clusterIP' | 'headless' | 'externalName';
  /** One for each family; empty unless kind is clusterIP. */
  readonly clusterIps: readonly Address[];
  /** Empty unless kind is externalName. */
  readonly externalName: string;
  readonly ports: readonly PortRecord[];
  readonly publishNotReadyAddresses: boolean;
}

export interface PortRecord {
  /** Empty when the port has no name. */
  readonly name: string;
  /** Small letters: `tcp`, `udp`, `sctp`. */
  readonly protocol: string;
  readonly port: number;
}

/** What DNS needs of an EndpointSlice. */
export interface SliceRecord {
  readonly namespace: string;
  /** The Service that it belongs to. */
  readonly service: string;
  readonly ports: readonly PortRecord[];
  readonly endpoints: readonly EndpointRecord[];
}

export interface EndpointRecord {
  readonly addresses: readonly Address[];
  /** Empty when the endpoint has none. */
  readonly hostname: string;
  readonly isReady: boolean;
}

/** What DNS needs of a pod. */
export interface PodRecord {
  readonly namespace: string;
  readonly addresses: readonly Address[];
}
