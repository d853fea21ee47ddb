import fc from 'fast-check';
import { compileConnections, findConnectionRow, passesAll } from './compile-connections';
import { judgeConnection } from './judge-connection';
import { mayJoin } from './may-join';
import type { Connection, NetworkPart, NetworkPolicy, NetworkRule, PolicyNetwork, RuleEnd } from './network-policy';
import { any } from './policy-set';
import type { Verdict } from './policy-set';

const [tcp, udp, icmp] = [6, 17, 1];

function end(name: string, ...prefixes: string[]): RuleEnd {
  if (name === 'any' || name === 'local' || name === 'address') return { networks: { kind: name }, prefixes };
  return { networks: { kind: name.startsWith('policy ') ? 'policy' : 'network', name: name.replace('policy ', '') }, prefixes };
}

/** A rule as `red > blue tcp 80`; `change` says what else is special. */
function rule(from: string, to: string, change: Partial<NetworkRule> = {}): NetworkRule {
  const parts = { sources: [end(from)], destinations: [end(to)] };
  return {
    ...parts,
    name: `${from} ${to}`,
    isBothWays: false,
    protocol: any,
    sourcePorts: undefined,
    ports: undefined,
    verdict: 'pass',
    ...change,
  };
}

function ports(first: number, last = first): { ports: { first: number; last: number }[] } {
  return { ports: [{ first, last }] };
}

function network(name: string, ...policies: NetworkPolicy[]): PolicyNetwork {
  return { name, policies };
}

function whole(of: PolicyNetwork, ...prefixes: string[]): NetworkPart {
  return { network: of, prefixes };
}

function policy(name: string, ...rules: NetworkRule[]): NetworkPolicy {
  return { name, rules };
}

/** Verdict of the compiled rows, after comparing them with the plain evaluation. */
function verdictOf(from: NetworkPart, to: NetworkPart, connection: Connection): Verdict | undefined {
  const row = findConnectionRow(compileConnections(from, to), connection);
  expect(row).toMatchObject(judgeConnection(from, to, connection));
  return row?.verdict;
}

/** Both networks with one policy of these rules. */
function pair(...rules: NetworkRule[]): { red: NetworkPart; blue: NetworkPart } {
  const shared = policy('shared', ...rules);
  return { red: whole(network('red', shared)), blue: whole(network('blue', shared)) };
}

describe('connections between networks', () => {
  const web = rule('red', 'blue', { protocol: tcp, ...ports(80) });

  it.each<[string, Connection, Verdict]>([
    ['the named port', { protocol: tcp, port: 80 }, 'pass'],
    ['another port', { protocol: tcp, port: 81 }, 'deny'],
    ['another protocol', { protocol: udp, port: 80 }, 'deny'],
    ['a protocol without ports', { protocol: icmp, port: 0 }, 'deny'],
  ])('a rule for one port: %s', (_name, connection, want) => {
    const { red, blue } = pair(web);
    expect(verdictOf(red, blue, connection)).toBe(want);
    expect(verdictOf(blue, red, connection)).toBe('deny');
  });

  it('say which networks no rule lets talk', () => {
    const { red, blue } = pair(web);
    expect(judgeConnection(blue, red, { protocol: tcp, port: 80 }).name).toBe('no rule of blue from blue to red');
  });

  it('<> exchanges ends and ports: without ports both sides begin, with ports only towards them', () => {
    const { red, blue } = pair(rule('red', 'blue', { isBothWays: true, protocol: udp }));
    expect(verdictOf(blue, red, { protocol: udp, port: 9 })).toBe('pass');
    const limited = pair(rule('red', 'blue', { isBothWays: true, protocol: tcp, ...ports(80) }));
    expect(verdictOf(limited.red, limited.blue, { protocol: tcp, port: 80 })).toBe('pass');
    expect(verdictOf(limited.blue, limited.red, { protocol: tcp, port: 80 })).toBe('deny');
  });

  it('the ports of the source end are those that the other side reaches by <>', () => {
    const { red, blue } = pair(rule('red', 'blue', { isBothWays: true, protocol: tcp, sourcePorts: [{ first: 53, last: 53 }] }));
    expect(verdictOf(blue, red, { protocol: tcp, port: 53 })).toBe('pass');
    expect(verdictOf(red, blue, { protocol: tcp, port: 53 })).toBe('deny');
  });

  it('a pass for some source ports passes nothing, a deny denies all', () => {
    const sourcePorts = [{ first: 53, last: 53 }];
    const passing = pair(rule('red', 'blue', { sourcePorts }));
    expect(verdictOf(passing.red, passing.blue, { protocol: tcp, port: 80 })).toBe('deny');
    const denying = pair(rule('red', 'blue', { sourcePorts, verdict: 'deny' }), rule('red', 'blue'));
    expect(verdictOf(denying.red, denying.blue, { protocol: tcp, port: 80 })).toBe('deny');
  });

  it('the first rule that matches decides', () => {
    const no = rule('red', 'blue', { verdict: 'deny', protocol: tcp, ...ports(20, 25) });
    const all = rule('red', 'blue');
    const denyFirst = pair(no, all);
    expect(verdictOf(denyFirst.red, denyFirst.blue, { protocol: tcp, port: 22 })).toBe('deny');
    expect(verdictOf(denyFirst.red, denyFirst.blue, { protocol: tcp, port: 80 })).toBe('pass');
    const passFirst = pair(all, no);
    expect(verdictOf(passFirst.red, passFirst.blue, { protocol: tcp, port: 22 })).toBe('pass');
  });

  it('policies apply in the order of their attachment', () => {
    const [no, yes] = [policy('no', rule('any', 'any', { verdict: 'deny', protocol: tcp, ...ports(80) })), policy('yes', rule('any', 'any'))];
    const of = (...order: NetworkPolicy[]): [NetworkPart, NetworkPart] => [whole(network('red', ...order)), whole(network('blue', yes))];
    expect(verdictOf(...of(no, yes), { protocol: tcp, port: 80 })).toBe('deny');
    expect(verdictOf(...of(yes, no), { protocol: tcp, port: 80 })).toBe('pass');
  });

  it('pass what the policies of both networks pass', () => {
    const red = whole(network('red', policy('r', rule('red', 'blue', { protocol: tcp, ...ports(80, 90) }))));
    const blue = whole(network('blue', policy('b', rule('red', 'blue', { protocol: tcp, ...ports(85, 100) }))));
    const passed = [80, 84, 85, 90, 91, 100].filter((port) => verdictOf(red, blue, { protocol: tcp, port }) === 'pass');
    expect(passed).toEqual([85, 90]);
  });

  it.each<[string, NetworkRule, boolean]>([
    ['any', rule('any', 'any'), true],
    ['local', rule('local', 'any'), false],
    ['another network', rule('red', 'green'), false],
    ['a policy of both', rule('policy shared', 'policy shared'), true],
    ['a policy of none', rule('policy other', 'any'), false],
  ])('ends: %s', (_name, given, passes) => {
    const { red, blue } = pair(given);
    expect(verdictOf(red, blue, { protocol: tcp, port: 80 })).toBe(passes ? 'pass' : 'deny');
  });

  it('local is the network to which the policy is attached', () => {
    const red = whole(network('red', policy('out', rule('local', 'any'))));
    const blue = whole(network('blue', policy('in', rule('any', 'local'))));
    expect(verdictOf(red, blue, { protocol: tcp, port: 80 })).toBe('pass');
    expect(verdictOf(blue, red, { protocol: tcp, port: 80 })).toBe('deny');
  });

  it('prefixes limit an end to a part of its network', () => {
    const limited = rule('red', 'blue', { destinations: [end('blue', '198.51.100.0/28')], protocol: tcp });
    const { red, blue } = pair(limited);
    expect(verdictOf(red, whole(blue.network, '198.51.100.0/28'), { protocol: tcp, port: 80 })).toBe('pass');
    expect(verdictOf(red, blue, { protocol: tcp, port: 80 })).toBe('deny');
  });
});

describe('within a network', () => {
  it('everything passes, unless a rule says otherwise', () => {
    const red = whole(network('red', policy('no', rule('local', 'local', { verdict: 'deny', protocol: tcp, ...ports(23) }))));
    expect(verdictOf(red, red, { protocol: tcp, port: 23 })).toBe('deny');
    expect(verdictOf(red, red, { protocol: tcp, port: 80 })).toBe('pass');
    expect(passesAll(compileConnections(whole(network('blue')), whole(network('blue'))))).toBe(true);
  });
});

describe('networks join', () => {
  const joins = (red: NetworkPart, blue: NetworkPart): boolean =>
    mayJoin(red, blue, [compileConnections(red, blue), compileConnections(blue, red)]);

  it.each<[string, NetworkRule[], boolean]>([
    ['a rule for one port one way', [rule('red', 'blue', { protocol: tcp, ...ports(80) })], true],
    ['a rule of the other way', [rule('blue', 'red')], true],
    ['no rule between them', [rule('red', 'green')], false],
    ['a deny alone', [rule('red', 'blue', { verdict: 'deny' })], false],
    ['a pass behind a deny of everything', [rule('any', 'any', { verdict: 'deny' }), rule('red', 'blue')], false],
    ['a pass beside a deny', [rule('red', 'blue', { verdict: 'deny', protocol: tcp }), rule('red', 'blue')], true],
    ['addresses alone', [rule('address', 'address')], false],
  ])('by %s', (_name, rules, want) => {
    const { red, blue } = pair(...rules);
    expect(joins(red, blue)).toBe(want);
  });

  it('only when both have a rule', () => {
    const shared = policy('shared', rule('red', 'blue'));
    expect(joins(whole(network('red', shared)), whole(network('blue')))).toBe(false);
  });
});

const names = ['red', 'blue', 'any', 'local', 'address', 'policy p', 'policy q'];
const somePort = fc.integer({ min: 0, max: 12 });
const someEnd = fc.record({
  name: fc.constantFrom(...names),
  prefixes: fc.oneof(fc.constant<string[]>([]), fc.constant(['198.51.100.0/24'])),
}).map(({ name, prefixes }) => end(name, ...prefixes));
const someRanges = fc.option(
  fc.array(fc.tuple(somePort, somePort).map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) })), { minLength: 1, maxLength: 2 }),
  { nil: undefined, freq: 2 },
);
const someRule: fc.Arbitrary<NetworkRule> = fc.record({
  name: fc.constantFrom('a', 'b', 'c', 'd'),
  isBothWays: fc.boolean(),
  sources: fc.array(someEnd, { minLength: 1, maxLength: 2 }),
  destinations: fc.array(someEnd, { minLength: 1, maxLength: 2 }),
  protocol: fc.constantFrom(any, tcp, udp),
  sourcePorts: someRanges,
  ports: someRanges,
  verdict: fc.constantFrom('pass', 'deny'),
});
const somePolicies = fc.array(
  fc.record({ name: fc.constantFrom('p', 'q'), rules: fc.array(someRule, { maxLength: 4 }) }),
  { maxLength: 2 },
);
const somePart = (name: string): fc.Arbitrary<NetworkPart> =>
  fc.record({
    network: fc.record({ name: fc.constant(name), policies: somePolicies }),
    prefixes: fc.constantFrom<readonly string[]>([], ['198.51.100.0/24']),
  });

describe('compiled rows', () => {
  it('say of every connection what the rules say, one after the other', () => {
    const parts = fc.oneof(
      fc.tuple(somePart('red'), somePart('blue')),
      somePart('red').map((part): [NetworkPart, NetworkPart] => [part, part]),
    );
    const connections = fc.array(fc.record({ protocol: fc.constantFrom(tcp, udp, icmp, 132), port: somePort }), { minLength: 15, maxLength: 15 });
    fc.assert(
      fc.property(parts, connections, ([from, to], probes) => {
        const rows = compileConnections(from, to);
        for (const { protocol, port } of probes) {
          const probe = { protocol, port: protocol === icmp ? 0 : port };
          expect(findConnectionRow(rows, probe)).toMatchObject(judgeConnection(from, to, probe));
        }
      }),
      { numRuns: 400 },
    );
  });
});
