import { fromResource, withFields } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { membersOf, useRestFixture } from '../../testing/use-rest-fixture';
import type { Members } from '../../testing/use-rest-fixture';
import { withoutMembers } from './wire/json';

const api = useRestFixture();


let count = 0;

/** Creates an object as the Python client does. @returns its uuid. */
async function create(type: string, object: Members): Promise<string> {
  const answer = await api.call('POST', `/${type}s`, { [type]: { uuid: null, ...object } });
  return String(membersOf(answer, type)['uuid']);
}

async function createNetwork(fields: Members = {}): Promise<{ uuid: string; name: string[] }> {
  const name = ['default-domain', 'default-project', `net-${(count += 1)}`];
  const uuid = await create('virtual-network', { fq_name: name, parent_type: 'project', ...fields });
  return { uuid, name };
}

async function read(type: string, uuid: string, query = ''): Promise<Members> {
  return membersOf(await api.call('GET', `/${type}/${uuid}${query}`), type);
}

describe('discovery', () => {
  it('needs no token and names types and actions with links that begin with its own address', async () => {
    const answer = await api.call('GET', '/', undefined, '');
    expect(answer.status).toBe(200);
    const { href, links } = answer.json() as {
      href: string;
      links: { link: { href: string; rel: string; name: string; method: string | null } }[];
    };
    expect(href).toBe(`http://127.0.0.1:${api.port}`);
    expect(links.every(({ link }) => link.href.startsWith(`${href}/`))).toBe(true);
    const byRel = (rel: string): [string, string][] =>
      links
        .filter(({ link }) => link.rel === rel)
        .map(({ link }) => [link.name, link.href.slice(href.length)]);
    expect(byRel('collection')).toContainEqual(['virtual-DNS', '/virtual-DNSs']);
    expect(byRel('resource-base')).toContainEqual(['network-policy', '/network-policy']);
    expect(Object.fromEntries(byRel('action'))).toMatchObject({
      'name-to-id': '/fqname-to-id',
      'id-to-name': '/id-to-fqname',
      'useragent-keyvalue': '/useragent-kv',
      'virtual-network-ip-alloc': '/virtual-network/%s/ip-alloc',
    });
  });

  it('serves the OpenAPI document', async () => {
    const answer = await api.call('GET', '/openapi.json', undefined, '');
    expect(answer.json()).toMatchObject({ openapi: '3.1.0' });
  });
});

describe('objects', () => {
  it('creates with defaults and answers with the identity', async () => {
    const answer = await api.call('POST', '/virtual-networks', {
      'virtual-network': {
        uuid: null,
        fq_name: ['default-domain', 'default-project', 'blue'],
        parent_type: 'project',
        virtual_network_properties: { forwarding_mode: 'l3', rpf: null, allow_transit: null },
        is_shared: false,
      },
    });
    const made = membersOf(answer, 'virtual-network');
    const root = `http://127.0.0.1:${api.port}`;
    expect(made).toEqual({
      name: 'blue',
      fq_name: ['default-domain', 'default-project', 'blue'],
      uuid: made['uuid'],
      href: `${root}/virtual-network/${String(made['uuid'])}`,
      parent_type: 'project',
      parent_uuid: expect.any(String) as string,
      parent_href: `${root}/project/${String(made['parent_uuid'])}`,
    });
    const stored = await read('virtual-network', String(made['uuid']));
    expect(stored).toMatchObject({
      display_name: 'blue',
      is_shared: false,
      virtual_network_properties: { forwarding_mode: 'l3' },
      perms2: { owner: 'cloud-admin', owner_access: 7, global_access: 0, share: [] },
      routing_instances: [{ to: ['default-domain', 'default-project', 'blue', 'blue'] }],
    });
    expect(stored['virtual_network_network_id']).toBeGreaterThan(0);
    expect((stored['id_perms'] as Members)['created']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+$/);
  });

  it('writes the halves of the uuid with all their digits', async () => {
    const uuid = 'fedcba98-7654-4321-8123-456789abcdef';
    const fqName = ['default-domain', 'default-project', 'digits'];
    await create('network-policy', { uuid, fq_name: fqName, parent_type: 'project' });
    const { text } = await api.call('GET', `/network-policy/${uuid}`);
    expect(text).toContain(`"uuid_mslong":${0xfedcba9876544321n},`);
    expect(text).toContain(`"uuid_lslong":${0x8123456789abcdefn}}`);
  });

  it('changes only what a PUT mentions, and removes what is null', async () => {
    const { uuid } = await createNetwork({
      display_name: 'first',
      is_shared: true,
      annotations: { key_value_pair: [{ key: 'a', value: '1' }] },
    });
    const put = await api.call('PUT', `/virtual-network/${uuid}`, {
      'virtual-network': { uuid, is_shared: null, router_external: true },
    });
    expect(membersOf(put, 'virtual-network')).toMatchObject({ uuid });
    const stored = await read('virtual-network', uuid);
    expect(stored).toMatchObject({ display_name: 'first', router_external: true });
    expect(stored).not.toHaveProperty('is_shared');
    expect(stored['annotations']).toEqual({ key_value_pair: [{ key: 'a', value: '1' }] });
  });

  it('takes back an object exactly as it was read, and a copy with parent_uuid', async () => {
    const { uuid } = await createNetwork({ virtual_network_properties: { rpf: 'enable' } });
    const whole = await read('virtual-network', uuid);
    const put = await api.call('PUT', `/virtual-network/${uuid}`, { 'virtual-network': whole });
    expect(put.status).toBe(200);
    expect(await read('virtual-network', uuid)).toEqual(whole);
    const rest = withoutMembers(whole, ['uuid', 'virtual_network_network_id', 'fq_name']);
    const copy = await api.call('POST', '/virtual-networks', {
      'virtual-network': { ...rest, fq_name: ['default-domain', 'default-project', 'copy'] },
    });
    expect(copy.status).toBe(200);
  });

  it('shows an object by the fields that are asked for, and without links', async () => {
    const { uuid, name } = await createNetwork({ is_shared: true });
    expect(await read('virtual-network', uuid, '?fields=is_shared,routing_instances&exclude_hrefs=True')).toEqual({
      uuid,
      fq_name: name,
      name: name[2],
      parent_type: 'project',
      parent_uuid: expect.any(String) as string,
      is_shared: true,
      routing_instances: [
        { to: [...name, name[2]], uuid: expect.any(String) as string },
      ],
    });
    const lean = await read('virtual-network', uuid, '?exclude_back_refs=True&exclude_children=True');
    expect(lean).not.toHaveProperty('routing_instances');
  });

  it('deletes with an empty answer, and then does not know the object', async () => {
    const { uuid } = await createNetwork();
    const gone = await api.call('DELETE', `/virtual-network/${uuid}`);
    expect([gone.status, gone.text]).toEqual([200, '']);
    expect((await api.call('GET', `/virtual-network/${uuid}`)).status).toBe(404);
    expect((await api.call('DELETE', `/virtual-network/${uuid}`)).status).toBe(404);
  });

  it('refuses to delete what has children or referrers, with their links', async () => {
    const ipam = await create('network-ipam', {
      fq_name: ['default-domain', 'default-project', 'held'],
      parent_type: 'project',
    });
    const { uuid } = await createNetwork({ network_ipam_refs: [{ uuid: ipam, to: null, attr: null }] });
    const referred = await api.call('DELETE', `/network-ipam/${ipam}`);
    expect(referred.status).toBe(409);
    expect(referred.text).toContain(`/virtual-network/${uuid}`);
    const pool = await create('floating-ip-pool', { parent_type: 'virtual-network', parent_uuid: uuid, name: 'p' });
    const parent = await api.call('DELETE', `/virtual-network/${uuid}`);
    expect(parent.status).toBe(409);
    expect(parent.text).toContain(`Delete when children still present: http`);
    expect(parent.text).not.toContain('/routing-instance/');
    expect(parent.text).toContain(`/floating-ip-pool/${pool}`);
  });
});

describe('subnets', () => {
  it('keep exclusions, which only gRPC has, when they are written as a whole', async () => {
    const subnet = { subnet: { ip_prefix: '10.3.0.0', ip_prefix_len: 24 } };
    const to = ['default-domain', 'default-project', 'default-network-ipam'];
    const { uuid } = await createNetwork({ network_ipam_refs: [{ to, attr: { ipam_subnets: [subnet] } }] });
    const exclusions = [{ ipPrefix: '10.3.0.64', ipPrefixLen: 28 }];
    const withExclusions = (stored: Resource): Resource => {
      const refs = fromResource('virtual-network', stored).networkIpamRefs.map((reference) => ({
        ...reference,
        attr: { hostRoutes: undefined, ipamSubnets: (reference.attr?.ipamSubnets ?? []).map((item) => ({ ...item, exclusions })) },
      }));
      return withFields(stored, { networkIpamRefs: refs });
    };
    await api.transactor.modify({ type: 'virtual-network', uuid }, withExclusions, '');
    const stored = async (): Promise<unknown> => {
      const [network] = await api.store.getMany([uuid]);
      return network && fromResource('virtual-network', network).networkIpamRefs[0]?.attr?.ipamSubnets.map((item) => item.exclusions);
    };
    const other = { subnet: { ip_prefix: '10.4.0.0', ip_prefix_len: 24 } };
    const attr = { ipam_subnets: [subnet, other] };
    await api.call('PUT', `/virtual-network/${uuid}`, { 'virtual-network': { network_ipam_refs: [{ to, attr }] } });
    expect(await stored()).toEqual([exclusions, []]);
    const update = { type: 'virtual-network', uuid, 'ref-type': 'network-ipam', 'ref-fq-name': to, operation: 'ADD', attr: { ipam_subnets: [subnet] } };
    expect((await api.call('POST', '/ref-update', update)).status).toBe(200);
    expect(await stored()).toEqual([exclusions]);
  });

  it('takes texts for numbers, clears host bits, fills in gateway, DNS address and identity', async () => {
    const ipam = await create('network-ipam', {
      fq_name: ['default-domain', 'default-project', 'subnets'],
      parent_type: 'project',
    });
    const subnet = { subnet: { ip_prefix: '10.1.2.3', ip_prefix_len: '24' }, dns_nameservers: [], host_routes: null };
    const { uuid, name } = await createNetwork({
      network_ipam_refs: [
        {
          to: ['default-domain', 'default-project', 'subnets'],
          attr: { ipam_subnets: [subnet], host_routes: null },
        },
      ],
    });
    const stored = await read('virtual-network', uuid);
    expect(stored['network_ipam_refs']).toMatchObject([
      {
        uuid: ipam,
        attr: {
          ipam_subnets: [
            {
              subnet: { ip_prefix: '10.1.2.0', ip_prefix_len: 24 },
              default_gateway: '10.1.2.254',
              dns_server_address: '10.1.2.253',
              subnet_uuid: expect.any(String) as string,
            },
          ],
        },
      },
    ]);
    const back = await read('network-ipam', ipam);
    expect(back['virtual_network_back_refs']).toMatchObject([{ to: name, uuid }]);
  });
});

describe('requests that are wrong', () => {
  const network = (fields: Members): Members => ({
    'virtual-network': {
      fq_name: ['default-domain', 'default-project', 'wrong'],
      parent_type: 'project',
      ...fields,
    },
  });
  it.each<[string, Members, number, RegExp]>([
    ['a text for a boolean', { is_shared: 'true' }, 400, /is_shared: is "true", but it must be true or false/],
    ['a number for a text', { display_name: 5 }, 400, /display_name: is 5/],
    ['a value outside the list', { virtual_network_properties: { forwarding_mode: 'l9' } }, 400, /forwarding_mode/],
    ['an unknown nested field', { virtual_network_properties: { speed: 1 } }, 400, /virtual_network_properties\.speed/],
    ['a parent of the wrong type', { parent_type: 'domain' }, 400, /parent_type/],
    ['a parent that does not exist', { fq_name: ['default-domain', 'nobody', 'x'] }, 400, /nobody/],
    ['a reference that does not exist', { network_policy_refs: [{ to: ['a', 'b', 'c'] }] }, 400, /a:b:c/],
    ['a colon in the name', { fq_name: ['default-domain', 'default-project', 'a:b'] }, 400, /a:b/],
    ['an invalid uuid', { uuid: 'x' }, 400, /uuid: is "x"/],
    ['an id that the server sets', { virtual_network_network_id: 77 }, 403, /virtual_network_network_id/],
  ])('names %s', async (_, fields, status, text) => {
    const answer = await api.call('POST', '/virtual-networks', network(fields));
    expect([answer.status, answer.text]).toEqual([status, expect.stringMatching(text) as string]);
    expect(answer.headers['content-type']).toMatch(/^text\/plain/);
  });

  it('ignores unknown members of the object itself', async () => {
    const { uuid } = await createNetwork({ href: 'x', unknown_things: 1 });
    expect(await read('virtual-network', uuid)).not.toHaveProperty('unknown_things');
  });

  it('lets exactly one of 100 simultaneous creates of one name win', async () => {
    const project = { fq_name: ['default-domain', 'wanted'], parent_type: 'domain' };
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => api.call('POST', '/projects', { project })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 409]));
  });

  it('answers a taken name and a taken uuid with 409', async () => {
    const { uuid, name } = await createNetwork();
    const same = await api.call('POST', '/virtual-networks', network({ fq_name: name }));
    expect(same.status).toBe(409);
    const uuidAgain = await api.call('POST', '/network-policys', {
      'network-policy': { uuid, fq_name: ['default-domain', 'default-project', 'p9'], parent_type: 'project' },
    });
    expect(uuidAgain.status).toBe(409);
  });

  it.each<[string, string, unknown, number]>([
    ['GET', '/virtual-network/7d0d4c1e-3f51-4c7e-9d5f-1c1a7f3e0a11', undefined, 404],
    ['GET', '/no-such-types', undefined, 404],
    ['GET', '/virtual-Networks', undefined, 404],
    ['PUT', '/virtual-networks', {}, 405],
    ['PATCH', '/virtual-networks', {}, 405],
    ['POST', '/virtual-networks', '{"virtual-network":', 400],
    ['POST', '/virtual-networks', '['.repeat(40) + ']'.repeat(40), 400],
    ['POST', '/virtual-networks', `{"a":"${'x'.repeat(1_030_000)}"}`, 413],
    ['POST', '/fqname-to-id', { type: 'virtual-network', fq_name: ['x'] }, 404],
    ['POST', '/fqname-to-id', { type: 'unheard-of', fq_name: ['x'] }, 404],
    ['POST', '/id-to-fqname', { uuid: '7d0d4c1e-3f51-4c7e-9d5f-1c1a7f3e0a11' }, 404],
    ['GET', '/virtual-networks?parent_id=x', undefined, 400],
    ['GET', '/virtual-networks?filters=x', undefined, 400],
    ['GET', '/%zz', undefined, 400],
  ])('answers %s %s with its status', async (method, uri, body, status) => {
    const answer = await api.call(method, uri, body);
    expect([answer.status, answer.text]).toEqual([status, expect.stringMatching(/\S/) as string]);
  });

  it('asks for a token', async () => {
    expect((await api.call('GET', '/virtual-networks', undefined, '')).status).toBe(401);
    expect((await api.call('GET', '/virtual-networks', undefined, 'nobody')).status).toBe(401);
  });
});
