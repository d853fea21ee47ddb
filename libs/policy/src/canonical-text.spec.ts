import { identityText, policySetText } from './canonical-text';
import { allowAll } from './policy-set';
import type { PolicySet } from './policy-set';

const network = '5e1f0c9a-0000-4000-8000-000000000001';

describe('policySetText', () => {
  it('names the allow-all stage; the text is the key of its id and must never change', () => {
    expect(policySetText(allowAll)).toBe('ingress=pass;egress=pass');
  });

  it('keeps the order of policies, because it decides', () => {
    const set = (...keys: string[]): PolicySet => ({
      policies: keys.map((key) => ({ key, rules: [] })),
      defaultVerdict: { ingress: 'deny', egress: 'pass' },
    });
    expect(policySetText(set('a', 'b'))).toBe('ingress=deny;egress=pass;a;b');
    expect(policySetText(set('b', 'a'))).not.toBe(policySetText(set('a', 'b')));
  });
});

describe('identityText', () => {
  it('names a network without tags and groups; the text is the key of its id and must never change', () => {
    expect(identityText({ virtualNetworkUuid: network, tagUuids: [], securityGroupUuids: [] })).toBe(
      `network=${network}`,
    );
  });

  it('does not depend on the order or the number of mentions', () => {
    const text = `network=${network};tag=a;tag=b;group=c;group=d`;
    expect(
      identityText({ virtualNetworkUuid: network, tagUuids: ['b', 'a', 'b'], securityGroupUuids: ['d', 'c'] }),
    ).toBe(text);
  });
});
