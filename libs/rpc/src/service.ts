import type {
  Metadata,
  sendUnaryData,
  ServerDuplexStream,
  ServerUnaryCall,
  ServerWritableStream,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Readable } from 'node:stream';
import type { PeerCertificate } from 'node:tls';
import { ContrailError, errorText } from '@contrail/errors';
import { tracedMethod } from '@contrail/telemetry';
import type { TracedMethod } from '@contrail/telemetry';
import { peerOf } from './caller';
import type { Caller } from './caller';
import { toServiceError } from './status';

export interface CallContext {
  readonly caller: Caller;
  /** The Bearer token that the client shows; empty for none. */
  token(): string;
  /** Aborted when the client cancels, its deadline passes, or the connection breaks. */
  readonly signal: AbortSignal;
  /** W3C traceparent for what the call causes; '' for streams, and when the process traces nothing. */
  readonly traceparent: string;
}

export interface ServerStream<O> extends CallContext {
  /** Resolves when the transport takes more. @throws ContrailError CANCELLED when the client is gone. */
  write(message: O): Promise<void>;
  /** Like `write`, for a message that was encoded once for several clients. */
  writeEncoded(bytes: Uint8Array): Promise<void>;
}

/** Takes the place of a message `O` that is encoded already. */
export class EncodedMessage<O> {
  /** Types only. */
  declare readonly message?: O;

  /** @param bytes protobuf of the message. */
  constructor(readonly bytes: Uint8Array) {}
}

export interface BidiStream<I, O> extends ServerStream<O> {
  /** Ends when the client ends its side or goes away. */
  messages(): AsyncIterable<I>;
}

type Method = 'unary' | 'serverStream' | 'bidi';
type Raw = (call: never, callback: sendUnaryData<unknown>) => void;

/** What a handler needs to know of its method. */
interface ServedMethod {
  readonly traced: TracedMethod;
  /** @throws ContrailError PERMISSION_DENIED */
  readonly checkCaller: (caller: Caller) => void;
}

export interface Handler<I, O> {
  readonly method: Method;
  readonly serve: (served: ServedMethod) => Raw;
  /** Types only. */
  readonly types?: { input: I; output: O };
}

export function unary<I, O>(handle: (request: I, context: CallContext) => Promise<O>): Handler<I, O> {
  const serve =
    ({ traced, checkCaller }: ServedMethod) =>
    (call: ServerUnaryCall<I, O>, callback: sendUnaryData<O>): void => {
      const trace = traced.serve(traceparentOf(call));
      const run = (): Promise<O> => {
        const context = contextOf(call, trace.traceparent);
        checkCaller(context.caller);
        return handle(call.request, context);
      };
      answerOf(run).then(
        (response) => {
          trace.end();
          callback(null, response);
        },
        (error: unknown) => {
          const failure = toServiceError(error);
          trace.end(failure);
          callback(failure);
        },
      );
    };
  return { method: 'unary', serve: serve as unknown as Handler<I, O>['serve'] };
}

function answerOf<O>(run: () => Promise<O>): Promise<O> {
  try {
    return run();
  } catch (error) {
    return Promise.reject(error instanceof Error ? error : new Error(errorText(error)));
  }
}

/** Like `unary`, for a response that the handler gives encoded. */
export function encodedUnary<I, O>(
  handle: (request: I, context: CallContext) => Promise<EncodedMessage<O>>,
): Handler<I, O> {
  const { method, serve } = unary(handle);
  return { method, serve };
}

export function serverStream<I, O>(
  handle: (request: I, stream: ServerStream<O>) => Promise<void>,
): Handler<I, O> {
  const serve =
    ({ checkCaller }: ServedMethod) =>
    (call: ServerWritableStream<I, O>): void =>
      runStream(call, async () => {
        const stream = writerOf<O>(call);
        checkCaller(stream.caller);
        await handle(call.request, stream);
      });
  return { method: 'serverStream', serve: serve as unknown as Handler<I, O>['serve'] };
}

export function bidi<I, O>(handle: (stream: BidiStream<I, O>) => Promise<void>): Handler<I, O> {
  const serve =
    ({ checkCaller }: ServedMethod) =>
    (call: ServerDuplexStream<I, O>): void =>
      runStream(call, async () => {
        const writer = writerOf<O>(call);
        checkCaller(writer.caller);
        await handle({
          ...writer,
          messages: () => readAll<I>(call, writer.signal),
        });
      });
  return { method: 'bidi', serve: serve as unknown as Handler<I, O>['serve'] };
}

async function* readAll<I>(call: Readable, signal: AbortSignal): AsyncIterable<I> {
  try {
    // Destroying the call when the reader stops early would lose the status it ends with.
    for await (const message of call.iterator({ destroyOnReturn: false })) yield message as I;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** What the functions below need of a call, whatever its messages are. */
interface OpenCall {
  readonly metadata: Pick<Metadata, 'get'>;
  readonly cancelled: boolean;
  getAuthContext(): { sslPeerCertificate?: PeerCertificate };
  on(event: 'cancelled', listener: () => void): unknown;
}

interface OpenStream extends OpenCall {
  end(): unknown;
  emit(event: 'error', error: Error): boolean;
  write(message: unknown): boolean;
  once(event: 'drain', listener: () => void): unknown;
  removeListener(event: 'drain', listener: () => void): unknown;
}

function runStream(call: Pick<OpenStream, 'end' | 'emit'>, run: () => Promise<void>): void {
  run().then(
    () => call.end(),
    (error: unknown) => {
      call.emit('error', toServiceError(error));
    },
  );
}

/** Most calls never look at their signal, and a controller with its listener costs as much as a small answer. */
function contextOf(call: OpenCall, traceparent = ''): CallContext {
  let controller: AbortController | undefined;
  return {
    caller: peerOf(call),
    traceparent,
    token: () => bearerOf(call),
    get signal() {
      if (controller === undefined) {
        const made = new AbortController();
        if (call.cancelled) made.abort();
        else call.on('cancelled', () => made.abort());
        controller = made;
      }
      return controller.signal;
    },
  };
}

function traceparentOf({ metadata }: Pick<OpenCall, 'metadata'>): string {
  const [value = ''] = metadata.get('traceparent');
  return value.toString();
}

function bearerOf({ metadata }: Pick<OpenCall, 'metadata'>): string {
  const [value = ''] = metadata.get('authorization');
  return /^Bearer +(\S+)$/i.exec(value.toString())?.[1] ?? '';
}

function writerOf<O>(call: OpenStream): ServerStream<O> {
  const { caller, token, signal, traceparent } = contextOf(call);
  const gone = (): ContrailError => new ContrailError('CANCELLED', `the stream to ${caller.service} ended`);
  const write = (message: unknown): Promise<void> =>
    new Promise<void>((resolve, reject) => {
      if (signal.aborted) {
        reject(gone());
        return;
      }
      if (call.write(message)) {
        resolve();
        return;
      }
      const done = (): void => {
        call.removeListener('drain', done);
        signal.removeEventListener('abort', stop);
        resolve();
      };
      const stop = (): void => {
        call.removeListener('drain', done);
        reject(gone());
      };
      call.once('drain', done);
      signal.addEventListener('abort', stop, { once: true });
    });
  return { caller, token, signal, traceparent, write, writeEncoded: (bytes) => write(new EncodedMessage<O>(bytes)) };
}

export interface MethodDefinition<I, O> {
  readonly path: string;
  readonly requestDeserialize: (bytes: Buffer) => I;
  readonly responseSerialize: (value: O) => Buffer;
}

type DefinitionMap = Readonly<Record<string, MethodDefinition<unknown, never>>>;
type InputOf<M> = M extends { requestDeserialize: (bytes: Buffer) => infer I } ? I : never;
type OutputOf<M> = M extends { responseSerialize: (value: infer O) => Buffer } ? O : never;

export interface MethodSpec<I, O> {
  /** Service names that may call; 'any' includes clients without certificate. */
  readonly allow: readonly string[] | 'any';
  readonly handle: Handler<I, O>;
}

export interface ServiceSpec {
  readonly definition: DefinitionMap;
  readonly implementation: UntypedServiceImplementation;
}

/** Binds handlers to a generated service; every method says who may call it. */
export function defineService<D extends DefinitionMap>(
  definition: D,
  methods: { readonly [K in keyof D]: MethodSpec<InputOf<D[K]>, OutputOf<D[K]>> },
): ServiceSpec {
  const implementation: UntypedServiceImplementation = {};
  for (const name of Object.keys(definition)) {
    const spec = methods[name];
    if (!spec) throw new Error(`method ${name} has no handler`);
    const path = definition[name]?.path ?? name;
    const checkCaller = (caller: Caller): void => {
      if (spec.allow === 'any' || spec.allow.includes(caller.service)) return;
      throw new ContrailError(
        'PERMISSION_DENIED',
        `${caller.service || 'a client without certificate'} may not call ${path}; allowed: ${spec.allow.join(', ')}`,
      );
    };
    implementation[name] = spec.handle.serve({ checkCaller, traced: tracedMethod(path) }) as UntypedServiceImplementation[string];
  }
  return { definition: takingEncoded(definition), implementation };
}

/** The same methods, whose responses may be encoded already. */
function takingEncoded(definition: DefinitionMap): DefinitionMap {
  return Object.fromEntries(
    Object.entries(definition).map(([name, method]) => {
      const serialize = method.responseSerialize as (value: unknown) => Buffer;
      const responseSerialize = (value: unknown): Buffer =>
        value instanceof EncodedMessage ? Buffer.from(value.bytes.buffer, value.bytes.byteOffset, value.bytes.length) : serialize(value);
      return [name, { ...method, responseSerialize }];
    }),
  );
}
