import { readConfig } from '@contrail/env';
import type { HostPort } from '@contrail/env';

export interface Config {
  readonly listenAddress: HostPort;
  readonly adminAddress: HostPort;
  readonly tls: { readonly certFile: string; readonly keyFile: string; readonly caFile: string };
  readonly redis: {
    readonly url: string;
    readonly user: string;
    readonly passwordFile: string | undefined;
  };
  readonly deployment: string;
  /** Text "host:port", several separated by commas. */
  readonly configApiAddress: string;
  /** How long a released address is given to nobody. */
  readonly quarantineMs: number;
  /** Between two looks for addresses of which the owner is gone; the second one takes them back. */
  readonly reclaimIntervalMs: number;
  /** Share of a subnet in percent from which its usage is announced. */
  readonly usageWarningPercent: number;
}

/** @throws ContrailError INVALID_ARGUMENT with every problem of the environment. */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  return readConfig(env, (r) => ({
    listenAddress: r.address('LISTEN_ADDRESS', '0.0.0.0:9002'),
    adminAddress: r.address('ADMIN_ADDRESS', '0.0.0.0:9102'),
    tls: {
      certFile: r.string('TLS_CERT_FILE', '/etc/contrail/tls/tls.crt'),
      keyFile: r.string('TLS_KEY_FILE', '/etc/contrail/tls/tls.key'),
      caFile: r.string('TLS_CA_FILE', '/etc/contrail/tls/ca.crt'),
    },
    redis: {
      url: r.string('REDIS_URL'),
      user: r.string('REDIS_USER', 'default'),
      passwordFile: r.optionalString('REDIS_PASSWORD_FILE'),
    },
    deployment: r.string('DEPLOYMENT_NAME', 'contrail'),
    configApiAddress: r.string('CONFIG_API_ADDRESS'),
    quarantineMs: r.duration('ADDRESS_QUARANTINE', 30_000),
    reclaimIntervalMs: r.duration('RECLAIM_INTERVAL', 60_000),
    usageWarningPercent: r.integer('USAGE_WARNING_PERCENT', { default: 80, min: 1, max: 100 }),
  }));
}
