import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { metaOf, toResource } from '@contrail/resource-model';
import { startServer, staticTls } from '@contrail/rpc';
import type { RunningServer } from '@contrail/rpc';
import { testPki } from '@contrail/testing';
import { FakeConfigApi } from '../../testing/fake-config-api';
import { loadConfig } from '../config';
import { runProgram } from '../create-program';

const folder = mkdtempSync(path.join(tmpdir(), 'contrailctl-'));
const pki = testPki();
let api: FakeConfigApi;
let server: RunningServer;

const save = (name: string, content: string | Buffer): string => {
  const file = path.join(folder, name);
  writeFileSync(file, content);
  return file;
};

beforeEach(async () => {
  api = new FakeConfigApi();
  api.put(toResource('config-root', { meta: { fqName: ['config-root'] } }));
  api.put(toResource('domain', { meta: { fqName: ['default-domain'] } }));
  api.put(toResource('project', { meta: { fqName: ['default-domain', 'p'] } }));
  server = await startServer({ address: '127.0.0.1:0', tls: staticTls(pki.issue('config-api')), services: [api.service()] });
});
afterEach(() => server.stop(0));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const own = pki.issue('contrailctl');
const options = [['tls-cert', 'tls.crt', own.cert], ['tls-key', 'tls.key', own.key], ['tls-ca', 'ca.crt', own.ca]] as const;

async function run(words: readonly string[], signal = new AbortController().signal, heard?: (text: string) => void): Promise<string> {
  let output = '';
  const ports = {
    ...{ config: loadConfig({}), signal, exit: () => undefined },
    write: (text: string): void => {
      output += text;
      heard?.(text);
    },
  };
  const files = options.flatMap(([option, name, content]) => [`--${option}`, save(name, content)]);
  const globals = ['--config-api', `127.0.0.1:${server.port}`, ...files];
  const [first = '', ...rest] = words;
  await runProgram(ports, first === '__complete' ? [first, ...globals, ...rest] : [...globals, ...words]);
  return output;
}

const ctl = (...words: string[]): Promise<string> => run(words);
/** Columns by single blanks. */
const rows = async (...words: string[]): Promise<string[]> =>
  (await ctl(...words)).trimEnd().split('\n').map((line) => line.replaceAll(/ {2,}/g, '  '));

const network = `
type: virtual-network
fq_name: default-domain:p:blue
annotations: { team: blue }
is_shared: true
virtual_network_properties: { forwarding_mode: l3 }
network_ipam_refs:
  - to: [default-domain, p, ipam]
    attr:
      ipam_subnets:
        - subnet: { ip_prefix: 192.0.2.0, ip_prefix_len: 25 }
        - subnet: { ip_prefix: 192.0.2.128, ip_prefix_len: 25 }
`;
const ipam = 'type: network-ipam\nname: default-domain:p:ipam\n';

describe('apply', () => {
  it('creates, changes the fields that the file names, and says when nothing changes', async () => {
    const file = save('all.yaml', `${ipam}---${network}`);
    expect(await ctl('apply', '-f', file)).toBe('network-ipam/default-domain:p:ipam created\nvirtual-network/default-domain:p:blue created\n');
    expect(await ctl('apply', '-f', file)).toMatch(/ipam unchanged\n.*blue unchanged\n$/);
    const change = save('change.yaml', 'type: vn\nname: default-domain:p:blue\nis_shared: false\n');
    expect(await ctl('apply', '-f', change)).toBe('virtual-network/default-domain:p:blue configured\n');
    const [stored] = parseAllDocuments(await ctl('get', 'vn', 'default-domain:p:blue', '-o', 'yaml')).map((document) => document.toJS() as object);
    expect(stored).toMatchObject({ is_shared: false, annotations: { team: 'blue' }, virtual_network_properties: { forwarding_mode: 'l3' } });
  });

  it('takes what get prints', async () => {
    await ctl('apply', '-f', save('all.yaml', `${ipam}---${network}`));
    const printed = await ctl('get', 'virtual-networks', '-o', 'yaml');
    expect(await ctl('apply', '-f', save('again.yaml', printed))).toBe('virtual-network/default-domain:p:blue unchanged\n');
    expect(await ctl('apply', '-f', save('again.json', await ctl('get', 'vn', '-o', 'json')))).toBe('virtual-network/default-domain:p:blue unchanged\n');
  });

  it.each([
    ['a field that the type does not have', 'type: vn\nname: a:b:c\nis_share: true\n', 'bad.yaml VirtualNetwork/a:b:c is_share: is no field of virtual-network; write one of'],
    ['a value of another kind', 'type: vn\nname: a:b:c\nis_shared: maybe\n', 'bad.yaml VirtualNetwork/a:b:c is_shared: is "maybe"; write true or false'],
    ['a field inside a structure', 'type: vn\nname: a:b:c\nvirtual_network_properties: { mode: l3 }\n', 'virtual_network_properties.mode: is unknown; write one of'],
    ['no type', 'name: a:b:c\n', 'bad.yaml type: is missing; write type: virtual-network'],
    ['no name', 'type: vn\n', 'fq_name: is missing; write fq_name:'],
    ['a type that is misspelt', 'type: virtual-netwrk\nname: a:b\n', '"virtual-netwrk" is no type of the resource model; did you mean virtual-network'],
    ['no YAML', 'a: [', 'bad.yaml: is no YAML:'],
    ['nothing', '', 'bad.yaml: has no objects'],
    ['a reference to nothing', 'type: vn\nname: a:b:c\nnetwork_policy_refs: [{}]\n', 'network_policy_refs[0]: names no object; set to or uuid'],
  ])('names file, object and field: %s', async (_what, text, words) => {
    await expect(ctl('apply', '-f', save('bad.yaml', text))).rejects.toThrow(words);
    expect(api.objects.size).toBe(3);
  });

  it('changes all or nothing', async () => {
    const file = save('all.yaml', `${ipam}---${network}`);
    await ctl('create', '-f', save('ipam.yaml', ipam));
    await expect(ctl('create', '-f', file)).rejects.toThrow('NetworkIpam/default-domain:p:ipam: exists already');
    expect(await ctl('get', 'vn')).toBe('no virtual-network found\n');
  });
});

describe('create and delete', () => {
  it('take fields as YAML, and several names', async () => {
    expect(await ctl('create', 'vn', 'default-domain:p:a', 'is_shared=true', 'route_target_list={route_target: ["target:64512:1"]}')).toBe('virtual-network/default-domain:p:a created\n');
    await ctl('create', 'vn', 'default-domain:p:b');
    expect(JSON.parse(await ctl('get', 'vn', 'default-domain:p:a', '-o', 'json'))).toMatchObject({ is_shared: true, route_target_list: { route_target: ['target:64512:1'] } });
    expect(await ctl('delete', 'vn', 'default-domain:p:a', 'default-domain:p:b')).toBe('virtual-network/default-domain:p:a deleted\nvirtual-network/default-domain:p:b deleted\n');
    await expect(ctl('delete', 'vn', 'default-domain:p:a')).rejects.toThrow('virtual-network/default-domain:p:a: does not exist; nothing was deleted');
  });

  it('delete the objects of a file, the last one first', async () => {
    const file = save('all.yaml', `${ipam}---${network}`);
    await ctl('create', '-f', file);
    expect(await ctl('delete', '-f', file)).toBe('virtual-network/default-domain:p:blue deleted\nnetwork-ipam/default-domain:p:ipam deleted\n');
    await ctl('create', '-f', save('ipam.yaml', ipam));
    expect(await ctl('delete', '-f', file)).toBe('virtual-network/default-domain:p:blue is absent\nnetwork-ipam/default-domain:p:ipam deleted\n');
  });
});

describe('get', () => {
  beforeEach(() => ctl('create', '-f', save('all.yaml', `${ipam}---${network}`)));

  it('has columns from the resource model', async () => {
    const [head, row] = await rows('get', 'vn');
    expect(head?.split('  ')).toEqual(['NAME', 'NETWORK IPAM', 'NETWORK ID', 'IS SHARED', 'ROUTER EXTERNAL', 'AGE']);
    expect(row?.split('  ').slice(0, 4)).toEqual(['default-domain:p:blue', 'ipam(192.0.2.0/25,192.0.2.128/25)', '-', 'yes']);
    const [wide, cells] = await rows('get', 'vn', '-o', 'wide');
    expect(wide).toMatch(/UUID {2}REVISION$/);
    expect(cells).toContain('ipam(192.0.2.0/25,192.0.2.128/25)');
  });

  it('reads every page, filters, and names', async () => {
    for (const name of ['c', 'd', 'e']) await ctl('create', 'vn', `default-domain:p:${name}`);
    const names = ['blue', 'c', 'd', 'e'].map((name) => `virtual-network/default-domain:p:${name}`);
    expect(await rows('get', 'vn', '-o', 'name')).toEqual(names);
    expect(await rows('get', 'vn', '--annotation', 'team=blue', '-o', 'name')).toEqual(names.slice(0, 1));
    expect(await rows('get', 'vn', '--parent', 'default-domain:p', '-o', 'name')).toEqual(names);
    await expect(ctl('get', 'vn', '--parent', 'default-domain:q')).rejects.toThrow('--parent default-domain:q: no project has this name');
  });

  it.each(['networks', 'virtual_network', 'VirtualNetworks', 'virtual-netwroks'])('knows or suggests the type for %s', async (word) => {
    const asked = ctl('get', word, '-o', 'name');
    if (['virtual_network', 'VirtualNetworks'].includes(word)) expect(await asked).toContain('blue');
    else await expect(asked).rejects.toThrow(/did you mean .*virtual-network/);
  });

  it('describes with children and referrers', async () => {
    const text = await ctl('describe', 'network-ipam', 'default-domain:p:ipam');
    expect(text).toMatch(/^Name: +default-domain:p:ipam$/m);
    expect(text).toMatch(/^Parent: +project default-domain:p$/m);
    expect(text).toContain('Referred to by:\n  virtual-network/default-domain:p:blue\n');
    expect(await ctl('describe', 'project', 'default-domain:p')).toContain('Children:\n  network-ipam/default-domain:p:ipam\n  virtual-network/default-domain:p:blue\n');
  });

  it('shows the tree', async () => {
    expect((await ctl('tree', '--refs')).trimEnd().split('\n')).toEqual([
      'config-root config-root',
      '└─ domain default-domain',
      '   └─ project p',
      '      ├─ network-ipam ipam',
      '      └─ virtual-network blue',
      '         └─ -> network-ipam default-domain:p:ipam',
    ]);
    for (let i = 0; i < 25; i += 1) api.put(toResource('security-group', { meta: { fqName: ['default-domain', 'p', `g${i}`] } }));
    expect(await ctl('tree', 'project', 'default-domain:p')).toMatch(/… 5 more of security-group \(--all\)\n$/);
    expect((await ctl('tree', 'project', 'default-domain:p', '--all')).split('\n')).toHaveLength(29);
  });
});

it('watch tells what is there and what happens', async () => {
  const ending = new AbortController();
  const told: string[] = [];
  const watching = run(['watch', 'project', 'virtual-network'], ending.signal, (text) => told.push(text.trimEnd()));
  const until = async (word: string): Promise<void> => {
    while (!told.some((line) => line.startsWith(word))) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  await until('present');
  const added = api.put(toResource('virtual-network', { meta: { fqName: ['default-domain', 'p', 'new'] } }));
  await until('created');
  api.put(added);
  await until('changed');
  await ctl('delete', 'vn', metaOf(added).uuid);
  await until('deleted');
  ending.abort();
  await watching;
  expect(told).toEqual([
    'present  project/default-domain:p  revision 3',
    'created  virtual-network/default-domain:p:new  revision 4',
    'changed  virtual-network/default-domain:p:new  revision 5',
    'deleted  virtual-network/default-domain:p:new  revision 6',
  ]);
});

describe('completion', () => {
  const offers = async (...words: string[]): Promise<string[]> => (await ctl('__complete', ...words)).trimEnd().split('\n').slice(0, -1);

  it.each<[string[], string[]]>([
    [['de'], ['delete', 'describe']],
    [['get', 'virtual-n'], ['virtual-network']],
    [['get', 'project', ''], ['default-domain:p']],
    [['get', 'project', 'x'], []],
    [['describe', 'project', 'default-domain:p', ''], []],
    [['get', 'vn', '-o', 'j'], ['json']],
    [['get', 'vn', '--par'], ['--parent']],
    [['watch', 'project', 'dom'], ['domain']],
    [['completion', ''], ['bash', 'fish', 'kubectl', 'zsh']],
    [['get', 'no-such-type', ''], []],
  ])('%j', async (words, want) => {
    expect(await offers(...words)).toEqual(want);
  });

  it('offers the ends of a connection to reach', async () => {
    const of = (kind: string, name: string) => ({ kind, namespace: 'blue', name });
    api.put(toResource('virtual-machine-interface', { meta: { fqName: ['default-domain', 'p', 'web__1'], annotations: of('Pod', 'web') } }));
    api.put(toResource('virtual-machine-interface', { meta: { fqName: ['default-domain', 'p', 'svc__1'], annotations: of('Service', 'shop') } }));
    api.put(toResource('loadbalancer', { meta: { fqName: ['default-domain', 'p', 'shop__1'], annotations: of('Service', 'shop') } }));
    api.put(toResource('virtual-router', { meta: { fqName: ['default-global-system-config', 'node1'] } }));
    expect(await offers('reach', '')).toEqual(['node/node1', 'pod/blue/web', 'svc/blue/shop']);
    expect(await offers('reach', 'pod/blue/web', 'no')).toEqual(['node/node1']);
    expect(await offers('rea')).toEqual(['reach']);
  });
});
