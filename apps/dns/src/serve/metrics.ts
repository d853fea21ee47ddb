import { counter, gauge } from '@contrail/telemetry';
import { questionTypes, recordTypes } from '../zone/record';

/** Where an answer came from. `refused` also stands for questions that are broken or not served. */
export type AnswerSource = 'zone' | 'cache' | 'forward' | 'refused';

const queries = counter('contrail_dns_queries_total', 'Questions answered.', ['transport', 'type', 'rcode', 'source']);
const dropped = counter('contrail_dns_dropped_total', 'Messages left without an answer.', ['reason']);
const upstream = counter('contrail_dns_upstream_exchanges_total', 'Questions to other name servers.', ['upstream', 'result']);

const rcodes = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];
const typeNames = new Map<number, string>(
  Object.entries({ ...recordTypes, ...questionTypes, MX: 15, HTTPS: 65 }).map(([name, number]) => [number, name]),
);

/** `A` for 1; `other` for types that are not counted one by one. */
export function typeName(type: number): string {
  return typeNames.get(type) ?? 'other';
}

export function countQuery(query: {
  readonly client: { readonly transport: 'udp' | 'tcp' };
  readonly type: number;
  readonly code: number;
  readonly source: AnswerSource;
}): void {
  const { client, type, code, source } = query;
  queries.inc({ transport: client.transport, type: typeName(type), rcode: rcodes[code] ?? 'other', source });
}

export function countDropped(reason: 'too long' | 'no question' | 'too many connections' | 'slow reader'): void {
  dropped.inc({ reason });
}

export function countUpstream(server: string, result: 'answered' | 'failed'): void {
  upstream.inc({ upstream: server, result });
}

/** What is read when the metrics are scraped. */
export interface StateReader {
  readonly names: () => number;
  readonly services: () => number;
  readonly endpointSlices: () => number;
  readonly cacheEntries: () => number;
  readonly outstanding: () => number;
  readonly tcpConnections: () => number;
}

export function registerState(state: StateReader): void {
  const register = (name: string, help: string, read: () => number): void => {
    gauge(name, help, [], function () {
      this.set(read());
    });
  };
  register('contrail_dns_names', 'Names that exist.', state.names);
  register('contrail_dns_services', 'Services known.', state.services);
  register('contrail_dns_endpoint_slices', 'EndpointSlices known.', state.endpointSlices);
  register('contrail_dns_cache_entries', 'Answers of other name servers that are kept.', state.cacheEntries);
  register('contrail_dns_outstanding_forwards', 'Questions to other name servers under way.', state.outstanding);
  register('contrail_dns_tcp_connections', 'Clients connected by TCP.', state.tcpConnections);
}
