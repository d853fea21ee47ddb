import { parseAddress } from '@contrail/net';
import { limitingPrefixes, prefixesAt } from './network-parts';
import type { NetworkPolicy, RuleEnd } from './network-policy';

function policy(...ends: RuleEnd[]): NetworkPolicy {
  const rest = { isBothWays: false, protocol: 0, sourcePorts: undefined, ports: undefined, verdict: 'pass' } as const;
  return { name: 'p', rules: [{ name: 'r', sources: ends, destinations: [], ...rest }] };
}

describe('limitingPrefixes', () => {
  it('are those of ends that name the network, or no particular one', () => {
    const found = policy(
      { networks: { kind: 'network', name: 'red' }, prefixes: ['198.51.100.0/24'] },
      { networks: { kind: 'network', name: 'blue' }, prefixes: ['203.0.113.0/24'] },
      { networks: { kind: 'address' }, prefixes: ['192.0.2.0/24', '198.51.100.0/24'] },
    );
    expect(limitingPrefixes([found], 'red')).toEqual(['192.0.2.0/24', '198.51.100.0/24']);
  });
});

describe('prefixesAt', () => {
  it('has the narrowest last', () => {
    const prefixes = ['198.51.100.128/25', '198.51.0.0/16', '198.51.100.0/24', '203.0.113.0/24'];
    expect(prefixesAt(prefixes, parseAddress('198.51.100.130'))).toEqual(['198.51.0.0/16', '198.51.100.0/24', '198.51.100.128/25']);
    expect(prefixesAt(prefixes, parseAddress('192.0.2.1'))).toEqual([]);
  });
});
