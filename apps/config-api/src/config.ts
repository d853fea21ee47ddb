import { readConfig } from '@contrail/env';
import type { HostPort } from '@contrail/env';

export interface Config {
  readonly listenAddress: HostPort;
  readonly bootstrapListenAddress: HostPort;
  readonly adminAddress: HostPort;
  /** The VNC REST API, behind TLS. */
  readonly restListenAddress: HostPort;
  /** Unix socket on which the REST API is also served without TLS; undefined: nowhere. */
  readonly restPlainSocket: string | undefined;
  /** undefined: objects created over REST get no address of their own. */
  readonly ipamAddress: string | undefined;
  readonly tls: { readonly certFile: string; readonly keyFile: string; readonly caFile: string };
  /** Signs the certificates of agents. */
  readonly authority: { readonly certFile: string; readonly keyFile: string };
  readonly redis: {
    readonly url: string;
    readonly user: string;
    readonly passwordFile: string | undefined;
  };
  /** Hash tag of the keys; deployments that share one Redis differ in it. */
  readonly deployment: string;
  readonly changeLogLength: number;
  /** undefined: not in a cluster, token exchange is refused. */
  readonly kubernetes: HostPort | undefined;
  readonly tokenAudience: string;
  readonly agentUser: string;
}

/** @throws ContrailError INVALID_ARGUMENT with every problem of the environment. */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  return readConfig(env, (r) => {
    const kubernetesHost = r.optionalString('KUBERNETES_SERVICE_HOST');
    const kubernetesPort = r.integer('KUBERNETES_SERVICE_PORT', {
      default: 443,
      min: 1,
      max: 65535,
    });
    return {
      listenAddress: r.address('LISTEN_ADDRESS', '0.0.0.0:9001'),
      bootstrapListenAddress: r.address('BOOTSTRAP_LISTEN_ADDRESS', '0.0.0.0:9011'),
      adminAddress: r.address('ADMIN_ADDRESS', '0.0.0.0:9101'),
      restListenAddress: r.address('REST_LISTEN_ADDRESS', '0.0.0.0:8082'),
      restPlainSocket: r.optionalString('REST_PLAIN_SOCKET'),
      ipamAddress: r.optionalString('IPAM_ADDRESS'),
      tls: {
        certFile: r.string('TLS_CERT_FILE', '/etc/contrail/tls/tls.crt'),
        keyFile: r.string('TLS_KEY_FILE', '/etc/contrail/tls/tls.key'),
        caFile: r.string('TLS_CA_FILE', '/etc/contrail/tls/ca.crt'),
      },
      authority: {
        certFile: r.string('CA_CERT_FILE', '/etc/contrail/ca/tls.crt'),
        keyFile: r.string('CA_KEY_FILE', '/etc/contrail/ca/tls.key'),
      },
      redis: {
        url: r.string('REDIS_URL'),
        user: r.string('REDIS_USER', 'default'),
        passwordFile: r.optionalString('REDIS_PASSWORD_FILE'),
      },
      deployment: r.string('DEPLOYMENT_NAME', 'contrail'),
      changeLogLength: r.integer('CHANGE_LOG_LENGTH', {
        default: 100_000,
        min: 1_000,
        max: 10_000_000,
      }),
      kubernetes:
        kubernetesHost === undefined ? undefined : { host: kubernetesHost, port: kubernetesPort },
      tokenAudience: r.string('TOKEN_AUDIENCE', 'contrail'),
      agentUser: r.string('AGENT_USER', 'system:serviceaccount:contrail:vrouter-agent'),
    };
  });
}
