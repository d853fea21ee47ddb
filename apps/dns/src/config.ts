import { readFileSync } from 'node:fs';
import { readConfig, type EnvReader, type HostPort } from '@contrail/env';
import { errorText } from '@contrail/errors';
import { tryParseAddress, type Address, type Prefix } from '@contrail/net';
import { formatUpstream, parseUpstreamAddress, upstreamsOfResolvConf, type Upstream } from './forward/resolv-conf';
import { parseName, type WireName } from './zone/domain-name';
import { podRecordModes, type PodRecordMode } from './zone/pod-names';

export interface Config {
  /** Where questions arrive, UDP and TCP. */
  readonly dnsAddress: HostPort;
  /** gRPC. */
  readonly listenAddress: HostPort;
  readonly adminAddress: HostPort;
  readonly tls: { readonly certFile: string; readonly keyFile: string; readonly caFile: string };
  readonly kubernetes: HostPort;
  readonly zone: WireName;
  readonly serverAddresses: readonly Address[];
  readonly reversePrefixes: readonly Prefix[];
  readonly podRecords: PodRecordMode;
  /** Seconds. */
  readonly recordTtl: number;
  readonly upstreams: readonly Upstream[];
  readonly forwardTimeoutMs: number;
  readonly outstanding: { readonly total: number; readonly perClient: number };
  readonly cache: { readonly entriesMax: number; readonly bytesMax: number };
  readonly tcp: { readonly connectionsMax: number; readonly connectionsPerClientMax: number; readonly idleMs: number };
  /** 0 to 1. */
  readonly spanRatio: number;
}

/** Reads the environment. @throws ContrailError INVALID_ARGUMENT with every problem. */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  return readConfig(env, (reader) => ({
    dnsAddress: reader.address('DNS_ADDRESS', '0.0.0.0:53'),
    listenAddress: reader.address('LISTEN_ADDRESS', '0.0.0.0:9005'),
    adminAddress: reader.address('ADMIN_ADDRESS', '0.0.0.0:9105'),
    tls: {
      certFile: reader.string('TLS_CERT_FILE', '/etc/contrail/tls/tls.crt'),
      keyFile: reader.string('TLS_KEY_FILE', '/etc/contrail/tls/tls.key'),
      caFile: reader.string('TLS_CA_FILE', '/etc/contrail/tls/ca.crt'),
    },
    kubernetes: {
      host: reader.string('KUBERNETES_SERVICE_HOST'),
      port: reader.integer('KUBERNETES_SERVICE_PORT', { default: 443, min: 1, max: 65_535 }),
    },
    zone: readZone(reader),
    serverAddresses: readAddresses(reader, 'CLUSTER_DNS'),
    reversePrefixes: [...reader.prefixes('POD_SUBNETS', []), ...reader.prefixes('SERVICE_SUBNETS', [])],
    podRecords: readPodRecords(reader),
    recordTtl: reader.integer('RECORD_TTL_SECONDS', { default: 5, min: 0, max: 3600 }),
    upstreams: readUpstreams(reader),
    forwardTimeoutMs: reader.duration('FORWARD_TIMEOUT', 4500),
    outstanding: {
      total: reader.integer('OUTSTANDING_FORWARDS_MAX', { default: 1000, min: 1 }),
      perClient: reader.integer('OUTSTANDING_FORWARDS_PER_CLIENT_MAX', { default: 100, min: 1 }),
    },
    cache: {
      entriesMax: reader.integer('CACHE_ENTRIES_MAX', { default: 10_000, min: 1 }),
      bytesMax: reader.integer('CACHE_BYTES_MAX', { default: 16 << 20, min: 65_536 }),
    },
    tcp: {
      connectionsMax: reader.integer('TCP_CONNECTIONS_MAX', { default: 1000, min: 1 }),
      connectionsPerClientMax: reader.integer('TCP_CONNECTIONS_PER_CLIENT_MAX', { default: 100, min: 1 }),
      idleMs: reader.duration('TCP_IDLE_TIMEOUT', 10_000),
    },
    spanRatio: readSpanRatio(reader),
  }));
}

function readZone(reader: EnvReader): WireName {
  const text = reader.string('CLUSTER_DOMAIN', 'cluster.local');
  try {
    return parseName(text);
  } catch (error: unknown) {
    reader.problems.push(`CLUSTER_DOMAIN: ${errorText(error)}`);
    return parseName('cluster.local');
  }
}

function readAddresses(reader: EnvReader, name: string): Address[] {
  return reader.list(name, []).flatMap((text) => {
    const address = tryParseAddress(text);
    if (address === undefined) reader.problems.push(`${name} has "${text}"; write addresses with commas between them`);
    return address === undefined ? [] : [address];
  });
}

function readPodRecords(reader: EnvReader): PodRecordMode {
  const text = reader.string('POD_RECORDS', 'insecure');
  const mode = podRecordModes.find((known) => known === text);
  if (mode === undefined) reader.problems.push(`POD_RECORDS is "${text}"; write ${podRecordModes.join(' or ')}`);
  return mode ?? 'insecure';
}

/** FORWARDERS, else the name servers of the pod's resolv.conf; "none" forwards nothing. Asking ourselves would never end. */
function readUpstreams(reader: EnvReader): Upstream[] {
  const words = reader.list('FORWARDERS', []);
  if (words.length === 1 && words[0] === 'none') return [];
  const own = new Set(reader.list('CLUSTER_DNS', []));
  if (words.length === 0) {
    return upstreamsOfResolvConf(readText(reader.string('RESOLV_CONF_FILE', '/etc/resolv.conf'))).filter(
      ({ host }) => !own.has(host),
    );
  }
  return words.flatMap((word) => {
    const upstream = parseUpstreamAddress(word);
    if (upstream === undefined) {
      reader.problems.push(`FORWARDERS has "${word}"; write addresses, with ":port" where it is not 53, or "none"`);
      return [];
    }
    if (own.has(upstream.host)) {
      reader.problems.push(`FORWARDERS has ${formatUpstream(upstream)}, which is our own address (CLUSTER_DNS)`);
    }
    return [upstream];
  });
}

/** A file that is not there names no servers. */
function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Without a collector no span is made. */
function readSpanRatio(reader: EnvReader): number {
  if (reader.optionalString('OTEL_EXPORTER_OTLP_ENDPOINT') === undefined) return 0;
  const text = reader.string('QUERY_SPAN_RATIO', '1');
  const ratio = Number(text);
  if (!(ratio >= 0 && ratio <= 1)) reader.problems.push(`QUERY_SPAN_RATIO is "${text}"; write a number from 0 to 1`);
  return ratio;
}
