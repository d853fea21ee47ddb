import { IpamServiceClient, IpamServiceService } from '@contrail/proto-gen/ipam/v1/ipam_service';
import { AllocateResult, Allocation } from '@contrail/proto-gen/ipam/v1/messages';
import { closeClient, createClient, defineService, serverStream, startServer, unary } from '@contrail/rpc';
import type { RunningServer } from '@contrail/rpc';
import { startRestFixture } from '../../../testing/rest-fixture';
import type { RestFixture } from '../../../testing/rest-fixture';
import { IpamAddresses } from './ipam-addresses';

/** An ipam with the addresses 192.0.2.1 to 192.0.2.9, one for each owner. */
const held = new Map<string, Allocation>();
const lastAddress = 9;
let server: RunningServer;
let client: IpamServiceClient;
let api: RestFixture;

function give(ownerUuid: string, wanted: Buffer, description: string): AllocateResult {
  const taken = new Set([...held.values()].map(({ address }) => address[3]));
  const free = Array.from({ length: lastAddress }, (_, i) => i + 1).find((host) => !taken.has(host));
  const host = wanted.length === 0 ? free : wanted[3];
  const fail = (code: number, message: string): AllocateResult =>
    AllocateResult.fromPartial({ error: { code, message } });
  if (host === undefined) return fail(8, 'the subnet is exhausted');
  if (taken.has(host)) return fail(6, 'the address is in use');
  const address = Buffer.from([192, 0, 2, host]);
  held.set(ownerUuid, Allocation.fromPartial({ address, ownerUuid, description }));
  return AllocateResult.fromPartial({ address });
}

beforeAll(async () => {
  const service = defineService(IpamServiceService, {
    allocate: {
      allow: 'any',
      handle: unary(({ items }) =>
        Promise.resolve({ results: items.map((item) => give(item.ownerUuid, item.address, item.description)) }),
      ),
    },
    reserve: { allow: 'any', handle: unary(() => Promise.resolve({ results: [] })) },
    release: {
      allow: 'any',
      handle: unary(({ items }) =>
        Promise.resolve({ released: items.filter(({ ownerUuid }) => held.delete(ownerUuid)).length }),
      ),
    },
    list: {
      allow: 'any',
      handle: unary(() => Promise.resolve({ allocations: [...held.values()], nextPageToken: '' })),
    },
    usage: { allow: 'any', handle: unary(() => Promise.resolve({ subnets: [] })) },
    watchSpace: { allow: 'any', handle: serverStream(() => Promise.resolve()) },
  });
  server = await startServer({ address: '127.0.0.1:0', tls: 'insecure', services: [service] });
  client = createClient(IpamServiceClient, {
    address: `127.0.0.1:${server.port}`,
    service: 'ipam',
    tls: 'insecure',
  });
  api = await startRestFixture((store) => new IpamAddresses(client, store));
}, 60_000);

afterAll(async () => {
  await api.stop();
  closeClient(client);
  await server.stop();
});

beforeEach(() => held.clear());

let count = 0;

async function createNetwork(): Promise<string> {
  const fq_name = ['default-domain', 'default-project', `net-${(count += 1)}`];
  const made = await api.call('POST', '/virtual-networks', { 'virtual-network': { fq_name, parent_type: 'project' } });
  return (made.json() as { 'virtual-network': { uuid: string } })['virtual-network'].uuid;
}

describe('addresses of objects', () => {
  const create = (network: string, fields: object) =>
    api.call('POST', '/instance-ips', {
      'instance-ip': { fq_name: [`ip-${(count += 1)}`], virtual_network_refs: [{ uuid: network }], ...fields },
    });

  it('are given when an object is created, and taken back when it is deleted', async () => {
    const made = await create(await createNetwork(), {});
    const { uuid } = (made.json() as { 'instance-ip': { uuid: string } })['instance-ip'];
    const read = (await api.call('GET', `/instance-ip/${uuid}`)).json();
    expect(read).toMatchObject({ 'instance-ip': { instance_ip_address: '192.0.2.1' } });
    expect([...held.keys()]).toEqual([uuid]);
    expect((await api.call('DELETE', `/instance-ip/${uuid}`)).status).toBe(200);
    expect(held.size).toBe(0);
  });

  it('are those that the client wants, unless somebody has them', async () => {
    const network = await createNetwork();
    const first = await create(network, { instance_ip_address: '192.0.2.7' });
    expect(first.status).toBe(200);
    const second = await create(network, { instance_ip_address: '192.0.2.7' });
    expect([second.status, second.text]).toEqual([409, 'the address is in use']);
  });

  it('are given back when the object cannot be created', async () => {
    const network = await createNetwork();
    const name = { fq_name: ['the-same'] };
    expect((await create(network, name)).status).toBe(200);
    expect((await create(network, name)).status).toBe(409);
    expect(held.size).toBe(1);
  });

  it('run out with 400', async () => {
    const network = await createNetwork();
    for (let i = 0; i < lastAddress; i += 1) expect((await create(network, {})).status).toBe(200);
    expect((await create(network, {})).status).toBe(400);
  });
});

describe('the gateway of a network', () => {
  const place = ['default-domain', 'default-project'];
  const post = async (type: string, fields: object): Promise<{ status: number; text: string; uuid: string }> => {
    const { status, text } = await api.call('POST', `/${type}s`, { [type]: fields });
    const made = status === 200 ? (JSON.parse(text) as Record<string, { uuid: string }>)[type]?.uuid : undefined;
    return { status, text, uuid: made ?? '' };
  };

  it('is for ports of routers, never for those of virtual machines', async () => {
    const subnet = { subnet: { ip_prefix: '198.51.100.0', ip_prefix_len: 24 } };
    const ipam = { to: [...place, 'default-network-ipam'], attr: { ipam_subnets: [subnet] } };
    const named = (name: string): object => ({ fq_name: [...place, name], parent_type: 'project' });
    const network = await post('virtual-network', { ...named('routed'), network_ipam_refs: [ipam] });
    const machine = await post('virtual-machine', { fq_name: ['machine'] });
    const refs = { virtual_network_refs: [{ uuid: network.uuid }] };
    const machineRefs = { virtual_machine_refs: [{ uuid: machine.uuid }] };
    const port = await post('virtual-machine-interface', { ...named('port'), ...refs, ...machineRefs });
    const ofPort = { virtual_machine_interface_refs: [{ uuid: port.uuid }] };
    const gateway = { instance_ip_address: '198.51.100.254', ...refs };
    const refused = expect.stringMatching(/Gateway IP cannot be used by VM port/) as string;
    expect(await post('instance-ip', { fq_name: ['a'], ...gateway, ...ofPort })).toMatchObject({ status: 400, text: refused });
    const router = await post('instance-ip', { fq_name: ['b'], ...gateway });
    expect([router.status, held.size]).toEqual([200, 0]);
    const taken = await api.call('PUT', `/instance-ip/${router.uuid}`, { 'instance-ip': ofPort });
    expect([taken.status, taken.text]).toEqual([400, refused]);
  });
});

describe('addresses without objects', () => {
  it('are taken all or none, and freed', async () => {
    const uri = `/virtual-network/${await createNetwork()}`;
    const taken = await api.call('POST', `${uri}/ip-alloc`, { count: 3, subnet: null, family: null });
    expect(taken.json()).toEqual({ ip_addr: ['192.0.2.1', '192.0.2.2', '192.0.2.3'] });
    expect((await api.call('POST', `${uri}/ip-alloc`, { count: 7 })).status).toBe(400);
    expect(held.size).toBe(3);
    expect((await api.call('POST', `${uri}/ip-free`, { ip_addr: ['192.0.2.1', '192.0.2.3'] })).status).toBe(200);
    expect([...held.values()].map(({ address }) => address[3])).toEqual([2]);
    const counted = await api.call('POST', `${uri}/subnet-ip-count`, { subnet_list: ['x'] });
    expect(counted.json()).toEqual({ ip_count_list: [0] });
  });

  it('do not free the address of an object', async () => {
    const network = await createNetwork();
    await api.call('POST', '/instance-ips', {
      'instance-ip': { fq_name: ['kept'], virtual_network_refs: [{ uuid: network }] },
    });
    const freed = await api.call('POST', `/virtual-network/${network}/ip-free`, { ip_addr: ['192.0.2.1'] });
    expect([freed.status, held.size]).toEqual([409, 1]);
  });
});
