import { parseAddress } from '@contrail/net';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { ReachRequest } from '@contrail/proto-gen/control/v1/reach';
import type { ReachAnswer, ReachEnd, ReachResponse } from '@contrail/proto-gen/control/v1/reach';
import { clusterResources, network, nodeResource, podResources, policy, serviceResources, testUuid, uuids } from '../../testing/cluster';
import type { TestMember, TestService } from '../../testing/cluster';
import { Compiled } from '../../testing/compiled';
import { customNetwork, customUuid } from '../../testing/tenants';
import { reach } from './reach';

const [red, redServices, blue, custom] = [testUuid(2, 10), testUuid(2, 11), testUuid(2, 12), testUuid(2, 13)];
/** In the project of the namespace after which it is named. */
const fq = (name: string): string[] => ['default-domain', name.split('-').slice(0, 2).join('-'), name];

/** Pods 1 and 2 in the cluster's network, 3 in namespace red, 4 in blue, both isolated, 5 and 6 with equal addresses on custom networks. */
function world(...more: Resource[]): Compiled {
  return new Compiled([
    ...clusterResources(),
    nodeResource(1),
    nodeResource(2),
    ...network(red, fq('k8s-red-pod-network'), { vni: 10, ipams: [uuids.podIpam], policies: [uuids.fabricPolicy, uuids.servicePolicy] }),
    ...network(redServices, fq('k8s-red-service-network'), { vni: 11, ipams: [uuids.serviceIpam], policies: [uuids.fabricPolicy] }),
    ...network(blue, fq('k8s-blue-pod-network'), { vni: 12, ipams: [uuids.podIpam], policies: [uuids.fabricPolicy, uuids.servicePolicy] }),
    // As a NetworkAttachmentDefinition in namespace red names it.
    ...network(custom, ['default-domain', 'k8s-red', 'k8s-custom-pod-network'], { vni: 13 }),
    ...podResources({ n: 1, node: 'node1', address: '10.47.0.1' }),
    ...podResources({ n: 2, node: 'node2', address: '10.47.0.2' }),
    ...podResources({ n: 3, node: 'node2', address: '10.47.0.3', networkUuid: red }),
    ...podResources({ n: 4, node: 'node1', address: '10.47.0.4', networkUuid: blue }),
    ...podResources({ n: 5, node: 'node1', address: '10.47.0.2', networkUuid: custom, alias: '10.47.0.5' }),
    ...more,
  ]);
}

function toEnd(text: string): ReachEnd {
  const [kind = '', rest = ''] = text.split(' ');
  const [namespace = '', name = ''] = rest.split('/');
  switch (kind) {
    case 'pod':
      return { kind: { $case: 'pod', value: { namespace: 'default', name: `pod-${rest}` } } };
    case 'service':
      return { kind: { $case: 'service', value: { namespace, name } } };
    case 'node':
      return { kind: { $case: 'node', value: rest } };
    default:
      return { kind: { $case: 'address', value: Buffer.from(parseAddress(text)) } };
  }
}

function ask(compiled: Compiled, from: string, to: string, traffic: { protocol?: number; port?: number } = {}): Omit<ReachResponse, 'revision'> {
  return reach(compiled.compiler, ReachRequest.fromPartial({ from: toEnd(from), to: toEnd(to), ...traffic }));
}

function only(response: Omit<ReachResponse, 'revision'>): ReachAnswer {
  const [answer, ...others] = response.answers;
  if (answer === undefined || others.length > 0) throw new Error(`${response.answers.length} answers`);
  return answer;
}

const web = (service: Partial<TestService> & { readonly members: readonly TestMember[] }): Resource[] =>
  serviceResources({ n: 1, clusterIp: '10.96.0.10', port: 80, targetPort: 8080, ...service });

describe('pods', () => {
  it('of one network reach each other by the route to the other node', () => {
    const answer = only(ask(world(), 'pod 1', 'pod 2', { port: 8080 }));
    expect(answer).toMatchObject({ reachable: true, protocol: 6, port: 8080, from: { node: 'node1' }, to: { name: 'pod default/pod-2', node: 'node2' } });
    const route = answer.steps.find(({ layer }) => layer === 'route');
    expect(route).toMatchObject({ passes: true, nextHop: 'interface', node: 'node2', prefix: { length: 32 } });
    expect(answer.steps.map(({ layer }) => layer)).toEqual(['network', 'route', 'policy', 'policy']);
  });

  it('of an isolated namespace are forbidden by isolation; the answer says what would open it', () => {
    const answer = only(ask(world(), 'pod 1', 'pod 3'));
    expect(answer.reachable).toBe(false);
    expect(answer.steps.find(({ passes }) => !passes)).toMatchObject({ layer: 'isolation' });
    expect(answer.reason).toContain('namespace red is isolated: no network policy joins network default-domain:k8s-default:k8s-default-pod-network');
    expect(answer.grants).toEqual([
      expect.stringContaining('a network policy with a rule that passes icmp from'),
      'the end of the isolation: kubectl annotate namespace red opencontrail.org/isolation-',
    ]);
    expect(only(ask(world(), 'pod 3', 'pod 1')).reason).toContain("the sender's namespace red is isolated");
    expect(only(ask(world(), 'pod 3', 'pod 4')).reason).toContain('namespace blue is isolated');
  });

  const joining = testUuid(3, 20);
  const names = [fq('k8s-red-pod-network').join(':'), fq('k8s-blue-pod-network').join(':')] as const;
  const joiningPolicy = policy(joining, 'red-blue', { from: { virtualNetwork: names[0] }, to: { virtualNetwork: names[1] } });
  const withPolicies = (uuid: string, name: string, policies: string[]): Resource[] =>
    network(uuid, fq(name), { vni: uuid === red ? 10 : 12, ipams: [uuids.podIpam], policies });

  it('of networks that a policy joins reach each other, and the answer names policy and rule', () => {
    const compiled = world(joiningPolicy, ...withPolicies(red, 'k8s-red-pod-network', [joining]), ...withPolicies(blue, 'k8s-blue-pod-network', [joining]));
    const answer = only(ask(compiled, 'pod 3', 'pod 4', { port: 80 }));
    expect(answer.reachable).toBe(true);
    expect(answer.steps.find(({ policy: name }) => name !== '')).toMatchObject({ layer: 'network', policy: 'default-domain:k8s-default:red-blue' });
  });

  it('of networks of which only one has the policy do not, and the answer names the other', () => {
    const compiled = world(joiningPolicy, ...withPolicies(red, 'k8s-red-pod-network', [joining]));
    const answer = only(ask(compiled, 'pod 3', 'pod 4', { port: 80 }));
    expect(answer.reachable).toBe(false);
    expect(answer.grants).toContain(`attach network policy default-domain:k8s-default:red-blue to network ${names[1]}, too`);
  });

  it('of networks with the same addresses need other subnets before a policy can join them', () => {
    const pods = [1, 2].flatMap((n) => podResources({ n: 20 + n, node: 'node1', address: '192.0.2.140', networkUuid: customUuid(n), alias: `10.47.3.${n}` }));
    const networks = [1, 2].flatMap((n) => customNetwork(n, { prefix: '192.0.2.128', length: 25 }));
    const answer = only(ask(world(...networks, ...pods), 'pod 21', 'pod 22', { port: 80 }));
    expect(answer.reachable).toBe(false);
    expect(answer.grants).toEqual([
      expect.stringMatching(/^other subnets for one of the networks \(192\.0\.2\.128\/25 overlaps 192\.0\.2\.128\/25\), and then a network policy .* attached to both networks$/),
    ]);
  });

  it('with an address that the sender knows as somebody else are not reached by it', () => {
    const answer = only(ask(world(), 'pod 1', 'pod 5'));
    expect(answer.reachable).toBe(false);
    expect(only(ask(world(), 'pod 2', 'pod 5')).reason).toContain('is one of its own');
    expect(only(ask(world(), 'pod 1', '10.47.0.2')).to?.name).toBe('pod default/pod-2 (address 10.47.0.2)');
    expect(only(ask(world(), 'pod 5', '10.47.0.2')).to?.name).toBe('pod default/pod-5 (address 10.47.0.2)');
  });

  it('reach nobody at addresses of their subnets that nobody has, and leave the cluster to others', () => {
    expect(only(ask(world(), 'pod 1', '10.47.9.9'))).toMatchObject({ reachable: false, reason: expect.stringContaining('nobody has 10.47.9.9') });
    expect(only(ask(world(), 'pod 1', '198.51.100.9'))).toMatchObject({ reachable: true, reason: expect.stringContaining('leaves the cluster') });
    expect(only(ask(world(), 'pod 3', '198.51.100.9')).reachable).toBe(false);
  });

  it('ping the gateway of their network, and nothing else of it', () => {
    expect(only(ask(world(), 'pod 1', '10.47.255.254')).reachable).toBe(true);
    expect(only(ask(world(), 'pod 1', '10.47.255.254', { port: 80 })).reachable).toBe(false);
  });
});

describe('nodes', () => {
  it.each(['pod 1', 'pod 2', 'pod 3', 'pod 4', 'pod 5', 'node node2', 'node node1'])('reach %s', (to) => {
    expect(only(ask(world(), 'node node1', to, { port: 80 }))).toMatchObject({ reachable: true });
  });

  it('reach pods of custom networks by the alias', () => {
    const answer = only(ask(world(), 'node node2', 'pod 5'));
    expect([...(answer.to?.address ?? [])]).toEqual([10, 47, 0, 5]);
    expect(answer.steps.map(({ text }) => text).join()).toContain('by the alias addresses');
  });

  it('are reached from networks that ip-fabric is joined with, and not from others', () => {
    expect(only(ask(world(), 'pod 3', 'node node1')).steps.find(({ nextHop }) => nextHop === 'node')).toMatchObject({ node: 'node1' });
    expect(only(ask(world(), 'pod 5', 'node node1'))).toMatchObject({ reachable: false, reason: expect.stringContaining('custom') });
  });

  it('alone are reached from outside the cluster', () => {
    expect(only(ask(world(), '203.0.113.7', 'node node1')).reachable).toBe(true);
    expect(only(ask(world(), '203.0.113.7', 'pod 1')).reason).toContain('from outside the cluster');
  });
});

describe('services', () => {
  const members: TestMember[] = [{ address: '10.47.0.1', pod: 1 }, { address: '10.47.0.2', pod: 2, ready: false }, { address: '10.47.0.3', pod: 3, refused: 'isolated' }];

  it('are hashed over the backends that are ready and admitted; the others say why not', () => {
    const answer = only(ask(world(...web({ members })), 'pod 2', 'service default/svc-1'));
    expect(answer).toMatchObject({ reachable: true, port: 80, protocol: 6 });
    expect(answer.backends.map(({ name, used, reason }) => [name, used, reason])).toEqual([
      ['pod default/pod-1', true, ''],
      ['pod default/pod-2', false, 'is not ready'],
      ['pod default/pod-3', false, 'refused: isolated'],
    ]);
    expect(answer.steps.find(({ layer }) => layer === 'service')?.text).toContain('policy default-domain:k8s-default:k8s-default-pod-service-np');
  });

  it('are the same by their address', () => {
    expect(only(ask(world(...web({ members })), 'pod 2', '10.96.0.10', { port: 80 }))).toMatchObject({ reachable: true, to: { name: 'service default/svc-1' } });
  });

  it('without backends refuse, and do not answer to other ports or to ping', () => {
    expect(only(ask(world(...web({ members: [] })), 'pod 2', 'service default/svc-1')).reason).toContain('has no backends: calls are refused');
    const compiled = world(...web({ members }));
    expect(only(ask(compiled, 'pod 2', 'service default/svc-1', { port: 81 })).reason).toContain('has no such port; it has tcp port 80');
    expect(only(ask(compiled, 'pod 2', 'service default/svc-1', { protocol: 1 })).reason).toContain('does not answer ICMP');
  });

  it('of isolated namespaces are forbidden by service isolation', () => {
    const compiled = world(...web({ members: [{ address: '10.47.0.3', pod: 3 }], networkUuid: redServices }));
    const answer = only(ask(compiled, 'pod 1', 'service default/svc-1'));
    expect(answer.reason).toContain('the services of namespace red are isolated');
    expect(answer.grants).toContain('the service isolation lifted: kubectl annotate --overwrite namespace red opencontrail.org/isolation.service=false');
    expect(only(ask(compiled, 'node node1', 'service default/svc-1')).reachable).toBe(true);
  });

  it('lead from an isolated namespace to backends of another one', () => {
    const answer = only(ask(world(...web({ members })), 'pod 3', 'service default/svc-1'));
    expect(answer.reachable).toBe(true);
    expect(answer.steps.filter(({ layer }) => layer === 'route')).toMatchObject([{ node: 'node1', nextHop: 'interface' }]);
  });

  it('that everybody needs are reached from custom networks, others are not', () => {
    const dns = web({ members: [{ address: '10.47.0.1', pod: 1 }], name: 'kube-system/kube-dns' });
    expect(only(ask(world(...dns), 'pod 5', 'service kube-system/kube-dns')).reachable).toBe(true);
    expect(only(ask(world(...web({ members })), 'pod 5', 'service default/svc-1')).reachable).toBe(false);
  });

  it('as senders are the pods behind them', () => {
    const { answers, reachable } = ask(world(...web({ members })), 'service default/svc-1', 'pod 2', { port: 80 });
    expect(reachable).toBe(false);
    expect(answers.map(({ from, reachable: yes }) => [from?.name, yes])).toEqual([
      ['pod default/pod-1', true],
      ['pod default/pod-2', true],
      ['pod default/pod-3', false],
    ]);
  });
});

describe('an end that is none', () => {
  it.each([
    ['pod 9', 'NOT_FOUND', /Pod\/default\/pod-9: has no interface .* kubectl -n default get pods; a pod on the host network is its node/],
    ['service default/none', 'NOT_FOUND', /Service\/default\/none: has no cluster IP .* headless/],
    ['node node9', 'NOT_FOUND', /node\/node9: is no VirtualRouter/],
  ])('%s: %s', (to, code, message) => {
    expect(() => ask(world(), 'pod 1', to)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });

  it('an address of two pods is ambiguous for a sender', () => {
    expect(() => ask(world(), '10.47.0.2', 'pod 1')).toThrow(/is of pod default\/pod-2 .* and of pod default\/pod-5 .*; name the pod/);
  });

  it('a pod that is on no node', () => {
    const pending = podResources({ n: 8, node: '', address: '10.47.0.8' });
    expect(() => ask(world(...pending), 'pod 8', 'pod 1')).toThrow(/pod default\/pod-8: is on no node yet; wait/);
  });

  it.each([
    [{ protocol: 1, port: 80 }, /ICMP has none/],
    [{ protocol: 17 }, /port: is missing for udp/],
    [{ port: 70_000 }, /at most 65535/],
  ])('%j', (traffic, message) => {
    expect(() => ask(world(), 'pod 1', 'pod 2', traffic)).toThrow(message);
  });
});
