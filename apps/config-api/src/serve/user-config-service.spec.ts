import { ConfigServiceClient } from '@contrail/proto-gen/config/v1/config_service';
import { AllotKind } from '@contrail/proto-gen/config/v1/messages';
import type { Operation } from '@contrail/proto-gen/config/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { systemClock } from '@contrail/reconcile';
import { metaOf, toResource, wellKnownUuid } from '@contrail/resource-model';
import type { PartialMessage, ResourceType } from '@contrail/resource-model';
import { callUnary, closeClient, createClient, openServerStream, startServer } from '@contrail/rpc';
import type { RunningServer } from '@contrail/rpc';
import { MemoryStore } from '@contrail/store';
import { createBaseObjects } from '../bootstrap/base-objects';
import { Authorizer } from '../rest/auth/authorizer';
import { ProjectFinder } from '../rest/auth/containing-project';
import type { Access, AccessQuestion } from '../rest/auth/kubernetes-access';
import { Transactor } from '../transact/transactor';
import { userConfigService } from './user-config-service';

const memberVerbs = ['get', 'list', 'create', 'update', 'delete', 'use'];
const inBlue = (verbs: readonly string[]) => ({ namespace, verb }: AccessQuestion): boolean => namespace === 'blue' && verbs.includes(verb);
const rights: Readonly<Record<string, (question: AccessQuestion) => boolean>> = {
  admin: () => true,
  member: inBlue(memberVerbs),
  viewer: inBlue(['get', 'list']),
};
/** The token is the name of the user. */
const access: Access = {
  authenticate: (token) =>
    Promise.resolve(token in rights ? { username: token, uid: token, groups: [], extra: {} } : undefined),
  mayDo: ({ username }, question) => Promise.resolve(rights[username]?.(question) === true),
};

let server: RunningServer;
let transactor: Transactor;
const clients: ConfigServiceClient[] = [];

function as(token: string): ConfigServiceClient {
  const target = { address: `127.0.0.1:${server.port}`, service: 'config-api', tls: 'insecure' as const };
  const client = createClient(ConfigServiceClient, token === '' ? target : { ...target, token });
  clients.push(client);
  return client;
}

function object<T extends ResourceType>(type: T, fqName: string[], parentType: string, fields: object = {}): Resource {
  const { annotations = {}, ...own } = fields as { annotations?: Record<string, string> };
  const meta = { uuid: wellKnownUuid(type, fqName), fqName, parentType, annotations };
  return toResource(type, { ...own, meta } as unknown as PartialMessage<T>);
}

const upsert = (resource: Resource): Operation => ({ kind: { $case: 'upsert', value: { resource } } });
const keyOf = (resource: Resource): { uuid: string; type: string; fqName: string[] } => ({ uuid: metaOf(resource).uuid, type: '', fqName: [] });
const project = (name: string): Resource => object('project', ['default-domain', name], 'domain', { annotations: { namespace: name } });
const network = (...name: string[]): Resource => object('virtual-network', ['default-domain', ...name], 'project');
const red = network('red', 'net');

beforeAll(async () => {
  const store = new MemoryStore();
  transactor = new Transactor({ store, clock: systemClock, onRetry: () => undefined });
  await createBaseObjects(store, transactor);
  await transactor.run([upsert(project('blue')), upsert(project('red')), upsert(red)], '');
  const authorizer = new Authorizer(access, new ProjectFinder(store, systemClock));
  const service = userConfigService({ store, transactor, access, authorizer });
  server = await startServer({ address: '127.0.0.1:0', tls: 'insecure', services: [service] });
});

afterAll(async () => {
  for (const client of clients) closeClient(client);
  await server.stop(100);
});

const denied = { code: 'PERMISSION_DENIED' };

it.each([[''], ['stranger']])('refuses the token "%s"', async (token) => {
  await expect(callUnary(as(token), 'get', { key: keyOf(red) })).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});

it('lets a member work in his project, also on objects below each other in one transaction', async () => {
  const net = network('blue', 'net');
  const pool = object('floating-ip-pool', [...metaOf(net).fqName, 'pool'], 'virtual-network');
  const { results } = await callUnary(as('member'), 'transact', { operations: [upsert(net), upsert(pool)] });
  expect(results.map(({ changed }) => changed)).toEqual([true, true]);
  expect((await callUnary(as('viewer'), 'get', { key: keyOf(net) })).resource).toBeDefined();
  await callUnary(as('member'), 'delete', { key: keyOf(pool), expectedRevision: 0n });
  await callUnary(as('member'), 'delete', { key: keyOf(net), expectedRevision: 0n });
});

it.each<[string, string, Operation]>([
  ['a viewer creating', 'viewer', upsert(network('blue', 'mine'))],
  ['a member creating elsewhere', 'member', upsert(network('red', 'mine'))],
  ['a member changing what is elsewhere', 'member', upsert(object('virtual-network', metaOf(red).fqName, 'project', { isShared: true }))],
  ['a member deleting elsewhere', 'member', { kind: { $case: 'delete', value: { key: keyOf(red), expectedRevision: 0n } } }],
  ['a member creating a project', 'member', upsert(project('mine'))],
  [
    'a member referring elsewhere',
    'member',
    upsert(object('virtual-machine-interface', ['default-domain', 'blue', 'vmi'], 'project', { virtualNetworkRefs: [{ uuid: metaOf(red).uuid }] })),
  ],
  ['anybody moving a project to another namespace', 'admin', upsert(object('project', ['default-domain', 'red'], 'domain', { annotations: { namespace: 'blue' } }))],
])('refuses %s', async (_, token, operation) => {
  const net = upsert(network('blue', 'rolled-back'));
  await expect(callUnary(as(token), 'transact', { operations: [net, operation] })).rejects.toMatchObject(denied);
  await expect(callUnary(as('admin'), 'get', { key: keyOf(network('blue', 'rolled-back')) })).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

it('lists what the user may see', async () => {
  const names = async (token: string): Promise<string[]> => {
    const request = { type: 'project', parentUuid: '', annotations: {}, pageSize: 0, pageToken: '' };
    const { resources } = await callUnary(as(token), 'list', request);
    return resources.map((resource) => metaOf(resource).fqName[1] ?? '');
  };
  expect(await names('viewer')).toEqual(['blue']);
  expect(await names('admin')).toEqual(expect.arrayContaining(['blue', 'red']));
});

it('watches only with rights in the whole cluster, and keeps from users what only services do', async () => {
  const first = async (token: string): Promise<string | undefined> => {
    const request = { types: ['project'], resume: undefined };
    for await (const { kind } of openServerStream(as(token), 'watch', request)) return kind?.$case;
    return undefined;
  };
  expect(await first('admin')).toBe('snapshot');
  await expect(first('member')).rejects.toMatchObject(denied);
  const ids = { kind: AllotKind.ALLOT_KIND_LABEL, keys: ['x'] };
  await expect(callUnary(as('admin'), 'allot', ids)).rejects.toMatchObject(denied);
});
