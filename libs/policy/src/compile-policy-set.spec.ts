import fc from 'fast-check';
import { policySetText } from './canonical-text';
import { compilePolicySet } from './compile-policy-set';
import { explain } from './explain';
import { covers, intersect, keyText, matches } from './match-key';
import type { Packet } from './match-key';
import { allowAll, any } from './policy-set';
import type { PolicyRule, PolicySet, Verdict } from './policy-set';

const TCP = 6;
const UDP = 17;

function rule(change: Partial<PolicyRule> & { readonly verdict: Verdict }): PolicyRule {
  return { name: 'r', direction: 'ingress', peers: [any], protocol: any, ports: undefined, ...change };
}

function setOf(...rules: PolicyRule[]): PolicySet {
  return { policies: [{ key: 'test', rules }], defaultVerdict: { ingress: 'deny', egress: 'pass' } };
}

function packet(change: Partial<Packet> = {}): Packet {
  return { direction: 'ingress', peerIdentity: 5, protocol: TCP, port: 80, ...change };
}

describe('compilePolicySet', () => {
  it('allow-all has no rows and passes both directions', () => {
    const table = compilePolicySet(allowAll);
    expect(table.rules).toEqual([]);
    for (const direction of ['ingress', 'egress'] as const) {
      expect(explain(table, packet({ direction }))).toEqual({ verdict: 'pass', rule: undefined, name: '' });
    }
  });

  it('names the rule that decided', () => {
    const table = compilePolicySet(
      setOf(rule({ name: 'web', peers: [5], protocol: TCP, ports: [{ first: 80, last: 81 }], verdict: 'pass' })),
    );
    expect(explain(table, packet({ port: 81 })).name).toBe('web');
    expect(explain(table, packet({ port: 82 }))).toMatchObject({ verdict: 'deny', rule: undefined, name: '' });
    expect(explain(table, packet({ peerIdentity: 6 })).verdict).toBe('deny');
  });

  it('a rule for everything becomes the default of its direction', () => {
    const table = compilePolicySet(setOf(rule({ name: 'all', verdict: 'pass' })));
    expect(table.rules).toEqual([]);
    expect(table.defaults).toEqual({
      ingress: { verdict: 'pass', name: 'all' },
      egress: { verdict: 'pass', name: '' },
    });
  });

  it('the first of two crossing rules decides what both match', () => {
    const peer = rule({ name: 'peer', peers: [5], verdict: 'deny' });
    const port = rule({ name: 'port', protocol: TCP, ports: [{ first: 80, last: 80 }], verdict: 'pass' });
    expect(explain(compilePolicySet(setOf(peer, port)), packet()).name).toBe('peer');
    expect(explain(compilePolicySet(setOf(port, peer)), packet()).name).toBe('port');
  });

  it('a wide rule before a narrow one hides it', () => {
    const table = compilePolicySet(
      setOf(
        rule({ name: 'wide', protocol: TCP, verdict: 'deny' }),
        rule({ name: 'narrow', peers: [5], protocol: TCP, ports: [{ first: 80, last: 80 }], verdict: 'pass' }),
      ),
    );
    expect(explain(table, packet()).name).toBe('wide');
  });

  it('ports of a rule for any protocol are those of TCP, UDP and SCTP', () => {
    const table = compilePolicySet(setOf(rule({ ports: [{ first: 80, last: 80 }], verdict: 'pass' })));
    expect(table.rules.map(({ protocol }) => protocol).sort((a, b) => a - b)).toEqual([6, 17, 132]);
    expect(explain(table, packet({ protocol: 1, port: 0 })).verdict).toBe('deny');
  });

  it('a rule with an empty list of peers matches nobody', () => {
    expect(compilePolicySet(setOf(rule({ peers: [], verdict: 'pass' }))).rules).toEqual([]);
  });

  it('refuses a table that would crowd out others', () => {
    const peers = Array.from({ length: 130 }, (_, i) => i + 1);
    const rules = peers.map((peer) => rule({ peers: [peer], verdict: 'pass' }));
    for (let port = 0; port < 130; port += 1) {
      rules.push(rule({ protocol: TCP, ports: [{ first: port, last: port }], verdict: 'deny' }));
    }
    expect(() => compilePolicySet(setOf(...rules))).toThrow(expect.objectContaining({ code: 'RESOURCE_EXHAUSTED' }));
  });
});

const smallPort = fc.integer({ min: 0, max: 12 });
const anyRule: fc.Arbitrary<PolicyRule> = fc.record({
  name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
  direction: fc.constantFrom('ingress', 'egress'),
  peers: fc.oneof(fc.constant([any]), fc.uniqueArray(fc.integer({ min: 1, max: 3 }), { maxLength: 3 })),
  protocol: fc.constantFrom(any, TCP, UDP),
  ports: fc.option(
    fc.array(
      fc.tuple(smallPort, smallPort).map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) })),
      { minLength: 1, maxLength: 2 },
    ),
    { nil: undefined },
  ),
  verdict: fc.constantFrom('pass', 'deny'),
});
const anySet: fc.Arbitrary<PolicySet> = fc.record({
  policies: fc.array(
    fc.record({ key: fc.constantFrom('p', 'q'), rules: fc.array(anyRule, { maxLength: 4 }) }),
    { maxLength: 3 },
  ),
  defaultVerdict: fc.record({ ingress: fc.constantFrom('pass', 'deny'), egress: fc.constantFrom('pass', 'deny') }),
});
const anyPacket: fc.Arbitrary<Packet> = fc.record({
  direction: fc.constantFrom('ingress', 'egress'),
  peerIdentity: fc.integer({ min: 1, max: 4 }),
  protocol: fc.constantFrom(TCP, UDP, 132),
  port: fc.integer({ min: 0, max: 14 }),
});

/** The meaning of ordered policies, written down a second time as plainly as possible. */
function firstMatch(set: PolicySet, { direction, peerIdentity, protocol, port }: Packet): Verdict {
  const found = set.policies
    .flatMap((policy) => policy.rules)
    .find(
      (candidate) =>
        candidate.direction === direction &&
        candidate.peers.some((peer) => peer === any || peer === peerIdentity) &&
        (candidate.protocol === any || candidate.protocol === protocol) &&
        (candidate.ports === undefined || candidate.ports.some(({ first, last }) => first <= port && port <= last)),
    );
  return found?.verdict ?? set.defaultVerdict[direction];
}

describe('compiled tables', () => {
  it('give the verdict of the first matching rule', () => {
    fc.assert(
      fc.property(anySet, fc.array(anyPacket, { minLength: 20, maxLength: 20 }), (set, packets) => {
        const table = compilePolicySet(set);
        for (const probe of packets) expect(explain(table, probe).verdict).toBe(firstMatch(set, probe));
      }),
      { numRuns: 300 },
    );
  });

  it('have exactly one most specific row for each packet, whatever is compared first', () => {
    fc.assert(
      fc.property(anySet, anyPacket, (set, probe) => {
        const rows = compilePolicySet(set).rules.filter((row) => matches(row, probe));
        const narrowest = rows.filter((row) => rows.every((other) => covers(other, row)));
        expect(narrowest).toHaveLength(rows.length === 0 ? 0 : 1);
      }),
      { numRuns: 300 },
    );
  });

  it('are equal for equal sets and number their rows without gaps', () => {
    fc.assert(
      fc.property(anySet, (set) => {
        const table = compilePolicySet(set);
        expect(compilePolicySet(structuredClone(set))).toEqual(table);
        expect(table.rules.map(({ id }) => id)).toEqual(table.rules.map((_, index) => index + 1));
        expect(table.name).toBe(policySetText(set));
      }),
    );
  });
});

describe('intersect', () => {
  it('matches what both match, and is undefined when that is nothing', () => {
    fc.assert(
      fc.property(anySet, anyPacket, (set, probe) => {
        const { rules } = compilePolicySet(set);
        const texts = new Set(rules.map(keyText));
        const wrong = rules.flatMap((a) => rules.map((b) => [a, b] as const)).filter(([a, b]) => {
          const common = intersect(a, b);
          const both = matches(a, probe) && matches(b, probe);
          return (common !== undefined && matches(common, probe)) !== both || (common && !texts.has(keyText(common)));
        });
        expect(wrong).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });
});
