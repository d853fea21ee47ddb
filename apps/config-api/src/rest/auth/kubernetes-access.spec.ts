import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeClient } from '@contrail/kube';
import { kubernetesAccess } from './kubernetes-access';
import type { Access } from './kubernetes-access';

/** What the API server was asked, and what it answers next. */
const asked: { path: string; spec: Record<string, unknown> }[] = [];
let status: unknown;
let server: Server;
let client: KubeClient;
let access: Access;
let now = 0;

beforeAll(async () => {
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      asked.push({ path: request.url ?? '', spec: (JSON.parse(text) as { spec: Record<string, unknown> }).spec });
      response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify({ status }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  client = new KubeClient({ protocol: 'http:', host: '127.0.0.1', port, credentials: () => ({}) });
});

afterAll(async () => {
  client.close();
  await new Promise((resolve) => server.close(resolve));
});

beforeEach(() => {
  asked.length = 0;
  now += 3_600_000;
  const clock = { now: () => now, sleep: () => Promise.resolve() };
  access = kubernetesAccess(client, 'contrail', clock);
});

/** A token that says for whom it was made. */
function token(aud: unknown): string {
  return `h.${Buffer.from(JSON.stringify({ aud })).toString('base64url')}.s`;
}

const user = { username: 'me', uid: 'u1', groups: ['g'], extra: { key: ['value'] } };

describe('authenticate', () => {
  it.each([
    ['for us, asking for our audience', token(['contrail']), { audiences: ['contrail'] }],
    ['for the API server, asking for none', token(['https://kubernetes.default.svc']), {}],
    ['of another form, asking for none', 'opaque', {}],
  ])('reviews a token %s', async (_, shown, extra) => {
    status = { authenticated: true, audiences: ['contrail'], user };
    expect(await access.authenticate(shown)).toEqual(user);
    expect(asked).toEqual([
      { path: '/apis/authentication.k8s.io/v1/tokenreviews', spec: { token: shown, ...extra } },
    ]);
  });

  it.each([[undefined], [['https://kubernetes.default.svc']]])(
    'refuses a token for us that Kubernetes confirms for %j only',
    async (audiences) => {
      status = { authenticated: true, audiences, user };
      expect(await access.authenticate(token(['contrail']))).toBeUndefined();
    },
  );

  it('asks again after ten seconds, and not before', async () => {
    status = { authenticated: true, user };
    await Promise.all([access.authenticate('a'), access.authenticate('a')]);
    now += 9_999;
    await access.authenticate('a');
    expect(asked).toHaveLength(1);
    status = { authenticated: false };
    now += 1;
    expect(await access.authenticate('a')).toBeUndefined();
    expect(asked).toHaveLength(2);
  });

  it('does not ask about what can be no token', async () => {
    expect(await access.authenticate('')).toBeUndefined();
    expect(await access.authenticate('x'.repeat(20_000))).toBeUndefined();
    expect(asked).toEqual([]);
  });
});

describe('mayDo', () => {
  it('asks with the group of our resources, in a namespace or in the cluster', async () => {
    status = { allowed: true };
    const question = { verb: 'use', resource: 'virtual-networks' } as const;
    expect(await access.mayDo(user, { ...question, namespace: 'blue' })).toBe(true);
    status = { allowed: false };
    expect(await access.mayDo(user, question)).toBe(false);
    const attributes = { group: 'contrail.opencontrail.org', ...question };
    const who = { user: 'me', uid: 'u1', groups: ['g'], extra: { key: ['value'] } };
    expect(asked.map(({ spec }) => spec)).toEqual([
      { ...who, resourceAttributes: { ...attributes, namespace: 'blue' } },
      { ...who, resourceAttributes: attributes },
    ]);
  });
});
