import { ContrailError } from '@contrail/errors';
import { DnsServiceService } from '@contrail/proto-gen/dns/v1/dns_service';
import type { ExplainRequest, ExplainResponse, StatusResponse } from '@contrail/proto-gen/dns/v1/messages';
import { defineService, unary, type ServiceSpec } from '@contrail/rpc';
import { formatRecord } from '../wire/encode-records';
import { formatName, parseName } from '../zone/domain-name';
import { recordTypes, type RecordType } from '../zone/record';
import type { ViewOf } from '../zone/view';

export interface DnsServiceOptions {
  readonly viewOf: ViewOf;
  readonly isSynced: () => boolean;
  readonly problems: () => readonly string[];
  readonly counts: () => { readonly services: number; readonly endpointSlices: number; readonly queries: bigint };
  /** Where names go that are not the cluster's; empty: nowhere. */
  readonly upstreams: readonly string[];
}

/** Who may ask for explanations. */
const readers = ['contrailctl', 'web-ui'];

/** contrail.dns.v1: why a name resolves as it does, and how the server feels. */
export function dnsService(options: DnsServiceOptions): ServiceSpec {
  return defineService(DnsServiceService, {
    explain: { allow: readers, handle: unary((request) => Promise.resolve(explain(options, request))) },
    status: { allow: readers, handle: unary(() => Promise.resolve(status(options))) },
  });
}

/** @throws ContrailError INVALID_ARGUMENT for names, types and addresses that cannot be. */
export function explain(options: DnsServiceOptions, request: ExplainRequest): ExplainResponse {
  const { client } = request;
  if (![0, 4, 16].includes(client.length)) {
    throw new ContrailError('INVALID_ARGUMENT', `client: has ${client.length} bytes; an address has 4 or 16`);
  }
  const view = options.viewOf(client.length === 0 ? undefined : client);
  const name = parseName(request.name);
  const resolution = view.zone.resolve(name, recordTypes[toRecordType(request.type)]);
  if (!options.isSynced()) {
    const reasons = ['not everything that Kubernetes has is known yet', ...options.problems()];
    return { view: view.name, responseCode: 'SERVFAIL', answers: [], reasons };
  }
  if (resolution !== undefined) {
    const { code, answers, reasons, outsideAlias } = resolution;
    const further = outsideAlias === undefined ? [] : [whereForwarded(options, formatName(outsideAlias))];
    return { view: view.name, responseCode: code, answers: answers.map(formatRecord), reasons: [...reasons(), ...further] };
  }
  const responseCode = options.upstreams.length > 0 ? 'NOERROR' : 'REFUSED';
  return { view: view.name, responseCode, answers: [], reasons: [whereForwarded(options, formatName(name))] };
}

function whereForwarded({ upstreams }: DnsServiceOptions, name: string): string {
  return upstreams.length > 0
    ? `${name} is not a name of the cluster and is asked of ${upstreams.join(', ')}`
    : `${name} is not a name of the cluster, and there is no name server to ask (FORWARDERS)`;
}

function toRecordType(text: string): RecordType {
  const wanted = text.toUpperCase();
  const type = (Object.keys(recordTypes) as RecordType[]).find((known) => known === wanted);
  if (type !== undefined) return type;
  throw new ContrailError('INVALID_ARGUMENT', `type: is "${text}"; write one of ${Object.keys(recordTypes).join(', ')}`);
}

function status(options: DnsServiceOptions): StatusResponse {
  return { synced: options.isSynced(), problems: [...options.problems()], ...options.counts() };
}
