import { ConfigServiceClient } from '@contrail/proto-gen/config/v1/config_service';
import { systemClock } from '@contrail/reconcile';
import { closeClient, createClient, loadTls, startServer } from '@contrail/rpc';
import { AddressPool, StoreHealth } from '@contrail/store';
import { logger, startAdminServer } from '@contrail/telemetry';
import type { Config } from './config';
import { reportStore } from './report-store';
import { Reclaimer } from './reclaim/reclaimer';
import { ipamService } from './serve/ipam-service';
import { SpaceMonitor } from './serve/space-monitor';
import { UsageMonitor } from './serve/usage-monitor';
import { NetworkCache } from './watch/network-cache';

export interface Running {
  readonly port: number;
  readonly adminPort: number;
  stop(): Promise<void>;
}

const log = logger('ipam');

/** Starts the whole service; `stop` ends it in reverse order. */
export async function run(config: Config): Promise<Running> {
  const tls = loadTls(config.tls);
  const { url, user, passwordFile } = config.redis;
  const pool = new AddressPool({
    redis: {
      url,
      user,
      tlsFiles: config.tls,
      ...(passwordFile === undefined ? {} : { passwordFile }),
    },
    deployment: config.deployment,
    quarantineMs: config.quarantineMs,
  });
  const health = new StoreHealth(pool, reportStore);
  const client = createClient(ConfigServiceClient, {
    address: config.configApiAddress,
    service: 'config-api',
    tls,
  });
  const cache = new NetworkCache(client, systemClock);
  const stopping = new AbortController();
  const space = new SpaceMonitor({ pool, cache, clock: systemClock });
  const monitor = new UsageMonitor({
    ...{ pool, cache, warningRatio: config.usageWarningPercent / 100 },
    onFilling: (filling) => space.announceFilling(filling),
  });
  const intervalMs = config.reclaimIntervalMs;
  const reclaimer = new Reclaimer({ pool, cache, clock: systemClock, intervalMs });
  const loops = [cache.run(stopping.signal), reclaimer.run(stopping.signal)];
  monitor.start();
  space.start();
  const ready = (): string[] => [...health.problems, ...cache.problems];
  const { host, port } = config.listenAddress;
  const server = await startServer({
    address: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
    tls,
    services: [ipamService({ pool, cache, space })],
    reflection: true,
    health: () => ready().length === 0,
  });
  const admin = await startAdminServer({ address: config.adminAddress, live: () => [], ready });
  log.info('serving', { port: server.port, adminPort: admin.port });
  return {
    port: server.port,
    adminPort: admin.port,
    stop: async () => {
      await server.stop();
      await admin.stop();
      monitor.stop();
      space.stop();
      stopping.abort();
      await Promise.all(loops);
      closeClient(client);
      health.stop();
      await pool.close();
      tls.close();
    },
  };
}
