import { addressKey, formatAddress, type Address } from '@contrail/net';
import { parseName, tryJoinName, type WireName } from './domain-name';
import type { EndpointRecord, PortRecord, ServiceRecord, SliceRecord } from './kube-records';
import { addressData, type RecordData } from './record';
import { reverseName } from './reverse-name';

/** The records of some names. A name with no record exists all the same (NODATA). */
export type NamedRecords = ReadonlyMap<WireName, readonly RecordData[]>;

/**
 * All names that one Service makes.
 *
 * @param slices every EndpointSlice of this Service, in any order; not modified. Used for headless Services only.
 * @param zone `cluster.local`.
 * @param onProblem told of each name that cannot exist (too long); the other names are made.
 * Source: Kubernetes DNS-Based Service Discovery 1.1.0, sections 2.3 to 2.5.
 */
export function serviceNames(
  service: ServiceRecord,
  slices: readonly SliceRecord[],
  zone: WireName,
  onProblem: (problem: string) => void = () => undefined,
): NamedRecords {
  const names = new RecordCollector();
  const serviceName = tryJoinName([service.name, service.namespace, 'svc'], zone);
  if (serviceName === undefined) {
    onProblem(`Service/${service.namespace}/${service.name}: its DNS name is longer than 255 bytes`);
    return names.records;
  }
  switch (service.kind) {
    case 'externalName':
      addExternalName(names, service, serviceName, onProblem);
      break;
    case 'clusterIP':
      addClusterIps(names, service, serviceName);
      break;
    case 'headless':
      addEndpoints(names, headlessEndpoints(service, slices), serviceName, onProblem);
      break;
  }
  return names.records;
}

function addExternalName(
  names: RecordCollector,
  service: ServiceRecord,
  serviceName: WireName,
  onProblem: (problem: string) => void,
): void {
  try {
    names.add(serviceName, { type: 'CNAME', target: parseName(service.externalName) });
  } catch {
    const where = `Service/${service.namespace}/${service.name} spec.externalName`;
    onProblem(`${where}: is "${service.externalName}", which is no DNS name; write labels of 1 to 63 characters`);
  }
}

function addClusterIps(names: RecordCollector, service: ServiceRecord, serviceName: WireName): void {
  names.touch(serviceName);
  for (const address of service.clusterIps) {
    names.add(serviceName, addressData(address));
    names.add(reverseName(address), { type: 'PTR', target: serviceName });
  }
  for (const port of service.ports) addPort(names, serviceName, port, serviceName);
}

interface HeadlessEndpoint {
  readonly label: string;
  readonly address: Address;
  readonly ports: readonly PortRecord[];
}

/** The endpoints that DNS shows, each address once, in a stable order. */
function headlessEndpoints(service: ServiceRecord, slices: readonly SliceRecord[]): HeadlessEndpoint[] {
  const found = new Map<string, HeadlessEndpoint>();
  for (const slice of slices) {
    for (const endpoint of slice.endpoints) {
      if (!endpoint.isReady && !service.publishNotReadyAddresses) continue;
      for (const address of endpoint.addresses) {
        const label = endpointLabel(endpoint, address);
        const key = `${label} ${addressKey(address)}`;
        const ports = [...(found.get(key)?.ports ?? []), ...slice.ports];
        found.set(key, { label, address, ports });
      }
    }
  }
  return [...found.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint);
}

/** The endpoint's hostname, else its address with dashes: `172-0-0-2`, `5678-abcd--1`. */
function endpointLabel(endpoint: EndpointRecord, address: Address): string {
  return endpoint.hostname !== '' ? endpoint.hostname.toLowerCase() : formatAddress(address).replace(/[.:]/g, '-');
}

function addEndpoints(
  names: RecordCollector,
  endpoints: readonly HeadlessEndpoint[],
  serviceName: WireName,
  onProblem: (problem: string) => void,
): void {
  for (const { label, address, ports } of endpoints) {
    const target = tryJoinName([label], serviceName);
    if (target === undefined) {
      onProblem(`endpoint ${formatAddress(address)}: its hostname "${label}" makes no DNS name of at most 255 bytes`);
      continue;
    }
    names.add(serviceName, addressData(address));
    names.add(target, addressData(address));
    names.add(reverseName(address), { type: 'PTR', target });
    for (const port of ports) addPort(names, serviceName, port, target);
  }
}

/**
 * SRV at `_port._proto.service` for a named port, as specified, and at the service's own name for every port, as other
 * cluster DNS servers do. Weights are set when all records of a name are known.
 */
function addPort(names: RecordCollector, serviceName: WireName, port: PortRecord, target: WireName): void {
  const data: RecordData = { type: 'SRV', priority: 0, weight: 0, port: port.port, target };
  names.add(serviceName, data);
  if (port.name === '') return;
  const name = tryJoinName([`_${port.name}`, `_${port.protocol}`], serviceName);
  if (name !== undefined) names.add(name, data);
}

/** Gathers records by name: equal ones once, the SRV records of a name with equal shares of 100. */
class RecordCollector {
  readonly #names = new Map<WireName, Map<string, RecordData>>();

  touch(name: WireName): Map<string, RecordData> {
    const known = this.#names.get(name) ?? new Map<string, RecordData>();
    this.#names.set(name, known);
    return known;
  }

  add(name: WireName, data: RecordData): void {
    this.touch(name).set(identityOf(data), data);
  }

  get records(): NamedRecords {
    return new Map([...this.#names].map(([name, known]) => [name, withWeights([...known.values()])]));
  }
}

function withWeights(records: readonly RecordData[]): readonly RecordData[] {
  const count = records.filter((data) => data.type === 'SRV').length;
  if (count === 0) return records;
  const weight = Math.max(1, Math.floor(100 / count));
  return records.map((data) => (data.type === 'SRV' ? { ...data, weight } : data));
}

function identityOf(data: RecordData): string {
  switch (data.type) {
    case 'A':
    case 'AAAA':
      return `${data.type} ${addressKey(data.address)}`;
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return `${data.type} ${data.target}`;
    case 'SRV':
      return `SRV ${data.port} ${data.target}`;
    case 'TXT':
      return `TXT ${data.text}`;
    case 'SOA':
      return 'SOA';
  }
}

