import { membersOf, useRestFixture } from '../../testing/use-rest-fixture';
import type { Members } from '../../testing/use-rest-fixture';
import type { RestAnswer } from '../../testing/rest-fixture';

const api = useRestFixture();

let count = 0;

/** A project with this quota, and how objects are made in it. */
async function projectWith(quota: Members): Promise<{
  readonly name: string[];
  readonly uuid: string;
  post(type: string, fields?: Members): Promise<RestAnswer>;
}> {
  const name = ['default-domain', `quota-${(count += 1)}`];
  const made = await api.call('POST', '/projects', { project: { fq_name: name, parent_type: 'domain', quota } });
  const { uuid } = (made.json() as { project: { uuid: string } }).project;
  const post = (type: string, fields: Members = {}): Promise<RestAnswer> =>
    api.call('POST', `/${type}s`, {
      [type]: { fq_name: [...name, `o-${(count += 1)}`], parent_type: 'project', ...fields },
    });
  return { name, uuid, post };
}

const uuidOf = (answer: RestAnswer, type: string): string => String(membersOf(answer, type)['uuid']);
const rule = (port: number): Members => ({
  ...{ direction: '>', protocol: 'tcp', src_addresses: [{ security_group: 'local' }] },
  dst_ports: [{ start_port: port, end_port: port }],
});
const rules = (...ports: number[]): Members => ({ security_group_entries: { policy_rule: ports.map(rule) } });
const subnets = (...thirds: number[]): Members => ({
  network_ipam_refs: [
    {
      to: ['default-domain', 'default-project', 'default-network-ipam'],
      attr: { ipam_subnets: thirds.map((third) => ({ subnet: { ip_prefix: `10.0.${third}.0`, ip_prefix_len: 24 } })) },
    },
  ],
});

it('refuses the object that is too many with 412, and takes another when one is gone', async () => {
  const project = await projectWith({ virtual_network: 1 });
  const first = await project.post('virtual-network');
  expect(first.status).toBe(200);
  const second = await project.post('virtual-network');
  expect([second.status, second.text]).toEqual([
    412,
    expect.stringMatching(/quota limit \(1\) exceeded for resource virtual_network; .* quota\.virtual_network of Project/) as string,
  ]);
  expect((await project.post('network-ipam')).status).toBe(200);
  await api.call('DELETE', `/virtual-network/${uuidOf(first, 'virtual-network')}`);
  expect((await project.post('virtual-network')).status).toBe(200);
});

it('lets exactly as many win as there is room for', async () => {
  const project = await projectWith({ network_policy: 3 });
  const answers = await Promise.all(Array.from({ length: 20 }, () => project.post('network-policy')));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
  expect(answers.filter(({ status }) => status === 412)).toHaveLength(17);
});

it('counts neither the default group nor what users do not see', async () => {
  const project = await projectWith({ security_group: 1, virtual_network: 0 });
  expect((await project.post('security-group')).status).toBe(200);
  expect((await project.post('security-group')).status).toBe(412);
  expect((await project.post('virtual-network', { id_perms: { user_visible: false } })).status).toBe(200);
});

it('takes -1 for no limit, and "defaults" for what is not named', async () => {
  const project = await projectWith({ defaults: 0, virtual_network: -1 });
  expect((await project.post('virtual-network')).status).toBe(200);
  expect((await project.post('network-ipam')).status).toBe(412);
});

it('counts pools of the project\'s networks, and floating addresses by their project', async () => {
  const project = await projectWith({ floating_ip_pool: 1, floating_ip: 1 });
  const network = await project.post('virtual-network');
  const { fq_name } = (network.json() as Record<string, { fq_name: string[] }>)['virtual-network'] ?? { fq_name: [] };
  const pool = (name: string): Promise<RestAnswer> =>
    project.post('floating-ip-pool', { fq_name: [...fq_name, name], parent_type: 'virtual-network' });
  expect((await pool('a')).status).toBe(200);
  expect((await pool('b')).status).toBe(412);
  const address = (name: string): Promise<RestAnswer> =>
    project.post('floating-ip', {
      ...{ fq_name: [...fq_name, 'a', name], parent_type: 'floating-ip-pool' },
      project_refs: [{ uuid: project.uuid }],
    });
  expect((await address('x')).status).toBe(200);
  expect((await address('y')).status).toBe(412);
});

it('counts rules and subnets over all objects of the project', async () => {
  const project = await projectWith({ security_group_rule: 3, subnet: 2 });
  const group = await project.post('security-group', rules(1, 2));
  expect(group.status).toBe(200);
  const tooMany = await project.post('security-group', rules(3, 4));
  expect([tooMany.status, tooMany.text]).toEqual([412, expect.stringMatching(/resource security_group_rule/) as string]);
  const uri = `/security-group/${uuidOf(group, 'security-group')}`;
  expect((await api.call('PUT', uri, { 'security-group': rules(1, 2, 3) })).status).toBe(200);
  expect((await api.call('PUT', uri, { 'security-group': rules(1, 2, 3, 4) })).status).toBe(412);
  expect((await project.post('virtual-network', subnets(1))).status).toBe(200);
  expect((await project.post('virtual-network', subnets(2, 3))).status).toBe(412);
  expect((await project.post('virtual-network', subnets(2))).status).toBe(200);
});
