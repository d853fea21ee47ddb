import { rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { ContrailError, errorText } from '@contrail/errors';
import type { TlsSource } from '@contrail/rpc';
import { logger } from '@contrail/telemetry';
import { restDuration, restRequests } from '../metrics';
import { readBody } from './read-body';
import type { Method, Reply, RestRequest } from './request';
import { RestError, statusOf } from './rest-error';
import { writeError, writeReply } from './write-reply';

export type RestHandler = (request: RestRequest) => Promise<Reply>;

export interface RestListener {
  /** A TCP address, or the path of a unix socket. */
  readonly address: { readonly host: string; readonly port: number } | { readonly path: string };
  /** Without: plain HTTP. */
  readonly tls?: TlsSource;
}

export interface RunningRestServer {
  /** 0 for a unix socket. */
  readonly port: number;
  stop(): Promise<void>;
}

const log = logger('rest');
const methods: readonly string[] = ['GET', 'POST', 'PUT', 'DELETE'];
const hostForm = /^[A-Za-z0-9.:[\]-]{1,260}$/;

/** Slow and dead clients cost a socket each, for so long and not longer. */
const limits = {
  headerBytesMax: 32_768,
  headersMs: 10_000,
  requestMs: 60_000,
  keepAliveMs: 75_000,
  idleMs: 120_000,
  connectionsMax: 4_000,
  stopMs: 2_000,
} as const;

/** @throws ContrailError UNAVAILABLE when the address cannot be bound. */
export async function startRestServer(
  listener: RestListener,
  handle: RestHandler,
): Promise<RunningRestServer> {
  const options: ServerOptions = {
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: 5_000,
  };
  const scheme = listener.tls === undefined ? 'http' : 'https';
  const listen = (request: IncomingMessage, response: ServerResponse): void => {
    void serve({ request, response, scheme, handle });
  };
  const { server, close } =
    listener.tls === undefined
      ? { server: createHttpServer(options, listen), close: () => undefined }
      : secureServer(listener.tls, options, listen);
  server.maxConnections = limits.connectionsMax;
  server.setTimeout(limits.idleMs);
  server.on('clientError', (_, socket) => {
    socket.destroy();
  });
  await bind(server, listener.address);
  const bound = server.address();
  return {
    port: typeof bound === 'string' || bound === null ? 0 : bound.port,
    stop: async () => {
      close();
      await stop(server);
    },
  };
}

function secureServer(
  tls: TlsSource,
  options: ServerOptions,
  listen: (request: IncomingMessage, response: ServerResponse) => void,
): { server: HttpsServer; close: () => void } {
  const server = createHttpsServer({ ...options, minVersion: 'TLSv1.2' }, listen);
  const renew = (identity: { certificate: Buffer; privateKey: Buffer } | null): void => {
    if (identity !== null)
      server.setSecureContext({ cert: identity.certificate, key: identity.privateKey });
  };
  tls.addIdentityCertificateListener(renew);
  return { server, close: () => tls.removeIdentityCertificateListener(renew) };
}

async function bind(server: Server | HttpsServer, address: RestListener['address']): Promise<void> {
  // A socket file left by a killed process would make bind fail.
  if ('path' in address) rmSync(address.path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const where = 'path' in address ? address.path : `${address.host}:${address.port}`;
      const text = `cannot listen on ${where}; is another process there?`;
      reject(new ContrailError('UNAVAILABLE', text, { cause }));
    });
    const options = 'path' in address ? { ...address, readableAll: true, writableAll: true } : address;
    server.listen(options, resolve);
  });
}

async function stop(server: Server | HttpsServer): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), limits.stopMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly scheme: 'http' | 'https';
  readonly handle: RestHandler;
}

/** Never throws: whatever happens becomes an answer, or a broken connection. */
async function serve(exchange: Exchange): Promise<void> {
  const { request, response, handle } = exchange;
  const end = restDuration.startTimer({ method: knownMethod(request.method) });
  response.on('error', () => undefined);
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  try {
    await writeReply(response, await handle(await toRestRequest(exchange, gone.signal)));
  } catch (error) {
    fail(exchange, error);
  } finally {
    end();
    const method = knownMethod(request.method);
    restRequests.inc({ method, code: String(response.statusCode) });
  }
}

function fail({ request, response }: Exchange, error: unknown): void {
  // The client is gone: there is nobody to answer, and nothing wrong here.
  if (response.destroyed || request.errored !== null) return;
  const status = statusOf(error);
  if (status >= 500 && status !== 503)
    log.error('request failed', { method: request.method, path: request.url, error });
  writeError(response, status, status === 500 ? 'internal error; the log says more' : textOf(error));
}

function textOf(error: unknown): string {
  return error instanceof ContrailError || error instanceof RestError
    ? error.message
    : errorText(error);
}

async function toRestRequest(
  { request, scheme }: Exchange,
  signal: AbortSignal,
): Promise<RestRequest> {
  const method = request.method ?? '';
  if (!methods.includes(method))
    throw new RestError(405, `method: is ${method}, but this API has ${methods.join(', ')}`);
  const [path = '', ...query] = (request.url ?? '/').split('?');
  return {
    method: method as Method,
    path: decodePath(path),
    query: new URLSearchParams(query.join('?')),
    root: `${scheme}://${hostOf(request)}`,
    body: method === 'GET' ? null : await readBody(request),
    token: tokenOf(request),
    ifNoneMatch: request.headers['if-none-match'] ?? '',
    signal,
  };
}

function decodePath(path: string): string[] {
  try {
    return path
      .split('/')
      .filter((segment) => segment !== '')
      .map(decodeURIComponent);
  } catch {
    throw new RestError(400, 'path: is no valid percent-encoding');
  }
}

/** What the client calls us is what its links begin with. */
function hostOf(request: IncomingMessage): string {
  const { host } = request.headers;
  if (host !== undefined && hostForm.test(host)) return host;
  const { address = 'localhost', port = 0 } = request.socket.address() as Partial<AddressInfo>;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function tokenOf({ headers }: IncomingMessage): string {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return bearer;
  const token = headers['x-auth-token'];
  return typeof token === 'string' ? token.trim() : '';
}

function knownMethod(method: string | undefined): string {
  return method !== undefined && methods.includes(method) ? method : 'other';
}
