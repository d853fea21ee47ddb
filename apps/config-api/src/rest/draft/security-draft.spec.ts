import { useRestFixture } from '../../../testing/use-rest-fixture';
import type { Members } from '../../../testing/use-rest-fixture';
import type { RestAnswer } from '../../../testing/rest-fixture';

const api = useRestFixture();


async function read(type: string, fqName: readonly string[]): Promise<Members | undefined> {
  const id = await api.call('POST', '/fqname-to-id', { type, fq_name: fqName });
  if (id.status === 404) return undefined;
  const { uuid } = id.json() as { uuid: string };
  return ((await api.call('GET', `/${type}/${uuid}`)).json() as Record<string, Members>)[type];
}

/** A project in draft mode. */
async function makeProject(name: string): Promise<{ name: string[]; uuid: string }> {
  const fqName = ['default-domain', name];
  const object = { fq_name: fqName, parent_type: 'domain', enable_security_policy_draft: true };
  const made = (await api.call('POST', '/projects', { project: object })).json();
  return { name: fqName, uuid: (made as { project: { uuid: string } }).project.uuid };
}

const draft = (scope_uuid: string, action: string): Promise<RestAnswer> =>
  api.call('POST', '/security-policy-draft', { scope_uuid, action });

async function createPending(type: string, fqName: readonly string[], fields: Members): Promise<Members> {
  const answer = await api.call('POST', `/${type}s`, {
    [type]: { fq_name: fqName, parent_type: 'project', ...fields },
  });
  expect([answer.status, answer.text]).toEqual([202, expect.any(String)]);
  return (answer.json() as Record<string, Members>)[type] ?? {};
}

it('makes pending objects real together, references among them included', async () => {
  const project = await makeProject('commits');
  const rule = await createPending('firewall-rule', [...project.name, 'rule'], { direction: '<>', service: { protocol: 'tcp' } });
  const pendingName = [...project.name, 'draft-policy-management', 'rule'];
  expect(rule['fq_name']).toEqual(pendingName);
  await createPending('firewall-policy', [...project.name, 'policy'], {
    firewall_rule_refs: [{ to: pendingName, attr: { sequence: '1' } }],
  });
  expect(await read('firewall-policy', [...project.name, 'policy'])).toBeUndefined();
  const pending = await read('firewall-rule', pendingName);
  expect(pending?.['draft_mode_state']).toBe('created');
  expect((await draft(project.uuid, 'commit')).json()).toEqual({});
  const policy = await read('firewall-policy', [...project.name, 'policy']);
  expect(policy?.['firewall_rule_refs']).toMatchObject([{ to: [...project.name, 'rule'], attr: { sequence: '1' } }]);
  expect(policy).not.toHaveProperty('draft_mode_state');
  expect(await read('firewall-rule', pendingName)).toBeUndefined();
});

it('keeps changes and deletions apart until the commit, and drops them on discard', async () => {
  const project = await makeProject('changes');
  const name = [...project.name, 'group'];
  const prefixes = (prefix: string): Members => ({
    address_group_prefix: { subnet: [{ ip_prefix: prefix, ip_prefix_len: 8 }] },
  });
  await createPending('address-group', name, prefixes('10.0.0.0'));
  await draft(project.uuid, 'commit');
  const committed = await read('address-group', name);
  const uri = `/address-group/${String(committed?.['uuid'])}`;
  const change = { 'address-group': prefixes('11.0.0.0') };
  expect((await api.call('PUT', uri, change)).status).toBe(202);
  expect(await read('address-group', name)).toMatchObject(prefixes('10.0.0.0'));
  await draft(project.uuid, 'discard');
  expect((await api.call('PUT', uri, change)).status).toBe(202);
  await draft(project.uuid, 'commit');
  expect(await read('address-group', name)).toMatchObject({ uuid: committed?.['uuid'], ...prefixes('11.0.0.0') });
  expect((await api.call('DELETE', uri)).status).toBe(202);
  expect(await read('address-group', name)).toBeDefined();
  const leave = { project: { enable_security_policy_draft: false } };
  expect((await api.call('PUT', `/project/${project.uuid}`, leave)).status).toBe(409);
  await draft(project.uuid, 'commit');
  expect(await read('address-group', name)).toBeUndefined();
  expect((await api.call('PUT', `/project/${project.uuid}`, leave)).status).toBe(200);
});

it('has no pending changes of other objects', async () => {
  const answer = await api.call('GET', '/domains');
  const [domain] = (answer.json() as { domains: { uuid: string }[] }).domains;
  expect((await draft(domain?.uuid ?? '', 'commit')).status).toBe(400);
  expect((await draft(domain?.uuid ?? '', 'keep')).status).toBe(400);
});
