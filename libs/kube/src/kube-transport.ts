import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { ContrailError } from '@contrail/errors';
import type { KubeConnection } from './kube-connection';

export interface KubeHttpRequest {
  readonly method: string;
  /** Path with query. */
  readonly path: string;
  readonly body?: string | undefined;
  readonly contentType?: string | undefined;
  readonly signal: AbortSignal;
  /** A watch: gets a connection of its own, so that calls never wait behind it. */
  readonly longLived?: boolean;
}

/** Sockets for short calls; watches do not count. */
const callSocketCount = 32;
/** A peer that is gone shows within this time plus ten probes of a second each. */
const keepAliveProbeMs = 20_000;

/** HTTP towards one API server: keep-alive, credentials, TCP probes. Knows nothing of Kubernetes objects. */
export class KubeTransport {
  private readonly callAgent: HttpAgent;
  private readonly watchAgent: HttpAgent;

  constructor(private readonly connection: KubeConnection) {
    const AgentClass = connection.protocol === 'https:' ? HttpsAgent : HttpAgent;
    this.callAgent = new AgentClass({ keepAlive: true, maxSockets: callSocketCount, scheduling: 'lifo' });
    this.watchAgent = new AgentClass({ keepAlive: false });
  }

  /** Resolves with the response once its headers are here. @throws ContrailError UNAVAILABLE, UNAUTHENTICATED */
  send(request: KubeHttpRequest): Promise<IncomingMessage> {
    const options = this.optionsFor(request);
    return new Promise((resolve, reject) => {
      const outgoing = this.connection.protocol === 'https:' ? httpsRequest(options) : httpRequest(options);
      outgoing.once('response', resolve);
      outgoing.once('socket', (socket) => socket.setKeepAlive(true, keepAliveProbeMs));
      outgoing.on('error', (cause) => {
        const { host, port } = this.connection;
        const remedy = 'check that it runs, and KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT or the kubeconfig';
        reject(new ContrailError('UNAVAILABLE', `API server ${host}:${port} cannot be reached; ${remedy}`, { cause }));
      });
      outgoing.end(request.body);
    });
  }

  close(): void {
    this.callAgent.destroy();
    this.watchAgent.destroy();
  }

  private optionsFor(request: KubeHttpRequest): RequestOptions {
    const { ca, token, certificate, key } = this.connection.credentials();
    const headers: Record<string, string> = { accept: 'application/json', 'user-agent': 'contrail' };
    if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
    if (request.body !== undefined) {
      headers['content-type'] = request.contentType ?? 'application/json';
      headers['content-length'] = String(Buffer.byteLength(request.body));
    }
    return {
      host: this.connection.host,
      port: this.connection.port,
      method: request.method,
      path: request.path,
      headers,
      signal: request.signal,
      agent: request.longLived === true ? this.watchAgent : this.callAgent,
      ...(ca === undefined ? {} : { ca }),
      ...(certificate === undefined ? {} : { cert: certificate }),
      ...(key === undefined ? {} : { key }),
    };
  }
}

/** The whole body as text. @throws ContrailError RESOURCE_EXHAUSTED beyond `maxBytes` */
export async function readBody(response: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new ContrailError('RESOURCE_EXHAUSTED', `answer is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * The complete lines of a body. What follows the last newline is dropped: the connection broke inside a line.
 *
 * @throws ContrailError RESOURCE_EXHAUSTED when a line is longer than `maxBytes`
 */
export async function* readLines(response: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      parts.push(chunk.subarray(start, end));
      const line = (parts.length === 1 ? chunk.subarray(start, end) : Buffer.concat(parts)).toString('utf8');
      parts = [];
      size = 0;
      start = end + 1;
      if (line !== '') yield line;
    }
    parts.push(chunk.subarray(start));
    size += chunk.length - start;
    if (size > maxBytes) throw new ContrailError('RESOURCE_EXHAUSTED', `line is longer than ${maxBytes} bytes`);
  }
}
