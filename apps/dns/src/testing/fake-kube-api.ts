import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { KubeConnection, KubeObject } from '@contrail/kube';

/** Collections by the last word of their path: `services`. */
export type Collections = Readonly<Record<string, readonly KubeObject[]>>;

export interface FakeKubeApi {
  readonly connection: KubeConnection;
  /** Sends an event to all who watch the collection, and changes what lists answer. */
  emit(collection: string, type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): void;
  stop(): Promise<void>;
}

/** Lists and watches of an API server, over HTTP on the loopback address; enough for reflectors. */
export async function startFakeKubeApi(initial: Collections): Promise<FakeKubeApi> {
  const objects = new Map<string, Map<string, KubeObject>>();
  const watches = new Map<string, Set<ServerResponse>>();
  let version = 100;
  const collection = (name: string): Map<string, KubeObject> => {
    const known = objects.get(name) ?? new Map<string, KubeObject>();
    objects.set(name, known);
    return known;
  };
  for (const [name, list] of Object.entries(initial)) for (const object of list) collection(name).set(keyOf(object), object);
  const server = createServer((request: IncomingMessage, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const name = url.pathname.split('/').at(-1) ?? '';
    response.writeHead(200, { 'content-type': 'application/json' });
    if (url.searchParams.get('watch') === 'true') {
      const known = watches.get(name) ?? new Set();
      watches.set(name, known.add(response));
      response.once('close', () => known.delete(response));
      response.flushHeaders();
      return;
    }
    response.end(JSON.stringify({ metadata: { resourceVersion: String(version) }, items: [...collection(name).values()] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    connection: { protocol: 'http:', host: '127.0.0.1', port, credentials: () => ({}) },
    emit: (name, type, object) => {
      version += 1;
      const stamped = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
      if (type === 'DELETED') collection(name).delete(keyOf(object));
      else collection(name).set(keyOf(object), stamped);
      for (const response of watches.get(name) ?? []) response.write(`${JSON.stringify({ type, object: stamped })}\n`);
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`;
}
