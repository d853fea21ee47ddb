import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { TestCertificate } from '@contrail/testing';

export interface FakeKubernetes {
  readonly port: number;
  stop(): void;
}

/** Answers TokenReview and SubjectAccessReview: every token is an administrator's. */
export async function startFakeKubernetes({ cert, key }: TestCertificate): Promise<FakeKubernetes> {
  const user = { username: 'bench', uid: 'bench', groups: ['system:masters'] };
  const status = { authenticated: true, allowed: true, user };
  const server = createServer({ cert, key }, (request, response) => {
    void json(request).then((review) => {
      response.writeHead(201, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ ...(review as object), status }));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
