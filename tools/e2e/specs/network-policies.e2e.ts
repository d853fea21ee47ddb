import { apply, eventually, kubectl, nodeAddresses, podExec, temporaryNamespace } from '../src/cluster';
import { contrailctl } from '../src/contrailctl';
import { addressesInside, answerOf, fetchByUdp, fetchFrom, makeNetwork, mustSucceed, removeNetwork, tenantPod, twoNodes, uuidOf, waitReadyOrTell } from '../src/custom-network';
import { restClient } from '../src/rest-client';
import type { RestClient } from '../src/rest-client';

jest.setTimeout(300_000);

/** `front` and `shop`: a network, and a pod of that name on each of two nodes (`front-0`, `front-1`, …). */
type Side = 'front' | 'shop';
const sides = { front: '192.168.61.0/24', shop: '192.168.62.0/24' } as const;

interface Rule {
  readonly from: Side;
  readonly to: Side;
  readonly protocol?: string;
  readonly port?: number;
  readonly action?: 'pass' | 'deny';
  readonly direction?: '>' | '<>';
}

let administrator: RestClient;
let space: { name: string; remove: () => Promise<void> };
let nodes: readonly [string, string];
let policyUuid = '';
const addresses = new Map<string, string>();

const project = (): string => `k8s-${space.name}`;
const nameOf = (side: Side): string => `default-domain:${project()}:${side}`;
const addressOf = (pod: string): string => addresses.get(pod) ?? `no address of ${pod}`;

function policyRule({ from, to, protocol = 'any', port = -1, action = 'pass', direction = '>' }: Rule): unknown {
  return {
    ...{ direction, protocol, src_addresses: [{ virtual_network: nameOf(from) }], dst_addresses: [{ virtual_network: nameOf(to) }] },
    ...{ src_ports: [{ start_port: -1, end_port: -1 }], dst_ports: [{ start_port: port, end_port: port }] },
    action_list: { simple_action: action },
  };
}

async function setRules(...rules: Rule[]): Promise<void> {
  const entries = { network_policy_entries: { policy_rule: rules.map(policyRule) } };
  await mustSucceed(administrator.call('PUT', `/network-policy/${policyUuid}`, { 'network-policy': entries }));
}

async function attach(operation: 'ADD' | 'DELETE', side: Side): Promise<void> {
  const uuid = await uuidOf(administrator, 'virtual-network', nameOf(side).split(':'));
  const to = { 'ref-type': 'network-policy', 'ref-uuid': policyUuid, attr: { sequence: { major: 1, minor: 0 } } };
  await mustSucceed(administrator.call('POST', '/ref-update', { type: 'virtual-network', uuid, operation, ...to }));
}

/** The pod that answers over TCP; `none`: nobody does. */
async function tcp(from: string, to: string): Promise<string> {
  return (await fetchFrom(space.name, from, `http://${addressOf(to)}:8080/hostname`)) ?? 'none';
}

async function udp(from: string, to: string): Promise<string> {
  return (await fetchByUdp(space.name, from, addressOf(to))) ?? 'none';
}

const shops = ['shop-0', 'shop-1'];

/** Tries until all answers are as wanted: a policy is in force everywhere soon after it was acknowledged. */
async function settles(what: string, tries: Readonly<Record<string, () => Promise<string>>>, wanted: Readonly<Record<string, string>>): Promise<void> {
  let last: Record<string, string> = {};
  await eventually(what, async () => {
    last = Object.fromEntries(await Promise.all(Object.entries(tries).map(async ([name, once]) => [name, await once()] as const)));
    return JSON.stringify(last) === JSON.stringify(wanted) ? true : undefined;
  }, 30_000).catch((error: unknown) => {
    throw new Error(`${what}: ${JSON.stringify(last)}`, { cause: error });
  });
}

async function policyDrops(node: string): Promise<number> {
  const address = (await nodeAddresses()).get(node) ?? '';
  const { stdout } = await contrailctl(['-o', 'json', '--node', address, 'drop']);
  const drops = JSON.parse(stdout) as ReadonlyArray<{ reasonName: string; packets: string | number }>;
  return drops.filter(({ reasonName }) => reasonName === 'policy-egress').reduce((sum, { packets }) => sum + Number(packets), 0);
}

beforeAll(async () => {
  administrator = await restClient('admin');
  nodes = await twoNodes();
  space = await temporaryNamespace('joined');
  await eventually('the project', async () => {
    const { status } = await administrator.call('POST', '/fqname-to-id', { type: 'project', fq_name: ['default-domain', project()] });
    return status === 200 ? true : undefined;
  });
  for (const [side, prefix] of Object.entries(sides)) await makeNetwork(administrator, project(), side, prefix);
  const pods = (Object.keys(sides) as Side[]).flatMap((side) => nodes.map((node, index) => ({ side, node, name: `${side}-${index}` })));
  await apply(pods.map(({ side, node, name }) => tenantPod(name, space.name, { node, network: nameOf(side) })));
  await waitReadyOrTell(space.name, pods.map(({ name }) => name));
  for (const { name } of pods) addresses.set(name, (await addressesInside(space.name, name)).find((address) => address.startsWith('192.168.')) ?? '');
  const policy = { fq_name: ['default-domain', project(), 'joined'], parent_type: 'project', network_policy_entries: { policy_rule: [] } };
  const { body } = await mustSucceed(administrator.call('POST', '/network-policys', { 'network-policy': policy }));
  policyUuid = (body as { 'network-policy': { uuid: string } })['network-policy'].uuid;
});
afterAll(async () => {
  await kubectl(['-n', space.name, 'delete', 'pods', '--all', '--wait']);
  for (const side of Object.keys(sides) as Side[]) await removeNetwork(administrator, project(), side);
  await administrator.call('DELETE', `/network-policy/${policyUuid}`);
  await space.remove();
});

describe('two networks', () => {
  it('do not reach each other', async () => {
    for (const shop of shops) expect([shop, await tcp('front-0', shop), await tcp(shop, 'front-0')]).toEqual([shop, 'none', 'none']);
  });

  it('joined by a policy for one port, pass that port that way, on one node and across nodes', async () => {
    await setRules({ from: 'front', to: 'shop', protocol: 'tcp', port: 8080 });
    await attach('ADD', 'front');
    expect(await tcp('front-0', 'shop-1')).toBe('none');
    await attach('ADD', 'shop');
    await settles(
      'TCP 8080 from front to shop',
      { near: () => tcp('front-0', 'shop-0'), far: () => tcp('front-0', 'shop-1'), back: () => tcp('front-1', 'shop-0') },
      { near: 'shop-0', far: 'shop-1', back: 'shop-0' },
    );
    for (const shop of shops) {
      expect([shop, await udp('front-0', shop)]).toEqual([shop, 'none']);
      expect([shop, await tcp(shop, 'front-0')]).toEqual([shop, 'none']);
    }
  });

  it('drop and count what no rule passes, and reach names the rule', async () => {
    const before = await policyDrops(nodes[0]);
    expect(await udp('front-0', 'shop-1')).toBe('none');
    expect(await policyDrops(nodes[0])).toBeGreaterThan(before);
    const passed = await contrailctl(['reach', `${space.name}/front-0`, addressOf('shop-1'), '8080']);
    expect(passed).toMatchObject({ status: 0, stdout: expect.stringContaining(`default-domain:${project()}:joined`) as unknown });
    const refused = await contrailctl(['reach', `${space.name}/front-0`, addressOf('shop-1'), '8081/udp']);
    expect([refused.status, refused.stdout]).toEqual([1, expect.stringContaining(`no rule of ${nameOf('front')}`)]);
  });

  it('keep connections that a changed policy allows, and cut those that it does not', async () => {
    /** A request whose answer takes ten seconds. */
    const slowly = (shop: string): Promise<string | undefined> =>
      podExec(space.name, 'front-0', ['curl', '-sS', '--max-time', '20', `http://${addressOf(shop)}:8080/shell?cmd=sleep%2010%20%26%26%20echo%20done`]).then(answerOf);
    const kept = Promise.all(shops.map(slowly));
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await setRules({ from: 'front', to: 'shop', protocol: 'udp', action: 'deny' }, { from: 'front', to: 'shop', protocol: 'tcp', port: 8080 });
    for (const answer of await kept) expect(answer).toContain('done');
    const cut = Promise.all(shops.map(slowly));
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await setRules({ from: 'front', to: 'shop', protocol: 'udp', port: 8081 });
    expect(await cut).toEqual([undefined, undefined]);
    await settles('UDP alone', { udp: () => udp('front-0', 'shop-1'), tcp: () => tcp('front-0', 'shop-1') }, { udp: 'shop-1', tcp: 'none' });
  });

  it('talk both ways by <>, and not at all once one of them has detached the policy', async () => {
    await setRules({ from: 'front', to: 'shop', direction: '<>' });
    const both = { there: () => tcp('front-0', 'shop-1'), back: () => tcp('shop-1', 'front-0') };
    await settles('both ways', both, { there: 'shop-1', back: 'front-0' });
    await attach('DELETE', 'shop');
    await settles('detached', both, { there: 'none', back: 'none' });
  });
});
