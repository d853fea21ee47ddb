import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { KubeConnection, KubeKind, KubeObject, KubeTarget } from '../src/index';

type Stored = Record<string, unknown> & { metadata: Record<string, unknown> };

interface HistoryEntry {
  readonly version: number;
  readonly collection: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: Stored;
}

interface Watcher {
  readonly collection: string;
  readonly namespace: string | undefined;
  readonly response: ServerResponse;
}

/** What a test can make go wrong; each is used up by the request that meets it. */
export interface FakeKubeFaults {
  /** HTTP status for the next requests, in order. */
  statuses: number[];
  /** The next continuation finds its token expired. */
  expireContinue: boolean;
  /** The next watch is refused by HTTP 410. */
  watchGone: boolean;
  /** Requests whose connection is cut before any answer. */
  hangUps: number;
}

/**
 * A Kubernetes API server in this process, over HTTP: CRUD with compare-and-swap, paged lists, watches with
 * history and bookmarks, faults. It validates nothing.
 */
export class FakeKubeApi {
  readonly requests: { method: string; url: string }[] = [];
  readonly faults: FakeKubeFaults = { statuses: [], expireContinue: false, watchGone: false, hangUps: 0 };
  /** Plurals of collections that the API server does not serve: their CRD is not installed. */
  readonly absent = new Set<string>();
  private readonly collections = new Map<string, Map<string, Stored>>();
  private readonly pages = new Map<string, { objects: Stored[]; version: number }>();
  private readonly watchers = new Set<Watcher>();
  private history: HistoryEntry[] = [];
  private version = 1000;
  private compacted = 0;

  private constructor(private readonly server: Server) {}

  static async start(): Promise<FakeKubeApi> {
    const server = createServer();
    const api = new FakeKubeApi(server);
    server.on('request', (request, response) => void api.handle(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return api;
  }

  get connection(): KubeConnection {
    const { port } = this.server.address() as AddressInfo;
    return { protocol: 'http:', host: '127.0.0.1', port, credentials: () => ({ token: 'fake' }) };
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Creates or replaces; gives uid and creationTimestamp when absent, and always a new resourceVersion. */
  put<T extends KubeObject>(kind: KubeKind<T>, object: T): T {
    const copy = structuredClone(object) as unknown as Stored;
    copy.metadata = { uid: randomUUID(), ...(copy.metadata as object | undefined) };
    return this.store(collectionOf(kind.apiVersion, kind.plural), copy) as unknown as T;
  }

  remove(kind: KubeKind<KubeObject>, target: KubeTarget): void {
    this.drop(collectionOf(kind.apiVersion, kind.plural), keyOf(target.namespace, target.name));
  }

  find<T extends KubeObject>(kind: KubeKind<T>, target: KubeTarget): T | undefined {
    const found = this.collection(collectionOf(kind.apiVersion, kind.plural)).get(keyOf(target.namespace, target.name));
    return found as unknown as T | undefined;
  }

  list<T extends KubeObject>(kind: KubeKind<T>): T[] {
    return [...this.collection(collectionOf(kind.apiVersion, kind.plural)).values()] as unknown as T[];
  }

  /** Ends every watch in good order, as a server does after its timeout. */
  endWatches(): void {
    for (const watcher of this.watchers) watcher.response.end();
    this.watchers.clear();
  }

  /** Cuts every watch in the middle of a line. */
  cutWatches(): void {
    for (const { response } of this.watchers) {
      response.write('{"type":"ADDED","object":{"meta', () => response.destroy());
    }
    this.watchers.clear();
  }

  /** Forgets history: watches from an older version are told 410. */
  compact(): void {
    this.history = [];
    this.compacted = this.version;
  }

  /** Sends any line to the watchers of a collection. */
  sendLine(kind: KubeKind<KubeObject>, line: string): void {
    const collection = collectionOf(kind.apiVersion, kind.plural);
    for (const watcher of this.watchers) if (watcher.collection === collection) watcher.response.write(`${line}\n`);
  }

  /** Moves the version on and tells watchers so. */
  bookmark(kind: KubeKind<KubeObject>): void {
    this.version += 1;
    const metadata = { resourceVersion: String(this.version) };
    this.sendLine(kind, JSON.stringify({ type: 'BOOKMARK', object: { metadata } }));
  }

  watcherCount(kind: KubeKind<KubeObject>): number {
    const collection = collectionOf(kind.apiVersion, kind.plural);
    return [...this.watchers].filter((watcher) => watcher.collection === collection).length;
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests.push({ method: request.method ?? '', url: request.url ?? '' });
    if (this.faults.hangUps > 0) {
      this.faults.hangUps -= 1;
      request.socket.destroy();
      return;
    }
    const status = this.faults.statuses.shift();
    if (status !== undefined) {
      refuse(response, status, 'Injected');
      return;
    }
    const url = new URL(request.url ?? '', 'http://fake');
    const target = parsePath(url.pathname);
    if (target === undefined || this.absent.has(target.collection.split('/').at(-1) ?? '')) {
      refuse(response, 404, 'NotFound');
      return;
    }
    const body = await readJson(request);
    if (request.method === 'GET' && target.name === undefined) {
      if (url.searchParams.get('watch') === 'true') this.answerWatch(target, url, response);
      else this.answerList(target, url, response);
      return;
    }
    this.answerObject(request.method ?? '', target, body, response);
  }

  private answerList(target: ParsedPath, url: URL, response: ServerResponse): void {
    const token = url.searchParams.get('continue');
    let page = token === null ? undefined : this.pages.get(token);
    if (token !== null && (page === undefined || this.faults.expireContinue)) {
      this.faults.expireContinue = false;
      refuse(response, 410, 'Expired');
      return;
    }
    page ??= { objects: this.inNamespace(target), version: this.version };
    const limit = Number(url.searchParams.get('limit') ?? page.objects.length);
    const rest = page.objects.slice(limit);
    const metadata: Record<string, string> = { resourceVersion: String(page.version) };
    if (rest.length > 0) {
      metadata['continue'] = randomUUID();
      this.pages.set(metadata['continue'], { objects: rest, version: page.version });
    }
    answer(response, 200, { kind: 'List', metadata, items: page.objects.slice(0, limit) });
  }

  private answerWatch(target: ParsedPath, url: URL, response: ServerResponse): void {
    const since = Number(url.searchParams.get('resourceVersion') ?? '0');
    if (this.faults.watchGone) {
      this.faults.watchGone = false;
      refuse(response, 410, 'Expired');
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    if (since < this.compacted) {
      const object = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
      response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
      return;
    }
    const watcher = { collection: target.collection, namespace: target.namespace, response };
    for (const entry of this.history) if (entry.version > since) send(watcher, entry);
    this.watchers.add(watcher);
    response.on('close', () => this.watchers.delete(watcher));
  }

  private answerObject(method: string, target: ParsedPath, body: Stored | undefined, response: ServerResponse): void {
    const name = target.name ?? (body?.metadata['name'] as string | undefined);
    const key = keyOf(target.namespace, name);
    const found = this.collection(target.collection).get(key);
    if (method === 'POST') {
      if (body === undefined) refuse(response, 400, 'BadRequest');
      else if (found !== undefined) refuse(response, 409, 'AlreadyExists');
      else {
        body.metadata = { uid: randomUUID(), ...body.metadata };
        answer(response, 201, this.store(target.collection, body));
      }
      return;
    }
    if (found === undefined) refuse(response, 404, 'NotFound');
    else if (method === 'GET') answer(response, 200, found);
    else if (method === 'DELETE') answer(response, 200, this.drop(target.collection, key));
    else if (body === undefined) refuse(response, 400, 'BadRequest');
    else if (method === 'PATCH') answer(response, 200, this.store(target.collection, merge(found, body) as Stored));
    else if (method === 'PUT') {
      const expected = body.metadata['resourceVersion'];
      if (expected !== undefined && expected !== found.metadata['resourceVersion']) refuse(response, 409, 'Conflict');
      else answer(response, 200, this.store(target.collection, body));
    } else refuse(response, 405, 'MethodNotAllowed');
  }

  private store(collection: string, object: Stored): Stored {
    this.version += 1;
    const stored: Stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.version) } };
    const key = keyOf(stored.metadata['namespace'] as string | undefined, stored.metadata['name'] as string);
    const objects = this.collection(collection);
    const type = objects.has(key) ? 'MODIFIED' : 'ADDED';
    objects.set(key, stored);
    this.publish({ version: this.version, collection, type, object: stored });
    return stored;
  }

  private drop(collection: string, key: string): Stored | undefined {
    const found = this.collection(collection).get(key);
    if (found === undefined) return undefined;
    this.version += 1;
    this.collection(collection).delete(key);
    const object = { ...found, metadata: { ...found.metadata, resourceVersion: String(this.version) } };
    this.publish({ version: this.version, collection, type: 'DELETED', object });
    return object;
  }

  private publish(entry: HistoryEntry): void {
    this.history.push(entry);
    for (const watcher of this.watchers) send(watcher, entry);
  }

  private collection(name: string): Map<string, Stored> {
    let objects = this.collections.get(name);
    if (objects === undefined) {
      objects = new Map();
      this.collections.set(name, objects);
    }
    return objects;
  }

  private inNamespace(target: ParsedPath): Stored[] {
    const all = [...this.collection(target.collection).values()];
    return all.filter((object) => target.namespace === undefined || object.metadata['namespace'] === target.namespace);
  }
}

interface ParsedPath {
  readonly collection: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

/** `/api/v1/…` or `/apis/GROUP/VERSION/…`, with or without namespace. */
function parsePath(pathname: string): ParsedPath | undefined {
  const parts = pathname.split('/').filter((part) => part !== '');
  const apiVersion = parts[0] === 'api' ? parts[1] : `${parts[1]}/${parts[2]}`;
  const rest = parts.slice(parts[0] === 'api' ? 2 : 3);
  if (apiVersion === undefined || rest.length === 0) return undefined;
  const namespace = rest[0] === 'namespaces' && rest.length > 2 ? rest[1] : undefined;
  const [plural, name] = namespace === undefined ? rest : rest.slice(2);
  return plural === undefined ? undefined : { collection: collectionOf(apiVersion, plural), namespace, name };
}

function collectionOf(apiVersion: string, plural: string): string {
  return `${apiVersion}/${plural}`;
}

function keyOf(namespace: string | undefined, name: string | undefined): string {
  return `${namespace ?? ''}/${name ?? ''}`;
}

function send(watcher: Watcher, entry: HistoryEntry): void {
  if (watcher.collection !== entry.collection) return;
  if (watcher.namespace !== undefined && watcher.namespace !== entry.object.metadata['namespace']) return;
  watcher.response.write(`${JSON.stringify({ type: entry.type, object: entry.object })}\n`);
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function refuse(response: ServerResponse, status: number, reason: string): void {
  answer(response, status, { kind: 'Status', code: status, reason, message: `refused: ${reason}` });
}

async function readJson(request: IncomingMessage): Promise<Stored | undefined> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? undefined : (JSON.parse(text) as Stored);
}

/** RFC 7386. */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const base = typeof target === 'object' && target !== null && !Array.isArray(target) ? target : {};
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merge(result[key], value);
  }
  return result;
}
