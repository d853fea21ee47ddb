import { loadTls } from '@contrail/rpc';
import { logger, startAdminServer } from '@contrail/telemetry';
import type { Config } from './config';
import { connectConfigApi } from './config-api-client';
import { startControl } from './start-control';

export interface Running {
  readonly port: number;
  readonly adminPort: number;
  stop(): Promise<void>;
}

const log = logger('control');

/** Starts the whole process; `stop` ends it in reverse order. */
export async function run(config: Config): Promise<Running> {
  const tls = loadTls(config.tls);
  const control = await startControl({ ...config, tls, configApi: connectConfigApi(config.configApiAddress, tls) });
  const admin = await startAdminServer({
    address: config.adminAddress,
    live: () => [],
    ready: () => control.problems(),
  });
  log.info('serving', { port: control.port, adminPort: admin.port, configApi: config.configApiAddress });
  return {
    port: control.port,
    adminPort: admin.port,
    stop: async () => {
      await admin.stop();
      await control.stop();
      tls.close();
    },
  };
}
