import { AgentServiceClient } from '@contrail/proto-gen/agent/v1/agent_service';
import { ConfigServiceClient } from '@contrail/proto-gen/config/v1/config_service';
import { ControlServiceClient } from '@contrail/proto-gen/control/v1/control_service';
import { IpamServiceClient } from '@contrail/proto-gen/ipam/v1/ipam_service';
import { ContrailError } from '@contrail/errors';
import { closeClient, createClient, loadTls } from '@contrail/rpc';
import type { TlsSource } from '@contrail/rpc';
import type { Config } from './config';
import type { Format } from './output/print';

/** Options that every command has. */
export interface GlobalOptions {
  readonly output: Format;
  readonly socket: string;
  /** Address of a node, with or without port; undefined: the socket of this node. */
  readonly node?: string;
  readonly configApi: string;
  readonly ipam: string;
  readonly control: string;
  /** File of a kubeconfig; empty: none. */
  readonly kubeconfig: string;
  /** A Kubernetes token in place of a certificate; empty: none. */
  readonly token: string;
  readonly tlsCert: string;
  readonly tlsKey: string;
  readonly tlsCa: string;
}

export interface Session {
  readonly options: GlobalOptions;
  write(text: string): void;
  /** Sets the exit status of the program. */
  exit(status: number): void;
  /** Where there is no kubeconfig: the API server as pods reach it; undefined outside of pods. */
  readonly kubernetes: Config['kubernetes'];
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

const agentPort = 9006;

/** Runs with a client of the chosen agent: by its unix socket, or by address with TLS. */
export async function withAgent<T>(session: Session, run: (client: AgentServiceClient) => Promise<T>): Promise<T> {
  const { node, socket } = session.options;
  if (node === undefined) {
    const client = createClient(AgentServiceClient, { address: `unix:${socket}`, service: 'vrouter-agent', tls: 'insecure' });
    return await closing(client, undefined, run);
  }
  const tls = ownTls(session.options);
  const address = withPort(node, agentPort);
  return await closing(createClient(AgentServiceClient, { address, service: 'vrouter-agent', tls }), tls, run);
}

export async function withConfigApi<T>(session: Session, run: (client: ConfigServiceClient) => Promise<T>): Promise<T> {
  const { token, configApi, tlsCa } = session.options;
  const tls = token === '' ? ownTls(session.options) : loadTls({ caFile: tlsCa });
  const target = { address: configApi, service: 'config-api', tls };
  const client = createClient(ConfigServiceClient, token === '' ? target : { ...target, token });
  return await closing(client, tls, run);
}

export async function withIpam<T>(session: Session, run: (client: IpamServiceClient) => Promise<T>): Promise<T> {
  const tls = ownTls(session.options);
  const client = createClient(IpamServiceClient, { address: session.options.ipam, service: 'ipam', tls });
  return await closing(client, tls, run);
}

/** @throws ContrailError FAILED_PRECONDITION for users with tokens, whom control does not know. */
export async function withControl<T>(session: Session, run: (client: ControlServiceClient) => Promise<T>): Promise<T> {
  if (session.options.token !== '') {
    throw new ContrailError('FAILED_PRECONDITION', 'control: takes a certificate and no token; leave --token out and give --tls-cert and --tls-key, or a kubeconfig without token');
  }
  const tls = ownTls(session.options);
  const client = createClient(ControlServiceClient, { address: session.options.control, service: 'control', tls });
  return await closing(client, tls, run);
}

/** "192.0.2.1" -> "192.0.2.1:9006"; "2001:db8::1" -> "[2001:db8::1]:9006". */
export function withPort(address: string, port: number): string {
  if (/^\[.*\]:\d+$/.test(address) || /^[^:]+:\d+$/.test(address)) return address;
  return address.includes(':') ? `[${address.replace(/^\[|\]$/g, '')}]:${port}` : `${address}:${port}`;
}

/** What `GlobalOptions` are when the command line does not say. */
export function defaultsOf(config: Config): Omit<GlobalOptions, 'output' | 'node'> {
  const { socket, configApiAddress, ipamAddress, controlAddress, kubeconfig, token, certFile, keyFile, caFile } = config;
  const services = { configApi: configApiAddress, ipam: ipamAddress, control: controlAddress };
  return { socket, ...services, kubeconfig, token, tlsCert: certFile, tlsKey: keyFile, tlsCa: caFile };
}

function ownTls({ tlsCert, tlsKey, tlsCa }: GlobalOptions): TlsSource {
  return loadTls({ certFile: tlsCert, keyFile: tlsKey, caFile: tlsCa });
}

async function closing<C extends AgentServiceClient | ConfigServiceClient | ControlServiceClient | IpamServiceClient, T>(
  client: C,
  tls: TlsSource | undefined,
  run: (client: C) => Promise<T>,
): Promise<T> {
  try {
    return await run(client);
  } finally {
    closeClient(client);
    tls?.close();
  }
}
