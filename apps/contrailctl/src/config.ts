import { readConfig } from '@contrail/env';
import type { EnvReader } from '@contrail/env';

/** Defaults of the command line's options. */
export interface Config {
  readonly socket: string;
  readonly configApiAddress: string;
  readonly ipamAddress: string;
  readonly controlAddress: string;
  /** Empty: none. */
  readonly kubeconfig: string;
  /** The API server as pods reach it; undefined outside of pods. */
  readonly kubernetes: { readonly host: string; readonly port: number } | undefined;
  /** Addresses and certificate come from the cluster of the kubeconfig, as a kubectl plugin needs it. */
  readonly fromCluster: boolean;
  /** A Kubernetes token in place of a certificate; empty: none. */
  readonly token: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

/** Reads the environment. @throws ContrailError INVALID_ARGUMENT with every problem. */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  return readConfig(env, (reader) => ({
    socket: reader.string('AGENT_SOCKET', '/var/run/contrail/agent.sock'),
    configApiAddress: reader.string('CONFIG_API_ADDRESS', '127.0.0.1:9001'),
    ipamAddress: reader.string('IPAM_ADDRESS', '127.0.0.1:9002'),
    controlAddress: reader.string('CONTROL_ADDRESS', '127.0.0.1:9003'),
    kubeconfig: reader.string('KUBECONFIG', ''),
    kubernetes: readKubernetes(reader),
    fromCluster: reader.boolean('CONTRAIL_FROM_CLUSTER', false),
    token: reader.string('CONTRAIL_TOKEN', ''),
    certFile: reader.string('TLS_CERT_FILE', '/etc/contrail/tls/tls.crt'),
    keyFile: reader.string('TLS_KEY_FILE', '/etc/contrail/tls/tls.key'),
    caFile: reader.string('TLS_CA_FILE', '/etc/contrail/tls/ca.crt'),
  }));
}

function readKubernetes(reader: EnvReader): { host: string; port: number } | undefined {
  const host = reader.optionalString('KUBERNETES_SERVICE_HOST');
  const port = reader.integer('KUBERNETES_SERVICE_PORT', { default: 443, min: 1, max: 65_535 });
  return host === undefined ? undefined : { host, port };
}
