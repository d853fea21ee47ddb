import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { errorText } from '@contrail/errors';
import { histogram, logger, withSpan } from '@contrail/telemetry';
import { CniError, cniCodes } from './cni-error';
import type { CniOperations } from './cni-operations';
import { parseCniRequest, versionOf } from './cni-request';
import type { CniRequest } from './cni-request';

const log = logger('cni');
/** 1 MiB of standard input, each byte escaped to six, and the variables. */
const bodyBytesMax = 8 * 1024 * 1024;

const stopGraceMs = 1000;

const seconds = histogram(
  'contrail_vrouter_agent_cni_seconds',
  'Duration of CNI operations; code is that of the error, 0 for success.',
  ['command', 'code'],
  [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20],
);

export interface CniServer {
  stop(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Serves the CNI shim on a unix socket that only root may use. */
export async function startCniServer(socketPath: string, operations: CniOperations): Promise<CniServer> {
  const server = createServer((request, response) => {
    void serve(operations, request, response);
  });
  mkdirSync(path.dirname(socketPath), { recursive: true });
  rmSync(socketPath, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  chmodSync(socketPath, 0o600);
  return {
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        // What still waits is an ADD: cut off, it undoes itself and the runtime tries again.
        setTimeout(() => server.closeAllConnections(), stopGraceMs).unref();
      }),
  };
}

async function serve(operations: CniOperations, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableEnded) gone.abort();
  });
  let answer: Answer;
  let body = '';
  try {
    body = await readBody(request);
    answer = await handle(operations, body, gone.signal);
  } catch (error) {
    answer = refuse(error, body);
  }
  response
    .writeHead(answer.status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(answer.body),
      connection: 'close',
    })
    .end(answer.body);
}

async function handle(operations: CniOperations, body: string, signal: AbortSignal): Promise<Answer> {
  const startedMs = performance.now();
  let command = 'unknown';
  let code = 0;
  try {
    const request = parseCniRequest(body);
    command = request.command;
    const result = await withSpan(`vrouter-agent cni ${command}`, { kind: 'server', attributes: attributesOf(request) }, () =>
      operations.run(request, signal),
    );
    return { status: 200, body: result ? JSON.stringify(result) : '' };
  } catch (error) {
    code = error instanceof CniError ? error.code : cniCodes.internal;
    throw error;
  } finally {
    seconds.observe({ command, code: String(code) }, (performance.now() - startedMs) / 1000);
  }
}

function attributesOf(request: CniRequest): Record<string, string> {
  const { containerId, ifname, subject } = request;
  const attributes = { 'cni.container_id': containerId, 'cni.ifname': ifname };
  if (subject.kind !== 'pod') return attributes;
  const { uid, namespace, name } = subject;
  return { ...attributes, 'k8s.pod.uid': uid, 'k8s.namespace.name': namespace, 'k8s.pod.name': name };
}

function refuse(error: unknown, body: string): Answer {
  const known = error instanceof CniError ? error : new CniError(cniCodes.internal, 'the agent failed', errorText(error));
  log.warn('CNI operation refused', { code: known.code, reason: known.message, details: known.details });
  const { code, message, details } = known;
  const object = { cniVersion: versionOf(body), code, msg: message, details };
  return { status: code === cniCodes.tryAgain ? 503 : 400, body: JSON.stringify(object) };
}

function readBody(request: IncomingMessage): Promise<string> {
  if (request.method !== 'POST') return Promise.reject(new CniError(cniCodes.io, 'this socket takes POST requests of contrail-cni'));
  const chunks: Buffer[] = [];
  let length = 0;
  return new Promise((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > bodyBytesMax) reject(new CniError(cniCodes.decode, `the request has more than ${bodyBytesMax} bytes`));
      else chunks.push(chunk);
    });
    request.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.once('error', reject);
  });
}
