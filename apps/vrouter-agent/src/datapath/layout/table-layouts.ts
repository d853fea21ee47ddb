/**
 * How each table of the port is kept in eBPF maps: names, structs, and the split by address family.
 * Pure; the kernel's tables and the in-memory ones both use it, so keys compare alike in tests.
 */
import type {
  BackendKey,
  BackendValue,
  CompositeKey,
  HostRouteKey,
  LabelInValue,
  LabelOutKey,
  NextHopValue,
  NodeKey,
  NodeValue,
  PolicyKey,
  PolicyValue,
  PrefixRouteKey,
  RouteValue,
  ServiceKey,
  ServiceValue,
  SourceKey,
  SourceRangeKey,
  VifKey,
  VifValue,
  VrfValue,
} from '../port';
import * as codecs from './port-codecs';
import type { Codec } from './struct-codec';
import { presentCodec, wordCodec } from './struct-codec';
import * as structs from './table-structs';

/** One eBPF map of a table; tables keyed by address have one for each family. */
export interface MapLayout<K> {
  readonly map: string;
  readonly key: Codec<K>;
}

export interface TableLayout<K, V> {
  readonly name: string;
  readonly value: Codec<V>;
  readonly maps: readonly MapLayout<K>[];
  /** Index into `maps`. */
  mapOf(key: K): number;
}

function single<K, V>(
  name: string,
  map: string,
  key: Codec<K>,
  value: Codec<V>,
): TableLayout<K, V> {
  return { name, value, maps: [{ map, key }], mapOf: () => 0 };
}

interface Families<K, V> {
  readonly name: string;
  readonly map: string;
  readonly v4: Codec<K>;
  readonly v6: Codec<K>;
  readonly value: Codec<V>;
  readonly addressOf: (key: K) => Uint8Array;
}

function byFamily<K, V>(options: Families<K, V>): TableLayout<K, V> {
  return {
    name: options.name,
    value: options.value,
    maps: [
      { map: `${options.map}_v4`, key: options.v4 },
      { map: `${options.map}_v6`, key: options.v6 },
    ],
    mapOf: (key) => (options.addressOf(key).length === 4 ? 0 : 1),
  };
}

/** Every table of the port. */
export const tableLayouts = {
  vifs: single<VifKey, VifValue>('vifs', 'vifs', codecs.vifKey, codecs.vifValue),
  sources: byFamily<SourceKey, true>({
    name: 'sources',
    map: 'sources',
    v4: codecs.sourceKey(structs.sourceKeyV4Struct),
    v6: codecs.sourceKey(structs.sourceKeyV6Struct),
    value: presentCodec,
    addressOf: (key) => key.prefix.address,
  }),
  hostRoutes: byFamily<HostRouteKey, RouteValue>({
    name: 'hostRoutes',
    map: 'host_routes',
    v4: codecs.hostRouteKey(structs.hostRouteKeyV4Struct),
    v6: codecs.hostRouteKey(structs.hostRouteKeyV6Struct),
    value: codecs.routeValue,
    addressOf: (key) => key.address,
  }),
  prefixRoutes: byFamily<PrefixRouteKey, RouteValue>({
    name: 'prefixRoutes',
    map: 'prefix_routes',
    v4: codecs.prefixRouteKey(structs.prefixRouteKeyV4Struct),
    v6: codecs.prefixRouteKey(structs.prefixRouteKeyV6Struct),
    value: codecs.routeValue,
    addressOf: (key) => key.prefix.address,
  }),
  nextHops: single<number, NextHopValue>('nextHops', 'next_hops', wordCodec, codecs.nextHopValue),
  composites: single<CompositeKey, RouteValue>(
    'composites',
    'composites',
    structs.compositeKeyStruct,
    codecs.routeValue,
  ),
  labelsIn: single<number, LabelInValue>('labelsIn', 'labels_in', wordCodec, codecs.labelInValue),
  labelsOut: single<LabelOutKey, number>(
    'labelsOut',
    'labels_out',
    structs.labelOutKeyStruct,
    wordCodec,
  ),
  services: byFamily<ServiceKey, ServiceValue>({
    name: 'services',
    map: 'services',
    v4: codecs.serviceKey(structs.serviceKeyV4Struct),
    v6: codecs.serviceKey(structs.serviceKeyV6Struct),
    value: codecs.serviceValue,
    addressOf: (key) => key.address,
  }),
  backends: single<BackendKey, BackendValue>(
    'backends',
    'backends',
    structs.backendKeyStruct,
    codecs.backendValue,
  ),
  sourceRanges: byFamily<SourceRangeKey, true>({
    name: 'sourceRanges',
    map: 'source_ranges',
    v4: codecs.sourceRangeKey(structs.sourceRangeKeyV4Struct),
    v6: codecs.sourceRangeKey(structs.sourceRangeKeyV6Struct),
    value: presentCodec,
    addressOf: (key) => key.prefix.address,
  }),
  nodes: byFamily<NodeKey, NodeValue>({
    name: 'nodes',
    map: 'nodes',
    v4: structs.nodeKeyV4Struct,
    v6: structs.nodeKeyV6Struct,
    value: codecs.nodeValue,
    addressOf: (key) => key.address,
  }),
  policies: single<PolicyKey, PolicyValue>('policies', 'policies', codecs.policyKey, codecs.policyValue),
  vrfs: single<number, VrfValue>('vrfs', 'vrfs', wordCodec, codecs.vrfValue),
} as const;
