import type { Datapath, Table } from '../datapath/port';
import { DesiredTable } from './desired-table';

type KeyOf<Name extends TableName> = Parameters<Datapath[Name]['keyText']>[0];
type ValueOf<Name extends TableName> = Parameters<Datapath[Name]['equals']>[0];

/** Names of the datapath's tables, in the order in which rows are written: what is named by others first. */
export const tableNames = [
  'vrfs',
  'nextHops',
  'composites',
  'hostRoutes',
  'prefixRoutes',
  'labelsIn',
  'labelsOut',
  'backends',
  'sourceRanges',
  'services',
  'nodes',
  'policies',
  'sources',
  'vifs',
] as const;

export type TableName = (typeof tableNames)[number];

export type DesiredTables = {
  readonly [Name in TableName]: DesiredTable<KeyOf<Name>, ValueOf<Name>>;
};

function desired<K, V>(table: Table<K, V>): DesiredTable<K, V> {
  return new DesiredTable<K, V>((key) => table.keyText(key));
}

export function createDesiredTables(datapath: Datapath): DesiredTables {
  return {
    vrfs: desired(datapath.vrfs),
    nextHops: desired(datapath.nextHops),
    composites: desired(datapath.composites),
    hostRoutes: desired(datapath.hostRoutes),
    prefixRoutes: desired(datapath.prefixRoutes),
    labelsIn: desired(datapath.labelsIn),
    labelsOut: desired(datapath.labelsOut),
    backends: desired(datapath.backends),
    sourceRanges: desired(datapath.sourceRanges),
    services: desired(datapath.services),
    nodes: desired(datapath.nodes),
    policies: desired(datapath.policies),
    sources: desired(datapath.sources),
    vifs: desired(datapath.vifs),
  };
}
