import { readFileSync } from 'node:fs';
import { inClusterConnection, KubeClient } from '@contrail/kube';
import { systemClock } from '@contrail/reconcile';
import { loadTls, startServer } from '@contrail/rpc';
import { openStore, StoreHealth } from '@contrail/store';
import { logger, startAdminServer } from '@contrail/telemetry';
import { keepBaseObjects } from './bootstrap/base-objects';
import { bootstrapService } from './bootstrap/bootstrap-service';
import { kubernetesReviewer, refusingReviewer } from './bootstrap/token-review';
import type { Config } from './config';
import { reportStore } from './report-store';
import { startRest } from './start-rest';
import { Authorizer } from './rest/auth/authorizer';
import { ProjectFinder } from './rest/auth/containing-project';
import { kubernetesAccess, refusingAccess } from './rest/auth/kubernetes-access';
import { configService } from './serve/config-service';
import { transactionRetries } from './serve/metrics';
import { userConfigService } from './serve/user-config-service';
import { Transactor } from './transact/transactor';

export interface Running {
  readonly port: number;
  readonly bootstrapPort: number;
  readonly adminPort: number;
  readonly restPort: number;
  stop(): Promise<void>;
}

const log = logger('config-api');

/** Starts the whole service; `stop` ends it in reverse order. */
export async function run(config: Config): Promise<Running> {
  const tls = loadTls(config.tls);
  const { user, url, passwordFile } = config.redis;
  const store = openStore({
    redis: {
      url,
      user,
      tlsFiles: config.tls,
      ...(passwordFile === undefined ? {} : { passwordFile }),
    },
    deployment: config.deployment,
    logLength: config.changeLogLength,
  });
  const health = new StoreHealth(store, reportStore);
  const clock = systemClock;
  const transactor = new Transactor({ store, clock, onRetry: () => transactionRetries.inc() });
  const stopping = new AbortController();
  let based = false;
  const base = keepBaseObjects(store, transactor, {
    signal: stopping.signal,
    onPresent: () => {
      based = true;
    },
  });
  const kube = config.kubernetes && new KubeClient(inClusterConnection(config.kubernetes));
  const reviewToken =
    kube === undefined ? refusingReviewer : kubernetesReviewer(kube, config.tokenAudience);
  const access =
    kube === undefined ? refusingAccess : kubernetesAccess(kube, config.tokenAudience, clock);
  const authorizer = new Authorizer(access, new ProjectFinder(store, clock));
  const read = (file: string): string => readFileSync(file, 'utf8');
  const ready = (): string[] => [
    ...health.problems,
    ...(based ? [] : ['the base objects were not created yet']),
  ];
  const server = await startServer({
    address: hostPort(config.listenAddress),
    tls,
    services: [configService({ store, transactor, clock })],
    reflection: true,
    health: () => ready().length === 0,
  });
  const bootstrap = await startServer({
    address: hostPort(config.bootstrapListenAddress),
    tls,
    clientCertificate: 'none',
    reflection: true,
    services: [
      userConfigService({ store, transactor, access, authorizer }),
      bootstrapService({
        ...{ store, clock, reviewToken, agentUser: config.agentUser },
        authority: () => ({
          cert: read(config.authority.certFile),
          key: read(config.authority.keyFile),
        }),
        trust: () => read(config.tls.caFile),
      }),
    ],
  });
  const rest = await startRest({ config, tls, access, authorizer, store, transactor });
  const admin = await startAdminServer({ address: config.adminAddress, live: () => [], ready });
  const ports = {
    ...{ port: server.port, bootstrapPort: bootstrap.port },
    ...{ adminPort: admin.port, restPort: rest.port },
  };
  log.info('serving', ports);
  return {
    ...ports,
    stop: async () => {
      stopping.abort();
      await Promise.all([rest.stop(), bootstrap.stop(), server.stop()]);
      await Promise.all([base, admin.stop()]);
      health.stop();
      kube?.close();
      await store.close();
      tls.close();
    },
  };
}

function hostPort({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
