import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { KubeClient } from '@contrail/kube';
import { systemClock } from '@contrail/reconcile';
import { globalSystemConfigUuid, toResource, wellKnownUuid } from '@contrail/resource-model';
import { MemoryStore } from '@contrail/store';
import { testPki } from '@contrail/testing';
import { Transactor } from '../transact/transactor';
import { createBaseObjects } from './base-objects';
import { exchangeToken } from './bootstrap-service';
import type { BootstrapOptions } from './bootstrap-service';
import { kubernetesReviewer } from './token-review';
import type { ReviewedToken } from './token-review';

const pki = testPki();
const agentUser = 'system:serviceaccount:contrail:vrouter-agent';
const agent: ReviewedToken = { username: agentUser, node: 'node-1' };
let certificateRequestPem: string;

beforeAll(() => {
  const dir = mkdtempSync(path.join(tmpdir(), 'csr-'));
  const args = [
    'req',
    '-new',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    'k',
    '-out',
    'csr',
  ];
  execFileSync('openssl', [...args, '-subj', '/CN=config-api'], { cwd: dir, stdio: 'ignore' });
  certificateRequestPem = readFileSync(path.join(dir, 'csr'), 'utf8');
  rmSync(dir, { recursive: true });
});

function options(reviewed: ReviewedToken | undefined, store = new MemoryStore()): BootstrapOptions {
  return {
    ...{ store, clock: systemClock, agentUser },
    reviewToken: () => Promise.resolve(reviewed),
    authority: () => ({ cert: pki.caCert.toString(), key: pki.caKey.toString() }),
    trust: () => pki.caCert.toString(),
  };
}

it("gives a day's certificate that names the node, whatever subject was asked for", async () => {
  const store = new MemoryStore();
  await createBaseObjects(
    store,
    new Transactor({ store, clock: systemClock, onRetry: () => undefined }),
  );
  const fqName = ['default-global-system-config', 'node-1'];
  const uuid = wellKnownUuid('virtual-router', fqName);
  const meta = {
    uuid,
    fqName,
    parentType: 'global-system-config',
    parentUuid: globalSystemConfigUuid,
  };
  const resource = toResource('virtual-router', { meta, virtualRouterIpAddress: '192.0.2.7' });
  await store.transact({
    writes: [{ kind: 'put', resource, previous: undefined }],
    claims: [],
    frees: [],
    traceparent: '',
  });
  const answer = await exchangeToken(options(agent, store), { token: 't', certificateRequestPem });
  const certificate = new X509Certificate(answer.certificatePem);
  expect(certificate.subject).toBe('CN=vrouter-agent');
  expect(certificate.subjectAltName).toBe(
    'DNS:vrouter-agent, URI:contrail://node/node-1, IP Address:192.0.2.7',
  );
  expect(certificate.verify(new X509Certificate(pki.caCert).publicKey)).toBe(true);
  expect(Number(answer.notAfterS) * 1000 - Date.now()).toBeGreaterThan(86_390_000);
  expect(answer.caPem).toBe(pki.caCert.toString());
});

it.each<[string, ReviewedToken | undefined, string, string]>([
  ['a token that Kubernetes refuses', undefined, 'UNAUTHENTICATED', 'Kubernetes refuses it'],
  [
    'another ServiceAccount',
    { username: 'system:serviceaccount:blue:x', node: 'node-1' },
    'PERMISSION_DENIED',
    `only ${agentUser} gets a certificate`,
  ],
  [
    'a token bound to no node',
    { username: agentUser, node: undefined },
    'UNAUTHENTICATED',
    'is bound to no node',
  ],
  [
    'a node name that is none',
    { username: agentUser, node: 'a/../b' },
    'UNAUTHENTICATED',
    'is bound to no node',
  ],
])('refuses %s', async (_, reviewed, code, text) => {
  const failure = exchangeToken(options(reviewed), { token: 't', certificateRequestPem });
  await expect(failure).rejects.toMatchObject({ code });
  await expect(failure).rejects.toThrow(text);
});

it('refuses an empty token without asking Kubernetes', async () => {
  const failure = exchangeToken(options(agent), { token: '', certificateRequestPem });
  await expect(failure).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});

describe('the Kubernetes reviewer', () => {
  let server: Server;
  let client: KubeClient;
  let answer: object;
  let asked: unknown;

  beforeAll(async () => {
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        asked = { path: request.url, body: JSON.parse(body) as unknown };
        response
          .writeHead(201, { 'content-type': 'application/json' })
          .end(JSON.stringify({ status: answer }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    client = new KubeClient({
      protocol: 'http:',
      host: '127.0.0.1',
      port,
      credentials: () => ({}),
    });
  });
  afterAll(async () => {
    client.close();
    await new Promise((resolve) => server.close(resolve));
  });

  const user = {
    username: agentUser,
    extra: { 'authentication.kubernetes.io/node-name': ['node-1'] },
  };

  it('asks for our audience and reads user and node', async () => {
    answer = { authenticated: true, audiences: ['contrail'], user };
    expect(await kubernetesReviewer(client, 'contrail')('token')).toEqual(agent);
    expect(asked).toMatchObject({
      path: '/apis/authentication.k8s.io/v1/tokenreviews',
      body: { kind: 'TokenReview', spec: { token: 'token', audiences: ['contrail'] } },
    });
  });

  it.each([
    ['a token that is not authenticated', { authenticated: false, user }],
    ['a token for another audience', { authenticated: true, audiences: ['other'], user }],
    ['a server that knows no audiences', { authenticated: true, user }],
    ['an answer without user', { authenticated: true, audiences: ['contrail'] }],
  ])('refuses %s', async (_, status) => {
    answer = status;
    expect(await kubernetesReviewer(client, 'contrail')('token')).toBeUndefined();
  });
});
