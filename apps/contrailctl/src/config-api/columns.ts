import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { fieldsOf, findStructure, metaOf, referenceField, specOf, toCamelCase } from '@contrail/resource-model';
import type { PropertySpec, ReferenceSpec, ResourceType } from '@contrail/resource-model';
import { toTable } from '../output/print';
import type { Cell } from '../output/print';

interface Column {
  readonly head: string;
  cell(resource: Resource): Cell;
}

interface RankedColumn extends Column {
  readonly rank: number;
}

export interface TableOptions {
  readonly type: ResourceType;
  /** All properties, the uuid and the revision. */
  readonly wide: boolean;
  readonly nowMs: number;
}

/** Properties and references in the narrow table. */
const narrowColumnsMax = 4;
/** What a network says on its reference to an IPAM. */
const subnetsOfNetwork = 'VnSubnetsType';
/** What people look for first stands first: addresses, what it belongs to, how it is, and lists last. */
const ranks = { address: 0, reference: 1, scalar: 2, list: 3 } as const;

/** A table of objects of one type; its columns are the type's properties and references in the resource model. */
export function resourceTable(resources: readonly Resource[], options: TableOptions): string {
  const columns = columnsOf(options);
  return toTable(
    columns.map(({ head }) => head),
    resources.map((resource) => columns.map((column) => column.cell(resource))),
  );
}

function columnsOf({ type, wide, nowMs }: TableOptions): Column[] {
  const { properties, references } = specOf(type);
  const own = [
    ...properties.filter((property) => isShort(property) && (wide || !property.storedOnly)).map((property) => propertyColumn(type, property)),
    ...references.filter(({ to, max, attr }) => to !== 'tag' && (wide || max === 1 || attr === subnetsOfNetwork)).map(referenceColumn),
  ].sort((a, b) => a.rank - b.rank);
  const identity: Column = { head: 'NAME', cell: (resource) => metaOf(resource).fqName.join(':') };
  const age: Column = { head: 'AGE', cell: (resource) => ageText(metaOf(resource).idPerms?.created ?? '', nowMs) };
  if (!wide) return [identity, ...own.slice(0, narrowColumnsMax), age];
  const more: Column[] = [
    { head: 'UUID', cell: (resource) => metaOf(resource).uuid },
    { head: 'REVISION', cell: (resource) => metaOf(resource).revision },
  ];
  return [identity, ...own, age, ...more];
}

/** What fits into a cell: a scalar, or a structure around one list of texts. */
function isShort({ kind, name }: PropertySpec): boolean {
  if (name === 'network_ipam_mgmt') return false;
  return findStructure(kind) === undefined || shortStructures[kind] !== undefined;
}

type Fields = Readonly<Record<string, unknown>>;

const textsAt =
  (field: string) =>
  (value: Fields): string =>
    ((value[field] ?? []) as readonly string[]).join(',');
const subnetText = (value: unknown): string => {
  const { ipPrefix = '', ipPrefixLen = 0 } = (value ?? {}) as { ipPrefix?: string; ipPrefixLen?: number };
  return ipPrefix === '' ? '' : `${ipPrefix}/${ipPrefixLen}`;
};
const prefixesAt =
  (field: string) =>
  (value: Fields): string =>
    ((value[field] ?? []) as readonly { subnet?: unknown }[]).map(({ subnet }) => subnetText(subnet)).filter((text) => text !== '').join(',');

/** Structures that are one thing to their reader. */
const shortStructures: Readonly<Record<string, (value: Fields) => string>> = {
  SubnetType: subnetText,
  IpamSubnets: prefixesAt('subnets'),
  VnSubnetsType: prefixesAt('ipamSubnets'),
  MacAddressesType: textsAt('macAddress'),
  RouteTargetList: textsAt('routeTarget'),
};

function propertyColumn(type: ResourceType, property: PropertySpec): RankedColumn {
  const prefix = `${type.replaceAll('-', '_')}_`;
  const head = property.name.startsWith(prefix) ? property.name.slice(prefix.length) : property.name;
  const field = toCamelCase(property.name);
  const text = (value: unknown): Cell => {
    if (value === undefined || value === 0) return '';
    const short = shortStructures[property.kind];
    if (short !== undefined) return short(value as Fields);
    return typeof value === 'boolean' ? (value ? 'yes' : 'no') : (value as Cell);
  };
  const isAddress = property.format === 'ip' || property.kind === 'IpamSubnets' || property.kind === 'SubnetType';
  const isList = property.repeated || shortStructures[property.kind] !== undefined;
  return {
    rank: isAddress ? ranks.address : isList ? ranks.list : ranks.scalar,
    head: toHead(head),
    cell: (resource) => {
      const value = fieldsOf(resource)[field];
      return property.repeated ? ((value ?? []) as readonly unknown[]).map(text).join(',') : text(value);
    },
  };
}

function referenceColumn(reference: ReferenceSpec): RankedColumn {
  const field = referenceField(reference);
  return {
    rank: reference.attr === subnetsOfNetwork ? ranks.address : reference.max === 1 ? ranks.reference : ranks.list,
    head: toHead(reference.to),
    cell: (resource) =>
      ((fieldsOf(resource)[field] ?? []) as readonly { fqName: readonly string[]; uuid: string; attr?: Fields }[])
        .map(({ fqName, uuid, attr }) => {
          const detail = reference.attr === subnetsOfNetwork && attr !== undefined ? prefixesAt('ipamSubnets')(attr) : '';
          return `${fqName.at(-1) ?? uuid}${detail === '' ? '' : `(${detail})`}`;
        })
        .join(','),
  };
}

function toHead(name: string): string {
  return name.replaceAll(/[_-]/g, ' ').toUpperCase();
}

/** `5d`, `3h`, `20m`, `7s`; empty when the time is unknown. */
export function ageText(created: string, nowMs: number): string {
  // The original writes UTC without a zone.
  const at = Date.parse(/[zZ]$/.test(created) ? created : `${created}Z`);
  if (Number.isNaN(at)) return '';
  const seconds = Math.max(0, Math.floor((nowMs - at) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
