import { credentials as grpcCredentials, experimental, InterceptingCall, Metadata } from '@grpc/grpc-js';
import type {
  CallOptions,
  Client,
  ClientDuplexStream,
  ClientOptions,
  ClientReadableStream,
  ClientUnaryCall,
  Interceptor,
  ServiceError,
 ChannelCredentials} from '@grpc/grpc-js';
import type { ContrailError } from '@contrail/errors';
import { tracedMethod } from '@contrail/telemetry';
import type { TracedMethod } from '@contrail/telemetry';
import { fromServiceError } from './status';
import type { TlsSource } from './tls-source';

export interface ClientTarget {
  /** "host:port", several separated by commas (tried in turn), or "unix:/path". */
  readonly address: string;
  /** Name that the server's certificate must have. */
  readonly service: string;
  readonly tls: TlsSource | 'insecure';
  /** Shown with every call, to servers that know users by their tokens. */
  readonly token?: string;
}

type Constructor<C> = new (address: string, credentials: ChannelCredentials, options?: Partial<ClientOptions>) => C;

/** Channel options; the small retry buffer keeps streams of small messages fast in grpc-js. */
const OPTIONS: ClientOptions = {
  'grpc.per_rpc_retry_buffer_size': 16_384,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.keepalive_permit_without_calls': 1,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.min_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  'grpc.max_receive_message_length': 16 * 1024 * 1024,
  // Each client has a channel of its own: closing one must not break another.
  'grpc.use_local_subchannel_pool': 1,
  // Counts each call for a service that nobody asks.
  'grpc.enable_channelz': 0,
};

export function createClient<C extends Client>(ClientClass: Constructor<C>, target: ClientTarget): C {
  const options: ClientOptions =
    target.tls === 'insecure'
      ? OPTIONS
      : { ...OPTIONS, 'grpc.ssl_target_name_override': target.service, 'grpc.default_authority': target.service };
  const { token } = target;
  const shown = token === undefined ? options : { ...options, interceptors: [showToken(token)] };
  return new ClientClass(channelTarget(target.address), channelCredentials(target.tls), shown);
}

function showToken(token: string): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start: (metadata, listener, next) => {
        metadata.set('authorization', `Bearer ${token}`);
        next(metadata, listener);
      },
    });
}

export function closeClient(client: Client): void {
  client.close();
}

function channelTarget(address: string): string {
  if (address.startsWith('unix:')) return address;
  // grpc-js takes several literal addresses as "ipv4:a,b"; names go through DNS one at a time.
  return /^[\d.]+:\d+(,[\d.]+:\d+)+$/.test(address) ? `ipv4:${address}` : address;
}

function channelCredentials(tls: TlsSource | 'insecure'): ChannelCredentials {
  if (tls === 'insecure') return grpcCredentials.createInsecure();
  return experimental.createCertificateProviderChannelCredentials(tls, tls.hasIdentity ? tls : null);
}

export interface UnaryOptions {
  /** Default 10 000. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

type UnaryMethod<I, O> = (
  request: I,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: O) => void,
) => ClientUnaryCall;
type UnaryNames<C> = { [K in keyof C]: C[K] extends UnaryMethod<never, unknown> ? K : never }[keyof C];
type UnaryInput<F> = F extends UnaryMethod<infer I, unknown> ? I : never;
type UnaryOutput<F> = F extends (r: never, m: never, o: never, callback: (error: ServiceError | null, response: infer O) => void) => ClientUnaryCall ? O : never;

/** @throws ContrailError with the server's code, UNAVAILABLE, DEADLINE_EXCEEDED or CANCELLED. */
export function callUnary<C extends Client, M extends UnaryNames<C> & string>(
  client: C,
  method: M,
  request: UnaryInput<C[M]>,
  options: UnaryOptions = {},
): Promise<UnaryOutput<C[M]>> {
  return new Promise((resolve, reject) => {
    const send = client[method] as unknown as UnaryMethod<unknown, UnaryOutput<C[M]>> & { readonly path?: string };
    const trace = tracedMethodOf(send.path ?? method).call();
    const metadata = new Metadata();
    if (trace.traceparent !== '') metadata.set('traceparent', trace.traceparent);
    const call = send.call(
      client,
      request,
      metadata,
      { deadline: Date.now() + (options.deadlineMs ?? 10_000) },
      (error, response) => {
        options.signal?.removeEventListener('abort', cancel);
        trace.end(error ?? undefined);
        if (error) reject(fromServiceError(error, method));
        else resolve(response);
      },
    );
    const cancel = (): void => call.cancel();
    if (options.signal?.aborted) cancel();
    else options.signal?.addEventListener('abort', cancel, { once: true });
  });
}

const tracedMethods = new Map<string, TracedMethod>();

function tracedMethodOf(path: string): TracedMethod {
  const known = tracedMethods.get(path) ?? tracedMethod(path);
  tracedMethods.set(path, known);
  return known;
}

type StreamMethod<I, O> = (request: I, metadata?: Metadata, options?: Partial<CallOptions>) => ClientReadableStream<O>;
type StreamNames<C> = { [K in keyof C]: C[K] extends StreamMethod<never, unknown> ? K : never }[keyof C];
type StreamInput<F> = F extends (request: infer I, metadata?: Metadata, options?: Partial<CallOptions>) => ClientReadableStream<unknown> ? I : never;
type StreamOutput<F> = F extends (...args: never[]) => ClientReadableStream<infer O> ? O : never;

/** Messages of a server stream; throws ContrailError when it breaks, returns when the server ends it. */
export async function* openServerStream<C extends Client, M extends StreamNames<C> & string>(
  client: C,
  method: M,
  request: StreamInput<C[M]>,
  options: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<StreamOutput<C[M]>, void, undefined> {
  const call = (client[method] as unknown as StreamMethod<unknown, StreamOutput<C[M]>>).call(client, request);
  const cancel = (): void => call.cancel();
  options.signal?.addEventListener('abort', cancel, { once: true });
  try {
    for await (const message of call) yield message as StreamOutput<C[M]>;
  } catch (error) {
    if (options.signal?.aborted) return;
    throw fromServiceError(error, method);
  } finally {
    options.signal?.removeEventListener('abort', cancel);
    call.cancel();
  }
}

type BidiMethod<I, O> = (metadata?: Metadata, options?: Partial<CallOptions>) => ClientDuplexStream<I, O>;
type BidiNames<C> = { [K in keyof C]: C[K] extends (...args: never[]) => ClientDuplexStream<never, unknown> ? K : never }[keyof C];
type BidiInput<F> = F extends (...args: never[]) => ClientDuplexStream<infer I, unknown> ? I : never;
type BidiOutput<F> = F extends (...args: never[]) => ClientDuplexStream<never, infer O> ? O : never;

export interface ClientBidi<I, O> {
  /** Ends when the server ends; throws ContrailError when the stream breaks. */
  messages(): AsyncIterable<O>;
  /** Resolves when the transport takes more. */
  write(message: I): Promise<void>;
  end(): void;
}

export function openBidi<C extends Client, M extends BidiNames<C> & string>(
  client: C,
  method: M,
  options: { readonly signal?: AbortSignal } = {},
): ClientBidi<BidiInput<C[M]>, BidiOutput<C[M]>> {
  type I = BidiInput<C[M]>;
  type O = BidiOutput<C[M]>;
  const call = (client[method] as unknown as BidiMethod<I, O>).call(client);
  const cancel = (): void => call.cancel();
  options.signal?.addEventListener('abort', cancel, { once: true });
  let failure: ContrailError | undefined;
  call.on('error', (error: unknown) => {
    failure = fromServiceError(error, method);
  });
  async function* messages(): AsyncIterable<O> {
    try {
      for await (const message of call) yield message as O;
    } catch (error) {
      if (!options.signal?.aborted) throw fromServiceError(error, method);
    } finally {
      options.signal?.removeEventListener('abort', cancel);
      call.cancel();
    }
  }
  return {
    messages,
    write: (message) =>
      new Promise<void>((resolve, reject) => {
        if (failure) reject(failure);
        else {
          call.write(message, (error?: Error | null) => {
            if (error) reject(fromServiceError(error, method));
            else resolve();
          });
        }
      }),
    end: () => call.end(),
  };
}

