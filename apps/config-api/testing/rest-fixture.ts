import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '@contrail/reconcile';
import { openStore } from '@contrail/store';
import type { ResourceStore } from '@contrail/store';
import { startRedis } from '@contrail/testing';
import { createBaseObjects } from '../src/bootstrap/base-objects';
import { noAddresses } from '../src/rest/addresses/addresses';
import type { Addresses } from '../src/rest/addresses/addresses';
import { Authorizer } from '../src/rest/auth/authorizer';
import { ProjectFinder } from '../src/rest/auth/containing-project';
import type { Access, AccessQuestion, User } from '../src/rest/auth/kubernetes-access';
import { restHandler } from '../src/rest/handler';
import { startRestServer } from '../src/rest/http/rest-server';
import { Transactor } from '../src/transact/transactor';

type Headers = Readonly<Record<string, string>>;

export interface RestAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The parsed body. @throws SyntaxError when it is none. */
  json(): unknown;
}

/** The REST API over a real Redis, with users whose rights the test decides. */
export interface RestFixture {
  readonly store: ResourceStore;
  readonly transactor: Transactor;
  readonly port: number;
  readonly socketPath: string;
  /** What a user may do; `admin` may do everything. */
  readonly rights: Map<string, (question: AccessQuestion) => boolean>;
  /** A request as the original's Python client sends it. @param body an object, or raw text. */
  call(method: string, uri: string, body?: unknown, token?: string, headers?: Headers): Promise<RestAnswer>;
  stop(): Promise<void>;
}

const useragentHeaders = {
  'content-type': 'application/json; charset="UTF-8"',
  'x-contrail-useragent': 'client:test',
  accept: '*/*',
  'accept-encoding': 'gzip, deflate',
};

export async function startRestFixture(
  addresses: (store: ResourceStore) => Addresses = () => noAddresses,
): Promise<RestFixture> {
  const redis = await startRedis();
  const store = openStore({ redis: { url: redis.url, user: 'default' } });
  const clock = systemClock;
  const transactor = new Transactor({ store, clock, onRetry: () => undefined });
  await retryUntilDone(() => createBaseObjects(store, transactor));
  const rights = new Map<string, (question: AccessQuestion) => boolean>([['admin', () => true]]);
  const access = fakeAccess(rights);
  // Tests change projects and rights and look at once: nothing is remembered.
  const forgetful = { ...clock, now: tickingClock() };
  const authorizer = new Authorizer(access, new ProjectFinder(store, forgetful));
  const handle = restHandler({ store, transactor, access, authorizer, addresses: addresses(store) });
  const folder = mkdtempSync(path.join(tmpdir(), 'rest-'));
  const socketPath = path.join(folder, 'rest.sock');
  const server = await startRestServer({ address: { host: '127.0.0.1', port: 0 } }, handle);
  const plain = await startRestServer({ address: { path: socketPath } }, handle);
  return {
    ...{ store, transactor, port: server.port, socketPath, rights },
    call: (method, uri, body, token = 'admin', headers = {}) =>
      send(server.port, { method, uri, body, token, headers }),
    stop: async () => {
      await Promise.all([server.stop(), plain.stop()]);
      await store.close();
      await redis.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The token is the name of the user. */
function fakeAccess(rights: ReadonlyMap<string, (question: AccessQuestion) => boolean>): Access {
  return {
    authenticate: (token) => {
      const user: User = { username: token, uid: `uid-${token}`, groups: [], extra: {} };
      return Promise.resolve(rights.has(token) ? user : undefined);
    },
    mayDo: ({ username }, question) => Promise.resolve(rights.get(username)?.(question) ?? false),
  };
}

/** Each look at it is a minute later. */
function tickingClock(): () => number {
  let now = 0;
  return () => (now += 60_000);
}

async function retryUntilDone(work: () => Promise<void>): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await work();
      return;
    } catch (error) {
      if (attempt > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

interface Call {
  readonly method: string;
  readonly uri: string;
  readonly body: unknown;
  readonly token: string;
  readonly headers: Headers;
}

function send(port: number, { method, uri, body, token, headers: more }: Call): Promise<RestAnswer> {
  const text = body === undefined ? undefined : typeof body === 'string' ? body : asciiJson(body);
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        ...{ host: '127.0.0.1', port, method, path: uri },
        headers: {
          ...useragentHeaders,
          ...more,
          ...(token === '' ? {} : { 'x-auth-token': token }),
          ...(text === undefined ? {} : { 'content-length': Buffer.byteLength(text) }),
          ...(method === 'DELETE' && text === undefined ? { 'content-length': 0 } : {}),
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const answer = Buffer.concat(chunks).toString('utf8');
          const { statusCode = 0, headers } = response;
          resolve({ status: statusCode, text: answer, headers, json: () => JSON.parse(answer) });
        });
      },
    );
    request.on('error', reject);
    request.end(text);
  });
}

/** Python's json.dumps writes everything beyond ASCII as \uXXXX. */
function asciiJson(body: unknown): string {
  return JSON.stringify(body).replaceAll(
    /[\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
