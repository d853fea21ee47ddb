import { rmSync } from 'node:fs';
import { experimental, Server, ServerCredentials } from '@grpc/grpc-js';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { ContrailError } from '@contrail/errors';
import { HealthImplementation } from 'grpc-health-check';
import { addReflection } from './reflection';
import type { ServiceSpec } from './service';
import type { TlsSource } from './tls-source';

export interface ServerOptions {
  /** "0.0.0.0:9001", "[::]:9001" or "unix:/path"; port 0 chooses one. */
  readonly address: string;
  readonly tls: TlsSource | 'insecure';
  /** Whether clients must show a certificate of our CA; default required. */
  readonly clientCertificate?: 'required' | 'none';
  readonly services: readonly ServiceSpec[];
  readonly reflection?: boolean;
  /** Polled each second for grpc.health.v1; absent means always serving. */
  readonly health?: () => boolean;
}

export interface RunningServer {
  readonly port: number;
  /** Lets calls finish for graceMs (default 2000), then cancels the rest. */
  stop(graceMs?: number): Promise<void>;
}

/** A dead peer is noticed within 15 s; see docs/architecture.md. */
const OPTIONS = {
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.max_receive_message_length': 16 * 1024 * 1024,
  // Counts each call for a service that nobody asks: as much work as a small answer.
  'grpc.enable_channelz': 0,
};

/** @throws ContrailError UNAVAILABLE when the address cannot be bound. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const server = new Server(OPTIONS);
  for (const { definition, implementation } of options.services) {
    server.addService(definition as unknown as ServiceDefinition, implementation);
  }
  const health = new HealthImplementation({ '': 'SERVING' });
  health.addToServer(server);
  if (options.reflection) addReflection(server);
  const poll = options.health && setInterval(() => health.setStatus('', options.health?.() ? 'SERVING' : 'NOT_SERVING'), 1000);
  poll?.unref();
  // A socket file left by a killed process would make bind fail.
  if (options.address.startsWith('unix:')) rmSync(options.address.slice('unix:'.length), { force: true });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(options.address, credentials(options), (error, bound) => {
      if (error) {
        reject(new ContrailError('UNAVAILABLE', `cannot listen on ${options.address}; is another process there?`, { cause: error }));
      } else resolve(bound);
    });
  });
  return { port, stop: (graceMs = 2000) => stop(server, graceMs, poll) };
}

function credentials(options: ServerOptions): ServerCredentials {
  if (options.tls === 'insecure') return ServerCredentials.createInsecure();
  const required = (options.clientCertificate ?? 'required') === 'required';
  // grpc-js 1.14 declares the parameters in the wrong order: identity comes first.
  const create = experimental.createCertificateProviderServerCredentials as (
    identity: TlsSource,
    ca: TlsSource | null,
    require: boolean,
  ) => ServerCredentials;
  return create(options.tls, required ? options.tls : null, required);
}

async function stop(server: Server, graceMs: number, poll: NodeJS.Timeout | undefined): Promise<void> {
  clearInterval(poll);
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, graceMs);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
