import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { errorText } from '@contrail/errors';
import { metricsText } from './metrics';

/** @returns what is wrong, in sentences; empty means well. */
export type Check = () => readonly string[] | Promise<readonly string[]>;

export interface AdminOptions {
  readonly address: { readonly host: string; readonly port: number };
  /** A restart would help when this fails. */
  readonly live: Check;
  /** The process should get no work while this fails. */
  readonly ready: Check;
}

export interface AdminServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** Serves /metrics, /healthz (live) and /readyz (ready; 503 with the problems as text). */
export async function startAdminServer(options: AdminOptions): Promise<AdminServer> {
  const server = createServer((request, response) => {
    void answer(options, request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.address.port, options.address.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(options: AdminOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    switch (request.url) {
      case '/metrics': {
        const { contentType, body } = await metricsText();
        response.writeHead(200, { 'content-type': contentType }).end(body);
        return;
      }
      case '/healthz':
        report(response, await options.live());
        return;
      case '/readyz':
        report(response, await options.ready());
        return;
      default:
        response.writeHead(404).end('paths: /metrics /healthz /readyz\n');
    }
  } catch (error) {
    response.writeHead(500).end(`${errorText(error)}\n`);
  }
}

function report(response: ServerResponse, problems: readonly string[]): void {
  response
    .writeHead(problems.length === 0 ? 200 : 503, { 'content-type': 'text/plain' })
    .end(problems.length === 0 ? 'ok\n' : `${problems.join('\n')}\n`);
}
