import { readConfig } from '@contrail/env';

/** Defaults of the command line's options. */
export interface Config {
  readonly socket: string;
  readonly configApiAddress: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

/** Reads the environment. @throws ContrailError INVALID_ARGUMENT with every problem. */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  return readConfig(env, (reader) => ({
    socket: reader.string('AGENT_SOCKET', '/var/run/contrail/agent.sock'),
    configApiAddress: reader.string('CONFIG_API_ADDRESS', '127.0.0.1:9001'),
    certFile: reader.string('TLS_CERT_FILE', '/etc/contrail/tls/tls.crt'),
    keyFile: reader.string('TLS_KEY_FILE', '/etc/contrail/tls/tls.key'),
    caFile: reader.string('TLS_CA_FILE', '/etc/contrail/tls/ca.crt'),
  }));
}
