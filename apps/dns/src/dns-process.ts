import { existsSync } from 'node:fs';
import { KubeClient, type KubeConnection } from '@contrail/kube';
import { loadTls, startServer, type TlsSource } from '@contrail/rpc';
import { logger, startAdminServer } from '@contrail/telemetry';
import type { Config } from './config';
import { exchange } from './forward/exchange';
import { Forwarder } from './forward/forwarder';
import { formatUpstream } from './forward/resolv-conf';
import { dnsService } from './serve/dns-service';
import { countUpstream, type StateReader } from './serve/metrics';
import { onOnePort } from './serve/on-one-port';
import { Responder } from './serve/responder';
import { startTcpServer } from './serve/tcp-server';
import { startUdpServer } from './serve/udp-server';
import { KubeWatch } from './watch/kube-watch';
import { ClusterZone } from './zone/cluster-zone';
import type { ViewOf } from './zone/view';

export interface DnsProcess {
  readonly dnsPort: number;
  readonly adminPort: number;
  /** Of the gRPC server; undefined without certificates. */
  readonly grpcPort: number | undefined;
  /** For the metrics; a process registers them once. */
  readonly state: StateReader;
  stop(): Promise<void>;
}

const log = logger('dns');

/** Starts everything; it answers SERVFAIL for the cluster's names until Kubernetes has been read once. */
export async function startDns(config: Config, connection: KubeConnection): Promise<DnsProcess> {
  const zone = new ClusterZone({ ...config, ttl: config.recordTtl });
  const viewOf: ViewOf = () => ({ name: 'cluster', zone });
  const client = new KubeClient(connection);
  const watch = new KubeWatch({ client, zone });
  const forwarder = createForwarder(config);
  const isSynced = (): boolean => watch.isSynced;
  const responder = new Responder({ viewOf, forwarder, isSynced, spanRatio: config.spanRatio, random: Math.random });
  const { udp, tcp } = await onOnePort(
    config.dnsAddress.port,
    (port) => startUdpServer({ ...config.dnsAddress, port }, responder),
    (port) => startTcpServer({ ...config.dnsAddress, port }, responder, config.tcp),
  );
  const admin = await startAdminServer({
    address: config.adminAddress,
    live: () => [],
    // Answers from an old state are better than none, so losing the API server later changes nothing here.
    ready: () => (watch.isSynced ? [] : ['not everything that Kubernetes has is known yet', ...watch.problems]),
  });
  const state: StateReader = {
    names: () => zone.nameCount,
    services: () => watch.serviceCount,
    endpointSlices: () => watch.sliceCount,
    cacheEntries: () => forwarder.cacheEntries,
    outstanding: () => forwarder.outstanding,
    tcpConnections: tcp.connections,
  };
  const service = dnsService({
    viewOf,
    isSynced,
    problems: () => watch.problems,
    counts: () => ({
      services: watch.serviceCount,
      endpointSlices: watch.sliceCount,
      queries: responder.queries,
    }),
    upstreams: config.upstreams.map(formatUpstream),
  });
  const tls = findTls(config.tls);
  const address = formatUpstream(config.listenAddress);
  const grpc = tls === undefined ? undefined : await startServer({ address, tls, services: [service] });
  watch.start();
  log.info('answering', { port: udp.port, upstreams: config.upstreams.map(formatUpstream) });
  return {
    dnsPort: udp.port,
    adminPort: admin.port,
    grpcPort: grpc?.port,
    state,
    stop: async () => {
      await grpc?.stop();
      tls?.close();
      await Promise.all([udp.stop(), tcp.stop(), watch.stop()]);
      client.close();
      await admin.stop();
    },
  };
}

function createForwarder(config: Config): Forwarder {
  return new Forwarder({
    upstreams: config.upstreams,
    exchange: async (upstream, query, timeoutMs) => {
      try {
        const answer = await exchange(upstream, query, timeoutMs);
        countUpstream(formatUpstream(upstream), 'answered');
        return answer;
      } catch (error: unknown) {
        countUpstream(formatUpstream(upstream), 'failed');
        throw error;
      }
    },
    timeoutMs: config.forwardTimeoutMs,
    outstanding: config.outstanding,
    cache: config.cache,
    now: Date.now,
  });
}

/** Certificates are needed for explanations only; a cluster whose Secret is not there yet still gets its answers. */
function findTls(files: Config['tls']): TlsSource | undefined {
  if (existsSync(files.certFile)) return loadTls(files);
  log.warn('no certificate: gRPC (explanations, status) is off; mount the Secret contrail-tls-dns', {
    file: files.certFile,
  });
  return undefined;
}
