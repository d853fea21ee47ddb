import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eventually, kubectl, sandbox, temporaryNamespace } from '../src/cluster';
import { contrailctl } from '../src/contrailctl';

const repository = path.resolve(__dirname, '../../..');
const folder = mkdtempSync(path.join(tmpdir(), 'administrator-'));
const name = `shop-${Math.random().toString(36).slice(2, 8)}`;
const inProject = (...parts: string[]): string => ['default-domain', 'default-project', ...parts].join(':');
const network = inProject(name);

const file = (content: string): string => {
  const target = path.join(folder, 'objects.yaml');
  writeFileSync(target, content);
  return target;
};
const ipam = `type: network-ipam
fq_name: ${inProject(`${name}-ipam`)}
`;
const networkWith = (...subnets: string[]): string => `type: virtual-network
fq_name: ${network}
network_ipam_refs:
  - to: ${inProject(`${name}-ipam`)}
    attr:
      ipam_subnets:
${subnets.map((subnet) => `        - ${subnet}`).join('\n')}
`;
const two = ['subnet: {ip_prefix: 198.51.100.0, ip_prefix_len: 25}', 'subnet: {ip_prefix: 198.51.100.128, ip_prefix_len: 25}'];
const pool = `type: floating-ip-pool
fq_name: ${inProject(name, 'public')}
`;
const policy = `type: network-policy
fq_name: ${inProject(`${name}-policy`)}
network_policy_entries:
  policy_rule:
    - direction: <>
      protocol: tcp
      src_addresses: [{virtual_network: any}]
      src_ports: [{start_port: -1, end_port: -1}]
      dst_addresses: [{virtual_network: ${network}}]
      dst_ports: [{start_port: 443, end_port: 443}]
      action_list: {simple_action: pass}
`;
const day = [ipam, networkWith(...two), pool, policy].join('---\n');

describe("an administrator's day", () => {
  afterAll(async () => {
    await contrailctl(['delete', '-f', file(day)]);
    rmSync(folder, { recursive: true, force: true });
  });

  it('makes a network with two subnets, a pool and a policy, and reads them back', async () => {
    const applied = await contrailctl(['apply', '-f', file(day)]);
    expect(applied).toMatchObject({ status: 0, stdout: expect.stringMatching(/ipam created\n.* created\n.* created\n.* created\n$/) as unknown });
    expect((await contrailctl(['get', 'vn', network])).stdout).toContain(`${name}-ipam(198.51.100.0/25,198.51.100.128/25)`);
    const printed = await contrailctl(['get', 'vn', network, '-o', 'yaml']);
    expect(printed.stdout).toContain('default_gateway: 198.51.100.126');
    expect((await contrailctl(['apply', '-f', file(printed.stdout)])).stdout).toBe(`virtual-network/${network} unchanged\n`);
    expect((await contrailctl(['describe', 'vn', network])).stdout).toContain(`floating-ip-pool/${network}:public`);
    expect((await contrailctl(['tree', 'vn', network])).stdout).toMatch(/floating-ip-pool public\n.*routing-instance/);
  });

  it.each<[string, string, RegExp]>([
    ['overlapping subnets', networkWith(...two, 'subnet: {ip_prefix: 198.51.100.64, ip_prefix_len: 26}'), /198\.51\.100\.64\/26 overlaps 198\.51\.100\.0\/25.*use disjoint prefixes/],
    ['a gateway outside', networkWith('{subnet: {ip_prefix: 203.0.113.0, ip_prefix_len: 24}, default_gateway: 192.0.2.1}'), /default_gateway: 192\.0\.2\.1 is outside 203\.0\.113\.0\/24/],
    ['a reference to nothing', `type: vn\nfq_name: ${network}-x\nnetwork_policy_refs: [default-domain:default-project:nobody]\n`, /NetworkPolicy\/default-domain:default-project:nobody/],
    ['an unknown value', `type: vn\nfq_name: ${network}-x\naddress_allocation_mode: any\n`, /address_allocation_mode: is "any", but it must be one of/],
    ['a missing parent', 'type: vn\nfq_name: default-domain:no-such-project:x\n', /Project\/default-domain:no-such-project/],
  ])('is told what is wrong with %s', async (_what, text, words) => {
    const { status, stderr } = await contrailctl(['apply', '-f', file(text)]);
    expect(status).toBe(1);
    expect(stderr).toMatch(words);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('is told what must go first', async () => {
    const { status, stderr } = await contrailctl(['delete', 'vn', network]);
    expect(status).toBe(1);
    expect(stderr).toContain(`VirtualNetwork/${network} still has FloatingIpPool/${network}:public; delete or change those first`);
  });

  it('lets a member of a namespace work with his token alone, in his project', async () => {
    const namespace = await temporaryNamespace('member');
    const project = `default-domain:k8s-${namespace.name}`;
    try {
      await eventually('the project', async () => ((await contrailctl(['get', 'project', project])).status === 0 ? true : undefined));
      await sandbox(['token', '--role', 'member', '--namespace', namespace.name]);
      const token = (await kubectl(['-n', 'contrail', 'create', 'token', `member-${namespace.name}`])).trim();
      const config = JSON.parse(await kubectl(['config', 'view', '--raw', '-o', 'json'])) as { users: { user: object }[] };
      for (const user of config.users) user.user = { token };
      const kubeconfig = path.join(folder, 'member.json');
      writeFileSync(kubeconfig, JSON.stringify(config));
      const programs = (await sandbox(['build', 'kubernetes'])).stdout.trim();
      const env = { ...process.env, KUBECONFIG: kubeconfig, CONTRAIL_FROM_CLUSTER: 'true', PATH: `${programs}:${process.env['PATH'] ?? ''}` };
      const plugin = (...words: string[]): Promise<string> =>
        new Promise((resolve) => {
          execFile(path.join(repository, 'tools/contrailctl'), words, { env, timeout: 60_000 }, (_error, stdout, stderr) => resolve(`${stdout}${stderr}`));
        });
      expect(await plugin('create', 'vn', `${project}:own`)).toBe(`virtual-network/${project}:own created\n`);
      expect(await plugin('get', 'project', '-o', 'name')).toBe(`project/${project}\n`);
      expect(await plugin('describe', 'vn', `${project}:own`)).toContain('routing-instance');
      expect(await plugin('create', 'vn', inProject('foreign'))).toMatch(/may not create virtual-networks .* bind a role/);
      expect(await plugin('delete', 'vn', `${project}:own`)).toBe(`virtual-network/${project}:own deleted\n`);
    } finally {
      await namespace.remove();
    }
  }, 180_000);

  it('needs nothing but a kubeconfig as kubectl plugin', async () => {
    const kubeconfig = (await sandbox(['kubeconfig'])).stdout.trim();
    const programs = (await sandbox(['build', 'kubernetes'])).stdout.trim();
    symlinkSync(path.join(repository, 'tools/contrailctl'), path.join(folder, 'kubectl-contrail'));
    const env = { ...process.env, KUBECONFIG: kubeconfig, PATH: `${folder}:${programs}:${process.env['PATH'] ?? ''}` };
    const said = await new Promise<string>((resolve) => {
      execFile('kubectl', ['contrail', 'get', 'project', inProject()], { env, timeout: 60_000 }, (_error, stdout, stderr) => resolve(`${stdout}${stderr}`));
    });
    expect(said).toMatch(/^NAME .*\ndefault-domain:default-project/);
  });
});
