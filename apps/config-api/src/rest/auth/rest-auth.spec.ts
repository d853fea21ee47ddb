import { metaOf, toResource, wellKnownUuid } from '@contrail/resource-model';
import type { RestAnswer } from '../../../testing/rest-fixture';
import { useRestFixture } from '../../../testing/use-rest-fixture';
import type { Members } from '../../../testing/use-rest-fixture';
import type { AccessQuestion } from './kubernetes-access';

let blue: string;
let red: string;


/** A project as kube-manager makes it for a namespace. */
async function makeProject(name: string): Promise<string> {
  const fqName = ['default-domain', name];
  const resource = toResource('project', {
    meta: { uuid: wellKnownUuid('project', fqName), fqName, annotations: { namespace: name } },
  });
  await api.transactor.run([{ kind: { $case: 'create', value: { resource } } }], '');
  return metaOf(resource).uuid;
}

/** Rights in one namespace only. */
const inNamespace =
  (wanted: string, verbs: readonly string[]) =>
  ({ namespace, verb }: AccessQuestion): boolean =>
    namespace === wanted && verbs.includes(verb);

const memberVerbs = ['get', 'list', 'create', 'update', 'delete', 'use'];

const api = useRestFixture(async ({ rights }) => {
  [blue, red] = [await makeProject('blue'), await makeProject('red')];
  rights.set('blue-member', inNamespace('blue', memberVerbs));
  rights.set('red-member', inNamespace('red', memberVerbs));
  rights.set('blue-viewer', inNamespace('blue', ['get', 'list']));
  rights.set('nobody', () => false);
});

let count = 0;

function post(uri: string, body: unknown, user: string): Promise<RestAnswer> {
  return api.call('POST', uri, body, user);
}

async function makeNetwork(project: string, fields: Members = {}): Promise<string> {
  const fq_name = ['default-domain', project, `net-${(count += 1)}`];
  const answer = await post('/virtual-networks', { 'virtual-network': { fq_name, parent_type: 'project', ...fields } }, 'admin');
  return (answer.json() as { 'virtual-network': { uuid: string } })['virtual-network'].uuid;
}

async function statusOf(method: string, uri: string, user: string, body?: unknown): Promise<number> {
  return (await api.call(method, uri, body, user)).status;
}

describe('rights of Kubernetes', () => {
  it('let members of a namespace work in its project only', async () => {
    const own = await makeNetwork('blue');
    const other = await makeNetwork('red');
    const change = { 'virtual-network': { display_name: 'x' } };
    expect(await statusOf('GET', `/virtual-network/${own}`, 'blue-member')).toBe(200);
    expect(await statusOf('PUT', `/virtual-network/${own}`, 'blue-member', change)).toBe(200);
    expect(await statusOf('GET', `/virtual-network/${other}`, 'blue-member')).toBe(403);
    expect(await statusOf('PUT', `/virtual-network/${other}`, 'blue-member', change)).toBe(403);
    expect(await statusOf('DELETE', `/virtual-network/${own}`, 'blue-member')).toBe(200);
    const created = await post('/virtual-networks', { 'virtual-network': { fq_name: ['default-domain', 'red', 'mine'], parent_type: 'project' } }, 'blue-member');
    expect([created.status, created.text]).toEqual([403, expect.stringMatching(/user blue-member may not create virtual-networks .* in namespace red/) as string]);
  });

  it('let viewers read and nothing else', async () => {
    const own = await makeNetwork('blue');
    expect(await statusOf('GET', `/virtual-network/${own}`, 'blue-viewer')).toBe(200);
    expect(await statusOf('DELETE', `/virtual-network/${own}`, 'blue-viewer')).toBe(403);
    expect(await statusOf('POST', '/chmod', 'blue-viewer', { uuid: own, global_access: 7 })).toBe(403);
  });

  it('show in lists only what may be read', async () => {
    await makeNetwork('blue');
    await makeNetwork('red');
    const { 'virtual-networks': seen } = (await api.call('GET', '/virtual-networks', undefined, 'blue-member')).json() as { 'virtual-networks': { fq_name: string[] }[] };
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.every(({ fq_name }) => fq_name[1] === 'blue')).toBe(true);
    expect((await api.call('GET', '/virtual-networks', undefined, 'nobody')).json()).toEqual({ 'virtual-networks': [] });
  });

  it('are those of the cluster for objects in no project of a namespace', async () => {
    expect(await statusOf('POST', '/virtual-machines', 'blue-member', { 'virtual-machine': { fq_name: ['vm'] } })).toBe(403);
    expect(await statusOf('POST', '/projects', 'blue-member', { project: { fq_name: ['default-domain', 'p'], parent_type: 'domain' } })).toBe(403);
    expect(await statusOf('POST', '/useragent-kv', 'blue-member', { operation: 'RETRIEVE', key: null })).toBe(403);
    expect(await statusOf('PUT', '/aaa-mode', 'blue-member', { 'aaa-mode': 'rbac' })).toBe(403);
  });

  it('cannot be moved by writing the namespace of a project', async () => {
    const namespace = { key_value_pair: [{ key: 'namespace', value: 'red' }] };
    for (const user of ['admin', 'blue-member']) {
      expect(await statusOf('PUT', `/project/${blue}`, user, { project: { annotations: namespace } })).toBe(403);
      const update = { field: 'annotations', operation: 'set', value: { key: 'namespace', value: 'red' } };
      expect(await statusOf('POST', '/prop-collection-update', user, { uuid: blue, updates: [update] })).toBe(403);
    }
    const created = { project: { fq_name: ['default-domain', 'p2'], parent_type: 'domain', annotations: namespace } };
    expect(await statusOf('POST', '/projects', 'admin', created)).toBe(403);
    expect(await statusOf('PUT', `/project/${blue}`, 'admin', { project: { annotations: null } })).toBe(200);
    expect(await statusOf('GET', `/virtual-networks?parent_id=${blue}`, 'blue-member')).toBe(200);
  });
});

describe('references', () => {
  const refer = async (user: string, network: string): Promise<number> => {
    const fields = { fq_name: ['default-domain', 'blue', `vmi-${(count += 1)}`], parent_type: 'project' };
    const body = { 'virtual-machine-interface': { ...fields, virtual_network_refs: [{ uuid: network }] } };
    return (await post('/virtual-machine-interfaces', body, user)).status;
  };

  it('need the right to use their target, which perms2 can share', async () => {
    const foreign = await makeNetwork('red');
    expect(await refer('blue-member', foreign)).toBe(403);
    await post('/chmod', { uuid: foreign, share: [{ tenant: blue, tenant_access: 4 }] }, 'red-member');
    expect(await refer('blue-member', foreign)).toBe(403);
    await post('/chmod', { uuid: foreign, share: [{ tenant: blue.replaceAll('-', ''), tenant_access: 5 }] }, 'red-member');
    expect(await refer('blue-member', foreign)).toBe(200);
    expect(await refer('blue-member', await makeNetwork('red', { is_shared: true }))).toBe(200);
    const domain = wellKnownUuid('domain', ['default-domain']);
    const shared = (tenant: string, access: number): Promise<string> => makeNetwork('red', { perms2: { share: [{ tenant, tenant_access: access }] } });
    expect(await refer('blue-member', await shared(`domain:${domain}`, 5))).toBe(200);
    expect(await refer('blue-member', await shared(`domain:${domain}`, 4))).toBe(403);
    expect(await refer('blue-member', await shared(`domain:${blue}`, 5))).toBe(403);
  });
});

describe('perms2', () => {
  it('takes rights away from the project, and never gives the right to change', async () => {
    const own = await makeNetwork('blue');
    await post('/chmod', { uuid: own, owner_access: 4 }, 'admin');
    expect(await statusOf('GET', `/virtual-network/${own}`, 'blue-member')).toBe(200);
    expect(await statusOf('DELETE', `/virtual-network/${own}`, 'blue-member')).toBe(403);
    await post('/chown', { uuid: own, owner: red }, 'admin');
    expect(await statusOf('GET', `/virtual-network/${own}`, 'blue-member')).toBe(403);
    expect(await statusOf('DELETE', `/virtual-network/${own}`, 'red-member')).toBe(403);
    const shared = await makeNetwork('red', { perms2: { share: [{ tenant: blue, tenant_access: 7 }] } });
    expect(await statusOf('GET', `/virtual-network/${shared}`, 'blue-member')).toBe(200);
    expect(await statusOf('DELETE', `/virtual-network/${shared}`, 'blue-member')).toBe(403);
    expect(await statusOf('DELETE', `/virtual-network/${shared}`, 'admin')).toBe(200);
  });

  it('says what a token may do with an object', async () => {
    const own = await makeNetwork('blue');
    const perms = async (user: string): Promise<unknown> =>
      (await api.call('GET', `/obj-perms?uuid=${own}`, undefined, user)).json();
    expect(await perms('admin')).toMatchObject({ permissions: 'RWX', is_cloud_admin_role: true });
    expect(await perms('blue-member')).toMatchObject({ permissions: 'RWX', is_cloud_admin_role: false });
    expect(await perms('blue-viewer')).toMatchObject({ permissions: 'R' });
    expect(await perms('nobody')).toMatchObject({ permissions: '' });
  });
});

describe('the identity service of the original', () => {
  const login = (password: unknown): Promise<RestAnswer> =>
    post('/v3/auth/tokens', { auth: { identity: { methods: ['password'], password: { user: { name: 'me', domain: { name: 'Default' }, password } } }, scope: {} } }, '');

  it('takes a Kubernetes token as the password and gives it back as token', async () => {
    const answer = await login('blue-member');
    expect([answer.status, answer.headers['x-subject-token']]).toEqual([201, 'blue-member']);
    expect(answer.json()).toMatchObject({ token: { user: { name: 'blue-member' } } });
    expect((await login('stranger')).status).toBe(401);
    expect((await login(7)).status).toBe(401);
    expect((await login('a\r\nx-evil: 1')).status).toBe(401);
  });
});
