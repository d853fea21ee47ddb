import type {
  BackendValue,
  HostRouteKey,
  IpPrefix,
  LabelInValue,
  LabelOutKey,
  NextHopValue,
  NodeKey,
  NodeValue,
  PolicyKey,
  PolicyValue,
  ServiceKey,
  ServiceValue,
  SourceKey,
  VifKey,
  VifValue,
  VrfValue,
} from '../datapath/port';

type Row<K, V> = readonly [K, V];

/** A route whose next hop has no number yet; more than one member is ECMP. */
export interface RouteSpec {
  readonly vrf: number;
  readonly prefix: IpPrefix;
  /** Identity of what is behind the prefix; 0: unknown. */
  readonly identity: number;
  /** At least one. */
  readonly members: readonly NextHopValue[];
}

/** A service whose id and slots are not chosen yet. */
export interface ServiceSpec {
  readonly key: ServiceKey;
  readonly flags: Omit<ServiceValue, 'id' | 'slotCount'>;
  readonly sourceRanges: readonly IpPrefix[];
  readonly backends: readonly BackendValue[];
}

/** Everything that one unit wants in the datapath; what is absent is empty. */
export interface UnitRows {
  readonly vrfs?: ReadonlyArray<Row<number, VrfValue>>;
  readonly nodes?: ReadonlyArray<Row<NodeKey, NodeValue>>;
  readonly labelsIn?: ReadonlyArray<Row<number, LabelInValue>>;
  readonly labelsOut?: ReadonlyArray<Row<LabelOutKey, number>>;
  readonly vifs?: ReadonlyArray<Row<VifKey, VifValue>>;
  readonly sources?: readonly SourceKey[];
  readonly policies?: ReadonlyArray<Row<PolicyKey, PolicyValue>>;
  readonly routes?: readonly RouteSpec[];
  readonly services?: readonly ServiceSpec[];
  /** Addresses of services: what is for no port of theirs is dropped instead of routed. */
  readonly serviceAddresses?: readonly HostRouteKey[];
  /** Addresses that the vRouter answers for. */
  readonly gateways?: readonly HostRouteKey[];
}

export const noRows: UnitRows = {};
