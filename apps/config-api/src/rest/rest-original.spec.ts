import { membersOf, useRestFixture } from '../../testing/use-rest-fixture';
import type { Members } from '../../testing/use-rest-fixture';
import type { RestAnswer } from '../../testing/rest-fixture';

/** Answers of the original's server that depend on its rules; found with its Python client. */
const api = useRestFixture();

const project = ['default-domain', 'default-project'];
let count = 0;

function post(type: string, fields: Members): Promise<RestAnswer> {
  const object = { fq_name: [...project, `o-${(count += 1)}`], parent_type: 'project', ...fields };
  return api.call('POST', `/${type}s`, { [type]: object });
}

async function create(type: string, fields: Members = {}): Promise<Members> {
  return membersOf(await post(type, fields), type);
}

async function read(type: string, uuid: unknown): Promise<Members> {
  return membersOf(await api.call('GET', `/${type}/${String(uuid)}`), type);
}

const ipamSubnets = (subnet: Members): Members => ({
  network_ipam_refs: [
    {
      to: [...project, 'default-network-ipam'],
      attr: { ipam_subnets: [{ subnet: { ip_prefix: '10.1.0.0', ip_prefix_len: 24 }, ...subnet }] },
    },
  ],
});
const groupRule = { direction: '>', protocol: 'tcp', ethertype: 'IPv4', src_addresses: [{ security_group: 'local' }] };
const group = (...rules: Members[]): Members => ({ security_group_entries: { policy_rule: rules } });
const policy = (rule: Members): Members => ({ network_policy_entries: { policy_rule: [{ protocol: 'any', ...rule }] } });
const service = { protocol: 'tcp', dst_ports: { start_port: 80, end_port: 80 } };
const record = (data: Members): Members => ({
  virtual_DNS_record_data: { record_name: 'www', record_class: 'IN', record_ttl_seconds: 60, ...data },
});

it.each<[string, string, Members, number, RegExp]>([
  ['a gateway outside of its subnet', 'virtual-network', ipamSubnets({ default_gateway: '10.2.0.1' }), 409, /default_gateway: 10\.2\.0\.1 is outside/],
  ['a pool outside of its subnet', 'virtual-network', ipamSubnets({ allocation_pools: [{ start: '10.2.0.1', end: '10.2.0.9' }] }), 409, /allocation_pools\[0\]\.start/],
  ['the same rule twice', 'security-group', group(groupRule, groupRule), 409, /Rule already exists/],
  ['a rule without "local"', 'security-group', group({ ...groupRule, src_addresses: [] }), 400, /local/],
  ['a policy rule without action', 'network-policy', policy({}), 400, /action_list/],
  ['a security group in a policy', 'network-policy', policy({ action_list: { simple_action: 'pass' }, src_addresses: [{ security_group: 'local' }] }), 400, /cannot name a security group/],
  ['a firewall rule without service', 'firewall-rule', { endpoint_1: { any: true } }, 400, /service/],
  ['two kinds of end points', 'firewall-rule', { service, endpoint_1: { any: true, virtual_network: 'a:b:c' } }, 400, /endpoint_1: has virtual_network and any/],
  ['labels to be matched', 'firewall-rule', { service, match_tags: { tag_list: ['label'] } }, 400, /match_tags: has label/],
  ['a protocol that nobody knows', 'firewall-rule', { service: { protocol: 'foo' } }, 400, /service\.protocol: is "foo"/],
  ['a tag without value', 'tag', {}, 400, /tag_type_name/],
  ['a share of more than everything', 'virtual-network', { perms2: { owner_access: 9 } }, 400, /perms2\.owner_access: is 9/],
])('refuses %s', async (_, type, fields, status, text) => {
  const before = type === 'firewall-rule' && 'endpoint_1' in fields && 'virtual_network' in (fields['endpoint_1'] as Members);
  if (before) {
    const { fq_name } = await create('virtual-network');
    (fields['endpoint_1'] as Members)['virtual_network'] = (fq_name as string[]).join(':');
  }
  const answer = await post(type, fields);
  expect([answer.status, answer.text]).toEqual([status, expect.stringMatching(text) as string]);
});

it('forbids what is wrong with a virtual DNS server or a record', async () => {
  const data = { domain_name: 'example.com', record_order: 'fixed', default_ttl_seconds: 60 };
  const place = { fq_name: ['default-domain', 'dns'], parent_type: 'domain', virtual_DNS_data: data };
  expect((await post('virtual-DNS', { ...place, fq_name: ['default-domain', 'a.b'] })).status).toBe(403);
  await create('virtual-DNS', place);
  const child = { fq_name: ['default-domain', 'dns', 'r'], parent_type: 'virtual-DNS' };
  expect((await post('virtual-DNS-record', { ...child, ...record({ record_type: 'A', record_data: 'x' }) })).status).toBe(403);
  await create('virtual-DNS-record', { ...child, ...record({ record_type: 'A', record_data: '192.0.2.1' }) });
});

describe('tags', () => {
  it('are named by their type in small letters, and keep that name', async () => {
    const { uuid, fq_name } = await create('tag', { tag_type_name: 'Tier', tag_value: 'Web' });
    expect(fq_name).toEqual([...project, 'tier=Web']);
    expect(await read('tag', uuid)).toMatchObject({ tag_type_name: 'tier', display_name: 'tier=Web' });
    expect((await post('tag', { tag_type_name: 'tier', tag_value: 'Web' })).status).toBe(409);
    const renamed = await api.call('PUT', `/tag/${String(uuid)}`, { tag: { display_name: 'x' } });
    expect([renamed.status, renamed.text]).toEqual([400, expect.stringMatching(/display_name/) as string]);
    expect((await api.call('PUT', `/tag/${String(uuid)}`, { tag: await read('tag', uuid) })).status).toBe(200);
  });

  it('take their type along when they are the last ones of it', async () => {
    const typeNamed = (): Promise<RestAnswer> => api.call('POST', '/fqname-to-id', { type: 'tag-type', fq_name: ['my-colour'] });
    const first = await create('tag', { tag_type_name: 'my-colour', tag_value: 'red' });
    const second = await create('tag', { tag_type_name: 'my-colour', tag_value: 'blue' });
    await api.call('DELETE', `/tag/${String(first['uuid'])}`);
    expect((await typeNamed()).status).toBe(200);
    await api.call('DELETE', `/tag/${String(second['uuid'])}`);
    expect((await typeNamed()).status).toBe(404);
  });

  it('are everybody\'s when they are global', async () => {
    const place = { fq_name: ['x'], parent_type: 'config-root' };
    const { uuid } = await create('tag', { ...place, tag_type_name: 'site', tag_value: 'berlin' });
    expect(await read('tag', uuid)).toMatchObject({ perms2: { global_access: 7 } });
  });

  it('attach by types with hyphens, and to address groups as labels only', async () => {
    await create('tag', { tag_type_name: 'my-size', tag_value: 'l' });
    const network = await create('virtual-network');
    const set = { obj_type: 'virtual_network', obj_uuid: network['uuid'], 'my-size': { is_global: false, value: 'l' } };
    expect((await api.call('POST', '/set-tag', set)).status).toBe(200);
    expect((await read('virtual-network', network['uuid']))['tag_refs']).toMatchObject([{ to: [...project, 'my-size=l'] }]);
    const { uuid } = await create('address-group');
    const onGroup = await api.call('POST', '/set-tag', { obj_type: 'address_group', obj_uuid: uuid, 'my-size': { value: 'l' } });
    expect([onGroup.status, onGroup.text]).toEqual([400, expect.stringMatching(/labels only/) as string]);
  });
});

it('numbers the protocols of service groups', async () => {
  const list = { firewall_service: [{ protocol: 'udp', dst_ports: { start_port: 53, end_port: 53 } }] };
  const { uuid } = await create('service-group', { service_group_firewall_service_list: list });
  expect(await read('service-group', uuid)).toMatchObject({
    service_group_firewall_service_list: { firewall_service: [{ protocol: 'udp', protocol_id: 17 }] },
  });
});

describe('addresses', () => {
  it('never change', async () => {
    const network = await create('virtual-network');
    const refs = { virtual_network_refs: [{ uuid: network['uuid'] }] };
    const place = { fq_name: ['ip'], parent_type: undefined, instance_ip_address: '10.1.0.1' };
    const { uuid } = await create('instance-ip', { ...place, ...refs });
    const put = (address: string): Promise<RestAnswer> =>
      api.call('PUT', `/instance-ip/${String(uuid)}`, { 'instance-ip': { instance_ip_address: address } });
    expect((await put('10.1.0.1')).status).toBe(200);
    const changed = await put('10.1.0.2');
    expect([changed.status, changed.text]).toEqual([400, expect.stringMatching(/10\.1\.0\.1 never changes/) as string]);
  });

  it('are of the project of their pool when they name none', async () => {
    const network = await create('virtual-network');
    const name = network['fq_name'] as string[];
    await create('floating-ip-pool', { fq_name: [...name, 'pool'], parent_type: 'virtual-network' });
    const place = { fq_name: [...name, 'pool', 'ip'], parent_type: 'floating-ip-pool' };
    const { uuid } = await create('floating-ip', { ...place, floating_ip_address: '192.0.2.9' });
    expect((await read('floating-ip', uuid))['project_refs']).toMatchObject([{ to: project }]);
  });
});

it('says with 304 that an object is as the client has it', async () => {
  const { uuid } = await create('virtual-network');
  const uri = `/virtual-network/${String(uuid)}`;
  const { etag } = (await api.call('GET', uri)).headers;
  const again = (): Promise<RestAnswer> => api.call('GET', uri, undefined, 'admin', { 'if-none-match': String(etag) });
  expect((await again()).status).toBe(304);
  await api.call('PUT', uri, { 'virtual-network': { display_name: 'other' } });
  expect((await again()).status).toBe(200);
});

it('deletes a reference whose target is gone, operations in any case', async () => {
  const { uuid } = await create('virtual-network');
  const gone = '7d0d4c1e-3f51-4c7e-9d5f-1c1a7f3e0a11';
  const update = { type: 'virtual-network', uuid, 'ref-type': 'network-policy', 'ref-uuid': gone };
  expect((await api.call('POST', '/ref-update', { ...update, operation: 'delete' })).status).toBe(200);
  expect((await api.call('POST', '/ref-update', { ...update, operation: 'ADD' })).status).toBe(404);
});

it('shares a network by chmod in its older field, too', async () => {
  const { uuid } = await create('virtual-network');
  for (const access of [5, 0]) {
    expect((await api.call('POST', '/chmod', { uuid, global_access: access })).status).toBe(200);
    expect((await read('virtual-network', uuid))['is_shared']).toBe(access !== 0);
  }
  expect((await api.call('POST', '/chmod', { uuid, global_access: 9 })).status).toBe(400);
});

it.each<[string, string, Members, number]>([
  ['a field without elements', '/prop-collection-update', { updates: [{ field: 'nonsense', operation: 'add', value: 1 }] }, 400],
  ['an unknown operation on texts', '/useragent-kv', { operation: 'MOVE', key: 'x' }, 404],
])('refuses %s', async (_, uri, body, status) => {
  const { uuid } = await create('virtual-network');
  expect((await api.call('POST', uri, { uuid, ...body })).status).toBe(status);
});
