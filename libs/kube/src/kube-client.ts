import type { IncomingMessage } from 'node:http';
import { ContrailError } from '@contrail/errors';
import type { ErrorCode } from '@contrail/errors';
import { linkSignal } from './deadline';
import type { KubeConnection } from './kube-connection';
import { kubeObjectName, kubePath } from './kube-kind';
import type { KubeKind, KubeObject, KubeTarget } from './kube-kind';
import { KubeTransport, readBody } from './kube-transport';

export interface KubeCallOptions {
  /** Default 15 s. */
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface KubeListOptions extends KubeCallOptions {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Objects in one page; absent: all. */
  readonly limit?: number | undefined;
  readonly continueToken?: string | undefined;
}

export interface KubeList<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  /** Empty on the last page. */
  readonly continueToken: string;
}

export type KubePatchType = 'merge' | 'strategic' | 'json' | 'apply';

const patchContentTypes: Record<KubePatchType, string> = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
};

const defaultDeadlineMs = 15_000;
const bodyBytesMax = 256 * 1024 * 1024;

export interface KubeRawRequest extends KubeCallOptions {
  readonly method: string;
  /** Path with query. */
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string | undefined;
  /** What the call is about, for errors: `Pod/blue/web-1`. */
  readonly subject?: string;
}

/**
 * The Kubernetes API over one connection. Every call has a deadline; every failure is a ContrailError that
 * names the object: NOT_FOUND, ALREADY_EXISTS, ABORTED (resourceVersion moved), OUT_OF_RANGE (410, expired),
 * PERMISSION_DENIED (RBAC), UNAVAILABLE (retry), DEADLINE_EXCEEDED, ….
 */
export class KubeClient {
  private readonly transport: KubeTransport;

  constructor(connection: KubeConnection) {
    this.transport = new KubeTransport(connection);
  }

  get<T extends KubeObject>(kind: KubeKind<T>, target: KubeTarget, options: KubeCallOptions = {}): Promise<T> {
    return this.onObject<T>('GET', kind, target, options);
  }

  async list<T extends KubeObject>(kind: KubeKind<T>, options: KubeListOptions = {}): Promise<KubeList<T>> {
    const query = toQuery({
      limit: options.limit,
      continue: options.continueToken,
      labelSelector: options.labelSelector,
      fieldSelector: options.fieldSelector,
    });
    const answer = (await this.request({
      ...options,
      method: 'GET',
      path: `${kubePath(kind, { namespace: options.namespace })}${query}`,
      subject: kubeObjectName(kind, { namespace: options.namespace }),
    })) as { items?: T[]; metadata?: { resourceVersion?: string; continue?: string } };
    return {
      items: answer.items ?? [],
      resourceVersion: answer.metadata?.resourceVersion ?? '',
      continueToken: answer.metadata?.continue ?? '',
    };
  }

  create<T extends KubeObject>(kind: KubeKind<T>, object: T, options: KubeCallOptions = {}): Promise<T> {
    const { namespace, name } = object.metadata ?? {};
    return this.request({
      ...options,
      method: 'POST',
      path: kubePath(kind, { namespace }),
      body: { apiVersion: kind.apiVersion, kind: kind.kind, ...object },
      subject: kubeObjectName(kind, { namespace, name }),
    }) as Promise<T>;
  }

  /** Replaces the object; ABORTED when its resourceVersion is not the one given. */
  update<T extends KubeObject>(kind: KubeKind<T>, object: T, options: KubeCallOptions = {}): Promise<T> {
    const { namespace, name } = object.metadata ?? {};
    return this.onObject<T>('PUT', kind, { namespace, name }, options, {
      body: { apiVersion: kind.apiVersion, kind: kind.kind, ...object },
    });
  }

  /** @param options.fieldManager required for `apply`. */
  patch<T extends KubeObject>(
    kind: KubeKind<T>,
    target: KubeTarget,
    patch: unknown,
    options: KubeCallOptions & { readonly type?: KubePatchType; readonly fieldManager?: string } = {},
  ): Promise<T> {
    return this.onObject<T>('PATCH', kind, target, options, {
      body: patch,
      contentType: patchContentTypes[options.type ?? 'merge'],
      query: toQuery({ fieldManager: options.fieldManager }),
    });
  }

  /** Deleting what is absent succeeds. @param options.uid deletes only the object that has this uid. */
  async delete<T extends KubeObject>(
    kind: KubeKind<T>,
    target: KubeTarget,
    options: KubeCallOptions & { readonly uid?: string } = {},
  ): Promise<void> {
    const body = options.uid === undefined ? undefined : { preconditions: { uid: options.uid } };
    try {
      await this.onObject('DELETE', kind, target, options, body === undefined ? {} : { body });
    } catch (error) {
      if (error instanceof ContrailError && error.code === 'NOT_FOUND') return;
      throw error;
    }
  }

  /** Any call; answers with the parsed JSON body. */
  async request(request: KubeRawRequest): Promise<unknown> {
    const subject = request.subject ?? request.path;
    const link = linkSignal(request.signal, request.deadlineMs ?? defaultDeadlineMs);
    try {
      const response = await this.transport.send({
        method: request.method,
        path: request.path,
        body: request.body === undefined ? undefined : JSON.stringify(request.body),
        contentType: request.contentType,
        signal: link.signal,
      });
      const text = await readBody(response, bodyBytesMax);
      return parseAnswer(response, text);
    } catch (cause) {
      throw callError(`${request.method} ${subject}`, cause, link.expired);
    } finally {
      link.release();
    }
  }

  /**
   * Opens a watch. Resolves when the API server has accepted it; the body is lines of JSON.
   * The response belongs to the caller, who reads or destroys it.
   */
  async openWatch(path: string, subject: string, signal: AbortSignal): Promise<IncomingMessage> {
    const link = linkSignal(signal, defaultDeadlineMs);
    try {
      const response = await this.transport.send({ method: 'GET', path, signal: link.signal, longLived: true });
      if (response.statusCode !== 200) parseAnswer(response, await readBody(response, bodyBytesMax));
      link.stopTimer();
      response.once('close', () => link.release());
      return response;
    } catch (cause) {
      link.release();
      throw callError(`watch ${subject}`, cause, link.expired);
    }
  }

  close(): void {
    this.transport.close();
  }

  private onObject<T extends KubeObject>(
    method: string,
    kind: KubeKind<T>,
    target: KubeTarget,
    options: KubeCallOptions,
    content: { readonly body?: unknown; readonly contentType?: string; readonly query?: string } = {},
  ): Promise<T> {
    return this.request({
      deadlineMs: options.deadlineMs,
      signal: options.signal,
      method,
      path: `${kubePath(kind, target)}${content.query ?? ''}`,
      body: content.body,
      contentType: content.contentType,
      subject: kubeObjectName(kind, target),
    }) as Promise<T>;
  }
}

/** `?a=1&b=2`, or nothing. */
export function toQuery(values: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== '') query.set(name, String(value));
  }
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

/** The object in a good answer; a ContrailError for a bad one. */
function parseAnswer(response: IncomingMessage, text: string): unknown {
  const status = response.statusCode ?? 0;
  let body: unknown;
  try {
    body = text === '' ? {} : JSON.parse(text);
  } catch (cause) {
    if (status < 400) throw new ContrailError('UNAVAILABLE', 'the answer is not JSON', { cause });
  }
  if (status >= 200 && status < 300) return body;
  const { reason, message } = (body ?? {}) as { reason?: string; message?: string };
  throw new ContrailError(
    codeOf(status, reason),
    `Kubernetes answered ${status}${reason === undefined ? '' : ` ${reason}`}: ${message ?? text.slice(0, 200)}`,
  );
}

function codeOf(status: number, reason: string | undefined): ErrorCode {
  if (status === 409) return reason === 'AlreadyExists' ? 'ALREADY_EXISTS' : 'ABORTED';
  const codes: Record<number, ErrorCode> = {
    400: 'INVALID_ARGUMENT',
    401: 'UNAUTHENTICATED',
    403: 'PERMISSION_DENIED',
    404: 'NOT_FOUND',
    405: 'UNIMPLEMENTED',
    410: 'OUT_OF_RANGE',
    422: 'INVALID_ARGUMENT',
    429: 'RESOURCE_EXHAUSTED',
  };
  return codes[status] ?? 'UNAVAILABLE';
}

function callError(what: string, cause: unknown, timedOut: boolean): ContrailError {
  if (timedOut) return new ContrailError('DEADLINE_EXCEEDED', `${what}: no answer in time`, { cause });
  if (cause instanceof ContrailError) {
    return new ContrailError(cause.code, `${what}: ${cause.message}`, cause.cause === undefined ? {} : { cause: cause.cause });
  }
  return new ContrailError('UNAVAILABLE', `${what}: the connection broke`, { cause });
}
