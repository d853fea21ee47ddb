import { membersOf, useRestFixture } from '../../testing/use-rest-fixture';
import type { Members } from '../../testing/use-rest-fixture';
import type { RestAnswer } from '../../testing/rest-fixture';
import { withoutMembers } from './wire/json';

const api = useRestFixture();

const project = ['default-domain', 'default-project'];

async function post(uri: string, body: unknown): Promise<RestAnswer> {
  return await api.call('POST', uri, body);
}

async function done(uri: string, body: unknown): Promise<Members> {
  const answer = await post(uri, body);
  expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
  return answer.text === '' ? {} : (answer.json() as Members);
}

/** Creates an object in the default project. @returns its uuid. */
async function create(type: string, name: string, fields: Members = {}): Promise<string> {
  const object = { fq_name: [...project, name], parent_type: 'project', ...fields };
  const answer = await done(`/${type}s`, { [type]: object });
  return String((answer[type] as Members)['uuid']);
}

async function read(type: string, uuid: string): Promise<Members> {
  return membersOf(await api.call('GET', `/${type}/${uuid}`), type);
}

async function list(uri: string): Promise<Members> {
  const answer = await api.call('GET', uri);
  expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
  return answer.json() as Members;
}

function namesOf(answer: Members, plural: string): string[] {
  const items = answer[plural] as readonly Members[];
  return items.map((item) => String((item['fq_name'] as string[]).at(-1)));
}

describe('names', () => {
  it('turns names to uuids and back, types with hyphens or underscores', async () => {
    const uuid = await create('network-policy', 'named');
    for (const type of ['network-policy', 'network_policy'])
      expect(await done('/fqname-to-id', { type, fq_name: [...project, 'named'] })).toEqual({ uuid });
    const back = { fq_name: [...project, 'named'], type: 'network-policy' };
    expect(await done('/id-to-fqname', { uuid })).toEqual(back);
  });
});

describe('ref-update', () => {
  it('adds by name or uuid, replaces the attribute, and deletes', async () => {
    const network = await create('virtual-network', 'referrer');
    const policy = await create('network-policy', 'target');
    const update = (operation: string, extra: Members): Promise<Members> =>
      done('/ref-update', {
        ...{ type: 'virtual-network', uuid: network, 'ref-type': 'network-policy' },
        ...{ 'ref-uuid': null, 'ref-fq-name': null, operation, attr: null, ...extra },
      });
    const attr = { sequence: { major: 0, minor: 0 }, timer: null };
    expect(await update('ADD', { 'ref-fq-name': [...project, 'target'], attr })).toEqual({ uuid: network });
    const refs = async (): Promise<unknown> => (await read('virtual-network', network))['network_policy_refs'];
    expect(await refs()).toMatchObject([{ uuid: policy, attr: { sequence: { major: 0, minor: 0 } } }]);
    await update('ADD', { 'ref-uuid': policy, attr: { sequence: { major: 1, minor: 0 } } });
    expect(await refs()).toMatchObject([{ uuid: policy, attr: { sequence: { major: 1, minor: 0 } } }]);
    await update('DELETE', { 'ref-uuid': policy });
    expect(await refs()).toBeUndefined();
    await update('DELETE', { 'ref-uuid': policy });
  });

  it('lets updates of one object at the same time all take effect', async () => {
    const network = await create('virtual-network', 'busy');
    const policies = await Promise.all(
      Array.from({ length: 20 }, (_, i) => create('network-policy', `busy-${i}`)),
    );
    await Promise.all(
      policies.map((policy) =>
        done('/ref-update', {
          ...{ type: 'virtual-network', uuid: network, 'ref-type': 'network-policy' },
          ...{ 'ref-uuid': policy, operation: 'ADD', attr: null },
        }),
      ),
    );
    const stored = (await read('virtual-network', network))['network_policy_refs'] as Members[];
    expect(stored.map(({ uuid }) => String(uuid)).sort()).toEqual([...policies].sort());
  });

  it.each<[string, Members, number]>([
    ['an unknown target', { 'ref-uuid': '7d0d4c1e-3f51-4c7e-9d5f-1c1a7f3e0a11', operation: 'ADD' }, 404],
    ['a type that cannot be referred to', { 'ref-type': 'virtual-machine', 'ref-uuid': null, operation: 'ADD' }, 404],
    ['an unknown operation', { 'ref-uuid': null, operation: 'MOVE' }, 400],
    ['no target', { 'ref-uuid': null, operation: 'ADD' }, 400],
  ])('refuses %s', async (_, extra, status) => {
    const [network] = (await list('/virtual-networks'))['virtual-networks'] as Members[];
    const base = { type: 'virtual-network', uuid: network?.['uuid'], 'ref-type': 'network-policy' };
    expect((await post('/ref-update', { ...base, ...extra })).status).toBe(status);
  });
});

describe('elements of lists and maps', () => {
  const elements = async (uuid: string, field: string, position = ''): Promise<unknown> =>
    (await list(`/prop-collection-get?uuid=${uuid}&fields=${field}${position}`))[field];

  it('adds, modifies and deletes elements of a list by position, and keeps whole sets', async () => {
    const vmi = await create('virtual-machine-interface', 'fat');
    const field = 'virtual_machine_interface_fat_flow_protocols';
    const update = (updates: readonly Members[]): Promise<Members> =>
      done('/prop-collection-update', { uuid: vmi, updates });
    await update([
      { field, operation: 'add', value: { protocol: 'tcp', port: 80 } },
      { field, operation: 'add', value: { protocol: 'udp', port: 53 }, position: 'zz' },
    ]);
    const [first] = (await elements(vmi, field)) as [Members, string][];
    expect(await elements(vmi, field)).toEqual([
      [{ protocol: 'tcp', port: 80, ...anyRest(first?.[0]) }, expect.stringMatching(/^[0-9a-f-]{36}$/)],
      [{ protocol: 'udp', port: 53, ...anyRest(first?.[0]) }, 'zz'],
    ]);
    await update([{ field, operation: 'modify', value: { protocol: 'sctp', port: 1 }, position: 'zz' }]);
    expect(await elements(vmi, field, '&position=zz')).toMatchObject([[{ protocol: 'sctp' }, 'zz']]);
    await update([{ field, operation: 'delete', position: first?.[1] }]);
    expect(await elements(vmi, field)).toHaveLength(1);
    await api.call('PUT', `/virtual-machine-interface/${vmi}`, {
      'virtual-machine-interface': { [field]: { fat_flow_protocol: [{ protocol: 'tcp', port: 1 }] } },
    });
    expect(await elements(vmi, field)).toMatchObject([[{ protocol: 'tcp' }, '0']]);
    expect(await read('virtual-machine-interface', vmi)).not.toHaveProperty('annotations');
  });

  it('sets and deletes elements of a map by key', async () => {
    const uuid = await create('network-policy', 'mapped');
    const field = 'annotations';
    const pair = (key: string, value: string): Members => ({ key, value });
    await done('/prop-collection-update', {
      uuid,
      updates: [
        { field, operation: 'set', value: pair('b', '2'), position: 'b' },
        { field, operation: 'set', value: pair('a', '1') },
      ],
    });
    expect(await elements(uuid, field)).toEqual([[pair('a', '1'), 'a'], [pair('b', '2'), 'b']]);
    await done('/prop-collection-update', { uuid, updates: [{ field, operation: 'delete', position: 'a' }] });
    expect((await read('network-policy', uuid))['annotations']).toEqual({ key_value_pair: [pair('b', '2')] });
  });

  it.each<[Members, number]>([
    [{ field: 'annotations', operation: 'add', value: {} }, 400],
    [{ field: 'network_policy_entries', operation: 'add', value: {} }, 400],
    [{ field: 'unheard_of', operation: 'add', value: {} }, 400],
    [{ field: 'annotations', operation: 'jump', value: {} }, 400],
    [{ field: 'annotations', operation: 'set', value: { key: 'k', value: 7 } }, 400],
  ])('refuses %j', async (update, status) => {
    const [policy] = (await list('/network-policys'))['network-policys'] as Members[];
    const answer = await post('/prop-collection-update', { uuid: policy?.['uuid'], updates: [update] });
    expect(answer.status).toBe(status);
  });
});

function anyRest(element: Members | undefined): Members {
  return withoutMembers(element ?? {}, ['protocol', 'port']);
}

describe('lists', () => {
  const uuids: string[] = [];
  let parent: string;

  beforeAll(async () => {
    const created = await done('/projects', { project: { fq_name: ['default-domain', 'lists'], parent_type: 'domain' } });
    parent = String((created['project'] as Members)['uuid']);
    for (const [i, name] of ['a', 'b', 'c', 'd', 'e'].entries())
      uuids.push(await create('virtual-network', name, {
        ...{ fq_name: ['default-domain', 'lists', name], is_shared: i % 2 === 0 },
        display_name: `shown, ${name}`,
      }));
  });

  const names = async (query: string): Promise<string[]> =>
    namesOf(await list(`/virtual-networks?detail=False&count=False&shared=False&${query}`), 'virtual-networks');

  it.each<[string, () => string, string[]]>([
    ['parent_id', () => `parent_id=${parent}`, ['a', 'b', 'c', 'd', 'e']],
    ['parent_fq_name_str', () => 'parent_fq_name_str=default-domain:lists', ['a', 'b', 'c', 'd', 'e']],
    ['obj_uuids', () => `obj_uuids=${uuids[3]},${uuids[1]}`, ['d', 'b']],
    ['fq_names', () => 'fq_names=default-domain:lists:c,default-domain:lists:x', ['c']],
    ['a boolean filter', () => `parent_id=${parent}&filters=is_shared==true`, ['a', 'c', 'e']],
    ['filters joined by or', () => `parent_id=${parent}&filters=name=="a",name=="d"`, ['a', 'd']],
    ['a filter with a comma', () => `filters=${encodeURIComponent('display_name=="shown, b"')}`, ['b']],
    ['two filters joined by and', () => `parent_id=${parent}&filters=name=="a",is_shared==false`, []],
  ])('filters by %s', async (_, query, expected) => {
    expect(await names(query())).toEqual(expected);
  });

  it('filters by back references', async () => {
    const policy = await create('network-policy', 'list-target');
    await done('/ref-update', {
      ...{ type: 'virtual-network', uuid: uuids[2], 'ref-type': 'network-policy' },
      ...{ 'ref-uuid': policy, operation: 'ADD', attr: null },
    });
    expect(await names(`back_ref_id=${policy}`)).toEqual(['c']);
  });

  it('counts, and shows details and fields', async () => {
    expect(await list(`/virtual-networks?parent_id=${parent}&count=True`)).toEqual({ 'virtual-networks': { count: 5 } });
    const detail = await list(`/virtual-networks?obj_uuids=${uuids[0]}&detail=True&fields=routing_instances`);
    expect(detail['virtual-networks']).toMatchObject([
      { 'virtual-network': { name: 'a', is_shared: true, parent_uuid: parent, routing_instances: [{}] } },
    ]);
    expect(await list(`/virtual-networks?obj_uuids=${uuids[0]}&fields=is_shared&exclude_hrefs=1`)).toEqual({
      'virtual-networks': [{ uuid: uuids[0], fq_name: ['default-domain', 'lists', 'a'], is_shared: true }],
    });
  });

  it('pages by marker until there is none', async () => {
    const seen: string[] = [];
    let marker = '';
    do {
      const page = await list(`/virtual-networks?parent_id=${parent}&pageLimit=2&pageMarker=${marker}`);
      const found = namesOf(page, 'virtual-networks');
      expect(found.length).toBeLessThanOrEqual(2);
      seen.push(...found);
      marker = typeof page['marker'] === 'string' ? page['marker'] : '';
    } while (marker !== '');
    expect(seen).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('answers a bulk request like a list', async () => {
    const body = { type: 'virtual-network', obj_uuids: uuids.join(','), detail: false, count: false, shared: false };
    expect(namesOf(await done('/list-bulk-collection', body), 'virtual-networks')).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(await done('/list-bulk-collection', { ...body, count: true })).toEqual({ 'virtual-networks': { count: 5 } });
  });

  it('does not find children of an unknown parent', async () => {
    const query = '/virtual-networks?parent_fq_name_str=default-domain:nobody';
    expect((await api.call('GET', query)).status).toBe(404);
  });
});

describe('texts of clients', () => {
  it('stores, retrieves, lists and deletes', async () => {
    const kv = (operation: string, key: string | null, value: string | null = null): Promise<RestAnswer> =>
      post('/useragent-kv', { operation, key, value });
    expect((await kv('STORE', 'view', '{"x":1}')).status).toBe(200);
    expect((await kv('RETRIEVE', 'view')).json()).toEqual({ value: '{"x":1}' });
    expect((await kv('RETRIEVE', null)).json()).toEqual({ value: [{ key: 'view', value: '{"x":1}' }] });
    expect((await kv('DELETE', 'view')).status).toBe(200);
    expect((await kv('RETRIEVE', 'view')).status).toBe(404);
    expect((await kv('JUMP', 'view')).status).toBe(404);
  });
});

describe('tags', () => {
  beforeAll(async () => {
    const tag = async (type: string, value: string, global: boolean): Promise<void> => {
      const object = { tag_type_name: type, tag_value: value };
      const place = global
        ? { fq_name: [`${type}=${value}`], parent_type: 'config-root' }
        : { fq_name: [...project, `${type}=${value}`], parent_type: 'project' };
      await done('/tags', { tag: { ...place, ...object } });
    };
    for (const value of ['web', 'db']) await tag('tier', value, true);
    for (const value of ['x', 'y']) await tag('label', value, true);
    await tag('site', 'here', false);
  });

  it('keeps one tag of a type, and several labels', async () => {
    const uuid = await create('virtual-network', 'tagged');
    const tags = async (): Promise<string[]> => {
      const refs = ((await read('virtual-network', uuid))['tag_refs'] ?? []) as Members[];
      return refs.map(({ to }) => String((to as string[]).at(-1))).sort();
    };
    const set = (wanted: Members): Promise<RestAnswer> =>
      post('/set-tag', { obj_type: 'virtual_network', obj_uuid: uuid, ...wanted });
    expect((await set({ tier: { is_global: true, value: 'web' } })).json()).toEqual({});
    await set({ tier: { is_global: true, value: 'db' }, site: { value: 'here' } });
    expect(await tags()).toEqual(['site=here', 'tier=db']);
    await set({ tier: null, label: { is_global: true, add_values: ['x', 'y'] } });
    expect(await tags()).toEqual(['label=x', 'label=y', 'site=here']);
    await set({ label: { is_global: true, delete_values: ['x'] } });
    expect(await tags()).toEqual(['label=y', 'site=here']);
    expect((await set({ tier: { is_global: true, value: 'nobody' } })).status).toBe(404);
    expect((await set({ tier: { value: 'web' } })).status).toBe(404);
    expect((await set({ tier: { add_values: ['web'] } })).status).toBe(400);
  });
});
