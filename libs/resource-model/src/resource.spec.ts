import { decodeResource, encodeResource, toResource } from './resource';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';

const ipam = (name: string, ipPrefixLen: number): Resource =>
  toResource('network-ipam', {
    meta: { fqName: ['d', 'p', name], annotations: { owner: 'k8s' } },
    ipamSubnets: { subnets: [{ subnet: { ipPrefix: '192.0.2.0', ipPrefixLen } }] },
  });

describe('encoded resources', () => {
  it('keep their bytes when others are encoded after them', () => {
    const [short, long] = [ipam('a', 24), ipam('b'.repeat(2000), 25)];
    const bytes = encodeResource(short);
    encodeResource(long);
    expect(decodeResource(bytes)).toEqual(short);
    expect(decodeResource(encodeResource(long))).toEqual(long);
  });

  it('do not begin with what was left of one that could not be encoded', () => {
    const good = ipam('a', 24);
    const expected = encodeResource(good);
    expect(() => encodeResource(ipam('b', 2 ** 40))).toThrow();
    expect(encodeResource(good)).toEqual(expected);
  });
});
