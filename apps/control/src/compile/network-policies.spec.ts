import type { DeepPartial, PolicyRuleType, Resource } from '@contrail/proto-gen/config/v1/resources';
import { Compiled } from '../../testing/compiled';
import { clusterResources, nodeResource, podResources, podUuids, serviceResources, testUuid, uuids } from '../../testing/cluster';
import { PacketWalk } from '../../testing/packet-walk';
import { customName, customNetwork, customUuid, networkPolicy, policyRule } from '../../testing/tenants';

const [tcp, udp, icmp] = [6, 17, 1];
const [first, second] = [testUuid(3, 50), testUuid(3, 51)] as const;
const [red, blue, green] = [1, 2, 3].map((n) => customName(n).join(':')) as [string, string, string];
const serviceNetwork = 'default-domain:k8s-default:k8s-default-service-network';
const addresses = { red: '198.51.100.1', 'red high': '198.51.100.200', blue: '203.0.113.1', 'blue high': '203.0.113.200', green: '192.0.2.130' };
type Pod = keyof typeof addresses;
const pods: readonly Pod[] = ['red', 'red high', 'blue', 'blue high', 'green'];
const numbers: Record<Pod, number> = { red: 1, 'red high': 2, blue: 3, 'blue high': 4, green: 5 };
const homes: Record<Pod, number> = { red: 1, 'red high': 1, blue: 2, 'blue high': 2, green: 3 };

interface Attached {
  readonly policies?: readonly Resource[];
  readonly red?: readonly string[];
  readonly blue?: readonly string[];
  readonly green?: readonly string[];
}

function networks({ red: ofRed = [], blue: ofBlue = [], green: ofGreen = [] }: Attached): Resource[] {
  return [
    ...customNetwork(1, { prefix: '198.51.100.0', length: 24, policies: ofRed }),
    ...customNetwork(2, { prefix: '203.0.113.0', length: 24, policies: ofBlue }),
    ...customNetwork(3, { prefix: '192.0.2.128', length: 25, policies: ofGreen }),
  ];
}

function compile(attached: Attached): Compiled {
  return new Compiled([
    ...clusterResources(),
    nodeResource(1),
    nodeResource(2),
    ...(attached.policies ?? []),
    ...networks(attached),
    ...pods.flatMap((pod) =>
      podResources({ n: numbers[pod], node: `node${(numbers[pod] % 2) + 1}`, address: addresses[pod], networkUuid: customUuid(homes[pod]), alias: `10.40.0.${numbers[pod]}` }),
    ),
  ]);
}

function rules(...policyRules: DeepPartial<PolicyRuleType>[]): Resource {
  return networkPolicy(first, ['default-domain', 'k8s-default', 'web'], policyRules);
}

/** One policy of red and blue. */
function joined(...policyRules: DeepPartial<PolicyRuleType>[]): Compiled {
  return compile({ policies: [rules(...policyRules)], red: [first], blue: [first] });
}

function send(compiled: Compiled, from: Pod, to: Pod, [protocol, port]: readonly [number, number]): string {
  return new PacketWalk(compiled).send({ interfaceUuid: podUuids.interface(numbers[from]) }, { address: addresses[to], protocol, port });
}

describe('a policy for one port, one way', () => {
  const compiled = joined(policyRule(`${red} > ${blue} tcp 80`));

  it.each<[Pod, Pod, readonly [number, number], string]>([
    ['red', 'blue', [tcp, 80], 'pass'],
    ['red', 'blue', [tcp, 81], `no rule of ${red} from ${red} to ${blue}`],
    ['red', 'blue', [udp, 80], `no rule of ${red} from ${red} to ${blue}`],
    ['red', 'blue', [icmp, 0], `no rule of ${red} from ${red} to ${blue}`],
    ['blue', 'red', [tcp, 80], `no rule of ${blue} from ${blue} to ${red}`],
    ['red', 'red high', [udp, 9], 'pass'],
    ['red', 'green', [tcp, 80], 'no route'],
  ])('%s to %s %j: %s', (from, to, packet, want) => {
    expect(send(compiled, from, to, packet)).toBe(want);
  });

  it('is judged by the receiver, too, and never for nodes', () => {
    const [blueTable] = compiled.find('policy').filter(({ name }) => name.includes(customUuid(2)));
    const ingress = blueTable?.rules.filter(({ direction }) => direction === 1) ?? [];
    expect(ingress.map(({ verdict, port }) => [verdict, port])).toEqual([[2, 0], [1, 80]]);
    const node = new PacketWalk(compiled).send({ node: 'node1' }, { address: '10.40.0.3', protocol: tcp, port: 81 });
    expect(node).toBe('pass');
  });
});

describe('rules', () => {
  it('are followed in their order: a deny before a pass', () => {
    const compiled = joined(policyRule(`${red} <> ${blue} tcp`, { verdict: 'deny', ports: [20, 25] }), policyRule(`${red} <> ${blue}`));
    expect(send(compiled, 'red', 'blue', [tcp, 22])).toBe('default-domain:k8s-default:web rule 1');
    expect(send(compiled, 'red', 'blue', [tcp, 26])).toBe('pass');
    expect(send(compiled, 'blue', 'red', [icmp, 0])).toBe('pass');
  });

  it('of policies are followed in the order of their attachment', () => {
    const no = networkPolicy(second, ['default-domain', 'k8s-default', 'no'], [policyRule('any <> any tcp', { verdict: 'deny' })]);
    const policies = [no, rules(policyRule('any <> any'))];
    const denied = compile({ policies, red: [second, first], blue: [first] });
    expect(send(denied, 'red', 'blue', [tcp, 80])).toBe('default-domain:k8s-default:no rule 1');
    expect(send(denied, 'red', 'blue', [udp, 80])).toBe('pass');
    expect(send(compile({ policies, red: [first, second], blue: [first] }), 'red', 'blue', [tcp, 80])).toBe('pass');
  });

  it('that deny within a network take effect there', () => {
    const compiled = compile({ policies: [rules(policyRule('local > local udp', { verdict: 'deny' }))], red: [first] });
    expect(send(compiled, 'red', 'red high', [udp, 53])).toBe('default-domain:k8s-default:web rule 1');
    expect(send(compiled, 'red', 'red high', [tcp, 53])).toBe('pass');
  });

  it('with prefixes are for the interfaces inside', () => {
    const compiled = joined(policyRule(`${red}@198.51.100.128/25 > ${blue}@203.0.113.0/25 tcp`));
    expect(send(compiled, 'red high', 'blue', [tcp, 80])).toBe('pass');
    expect(send(compiled, 'red', 'blue', [tcp, 80])).not.toBe('pass');
    expect(send(compiled, 'red high', 'blue high', [tcp, 80])).not.toBe('pass');
    expect(compiled.find('identity').map(({ name }) => name)).toEqual(expect.arrayContaining([`${red} 198.51.100.128/25`, red]));
  });

  it('with prefixes alone judge what another rule joined', () => {
    const compiled = joined(policyRule('198.51.100.128/25 > 203.0.113.0/24', { verdict: 'deny' }), policyRule(`${red} <> ${blue}`));
    expect(send(compiled, 'red high', 'blue', [tcp, 80])).toBe('default-domain:k8s-default:web rule 1');
    expect(send(compiled, 'red', 'blue', [tcp, 80])).toBe('pass');
    expect(send(joined(policyRule('198.51.100.0/24 <> 203.0.113.0/24')), 'red', 'blue', [tcp, 80])).toBe('no route');
  });

  it.each([
    ['any', 'any <> any', 'pass'],
    ['local and any', 'local <> any', 'pass'],
    ['a policy that both have', 'policy:default-domain:k8s-default:web <> any', 'pass'],
    ['a policy that nobody has', 'policy:default-domain:k8s-default:other <> any', 'no route'],
  ])('name %s', (_name, text, want) => {
    expect(send(joined(policyRule(text)), 'red', 'blue', [tcp, 80])).toBe(want);
  });
});

describe('a policy that changes', () => {
  it('takes effect, and joins nothing any more when it is detached', () => {
    const compiled = joined(policyRule(`${red} <> ${blue} tcp 80`));
    expect(send(compiled, 'red', 'blue', [tcp, 81])).not.toBe('pass');
    compiled.put([rules(policyRule(`${red} <> ${blue} tcp 81`))]);
    expect(send(compiled, 'red', 'blue', [tcp, 81])).toBe('pass');
    expect(send(compiled, 'red', 'blue', [tcp, 80])).not.toBe('pass');
    compiled.put(networks({ blue: [first] }));
    expect(send(compiled, 'red', 'blue', [tcp, 81])).toBe('no route');
    expect(compiled.find('policy')).toHaveLength(1);
  });

  it('leaves no identity of a prefix that no rule names any more', () => {
    const compiled = joined(policyRule(`${red}@198.51.100.128/25 <> ${blue}`));
    const before = compiled.find('identity').length;
    compiled.put([rules(policyRule(`${red} <> ${blue}`))]);
    expect(compiled.find('identity')).toHaveLength(before - 1);
    expect(send(compiled, 'red high', 'blue', [tcp, 80])).toBe('pass');
  });
});

describe('services of a joined service network', () => {
  const members = [{ address: '10.40.0.5', pod: 5 }];
  const service = serviceResources({ n: 7, clusterIp: '10.96.0.7', port: 443, targetPort: 8443, members });

  function withService(...policyRules: DeepPartial<PolicyRuleType>[]): Compiled {
    const compiled = compile({ policies: [rules(...policyRules)], red: [first], green: [first] });
    const [own] = clusterResources().filter((resource) => resource.kind?.$case === 'virtualNetwork' && resource.kind.value.meta?.uuid === uuids.serviceNetwork);
    if (own?.kind?.$case !== 'virtualNetwork') throw new Error('there is a service network');
    own.kind.value.networkPolicyRefs.push({ uuid: first, fqName: [], attr: undefined });
    compiled.put([own, ...service]);
    return compiled;
  }
  const call = (compiled: Compiled, pod: Pod): string =>
    new PacketWalk(compiled).send({ interfaceUuid: podUuids.interface(numbers[pod]) }, { address: '10.96.0.7', protocol: tcp, port: 443 });

  it('are called by the port of the service, and the pods behind stay closed', () => {
    const compiled = withService(policyRule(`${red} > ${serviceNetwork} tcp 443`));
    expect(call(compiled, 'red')).toBe('pass');
    expect(send(compiled, 'red', 'green', [tcp, 8443])).toBe('no route');
    expect(call(compiled, 'blue')).toBe('no route');
  });

  it('are not called by another port', () => {
    expect(call(withService(policyRule(`${red} > ${serviceNetwork} tcp 8443`)), 'red')).toBe('no route');
  });

  it('are called where a policy limits what reaches the pods behind', () => {
    const compiled = withService(policyRule(`${red} > ${serviceNetwork} tcp 443`), policyRule(`${red} > ${green} tcp 80`));
    expect(call(compiled, 'red')).toBe('pass');
    expect(send(compiled, 'red', 'green', [tcp, 8443])).toBe(`no rule of ${red} from ${red} to ${green}`);
    expect(send(compiled, 'red', 'green', [tcp, 80])).toBe('pass');
  });
});

describe('networks with the same addresses', () => {
  it('are not joined, and why is known', () => {
    const compiled = compile({ policies: [rules(policyRule('any <> any'))], red: [first], blue: [first], green: [first] });
    expect(compiled.topology.refused).toEqual([]);
    compiled.put(customNetwork(2, { prefix: '198.51.100.128', length: 25, policies: [first] }));
    expect(send(compiled, 'red', 'blue', [tcp, 80])).toBe('no route');
    expect(compiled.topology.refused[0]).toEqual({
      networks: [red, blue],
      reason: `198.51.100.0/24 of ${red} overlaps 198.51.100.128/25 of ${blue}; give one of them other subnets, detach the policy from one, or offer a service instead`,
    });
    // Nor are both joined with a third: its pods could not tell them apart.
    expect(compiled.topology.refused[1]).toMatchObject({ networks: [green, blue] });
    expect(send(compiled, 'green', 'red', [tcp, 80])).toBe('pass');
  });
});
