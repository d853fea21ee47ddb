import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { toResource } from './resource';
import type { PartialMessage, ResourceType } from './resource';
import { conflictProblems } from './type-rules';
import { validateResource } from './validate';

const uuid = '11111111-1111-4111-8111-111111111111';
const meta = { uuid, fqName: ['d', 'p', 'x'], parentType: 'project', parentUuid: uuid };

function valid<T extends ResourceType>(type: T, fields: object): Resource {
  return toResource(type, { ...fields, meta } as unknown as PartialMessage<T>);
}

const anywhere = { subnet: { ipPrefix: '0.0.0.0', ipPrefixLen: 0 } };
const local = { securityGroup: 'local' };
const group = (...rules: object[]): Resource =>
  valid('security-group', {
    securityGroupEntries: {
      policyRule: rules.map((rule) => ({
        ...{ protocol: 'tcp', ethertype: 'IPv4', srcAddresses: [local], dstAddresses: [anywhere] },
        ...rule,
      })),
    },
  });
const policy = (...rules: object[]): Resource =>
  valid('network-policy', {
    networkPolicyEntries: {
      policyRule: rules.map((rule) => ({ protocol: 'any', actionList: { simpleAction: 'pass' }, ...rule })),
    },
  });

it.each<[string, Resource, string]>([
  ['a rule without action', policy({ actionList: undefined }), 'network_policy_entries.policy_rule[0].action_list: is missing'],
  ['a security group in a network policy', policy({ srcAddresses: [local] }), 'src_addresses[0].security_group: is "local", but a network policy cannot name'],
  ['a rule without the protected interface', group({ srcAddresses: [anywhere] }), 'security_group_entries.policy_rule[0]: at least one of src_addresses and dst_addresses must be'],
  ['a prefix of the other family', group({ ethertype: 'IPv6' }), 'dst_addresses[0].subnet: 0.0.0.0/0 does not match ethertype IPv6; write IPv4'],
  ['a protocol that nobody knows', group({ protocol: 'foo' }), 'protocol: is "foo", but it must be one of any, icmp'],
  ['a number that is no protocol', group({ protocol: '256' }), 'protocol: is "256"'],
])('refuses %s', (_, resource, problem) => {
  expect(validateResource(resource)).toEqual([expect.stringContaining(problem)]);
});

it.each([
  ['a protocol by name, in any case', group({ protocol: 'GRE' })],
  ['rules that differ', group({}, { protocol: 'udp' })],
  ['an object without rules', valid('security-group', {})],
])('accepts %s', (_, resource) => {
  expect(validateResource(resource)).toEqual([]);
});

it('calls a repeated rule a conflict, whatever the uuids are', () => {
  const problem = [expect.stringContaining('policy_rule[1]: Rule already exists : a')];
  expect(conflictProblems(group({ ruleUuid: 'a' }, { ruleUuid: 'b' }))).toEqual(problem);
  expect(conflictProblems(policy({ ruleUuid: 'a' }, {}))).toEqual(problem);
});

const network = (subnet: object): Resource =>
  valid('virtual-network', {
    networkIpamRefs: [
      { uuid, attr: { ipamSubnets: [{ subnet: { ipPrefix: '10.0.0.0', ipPrefixLen: 24 }, ...subnet }] } },
    ],
  });

it.each<[string, object, string]>([
  ['a gateway outside', { defaultGateway: '10.0.1.1' }, 'default_gateway: 10.0.1.1 is outside 10.0.0.0/24'],
  ['a gateway that is no address', { defaultGateway: 'x' }, 'default_gateway: is "x"'],
  ['a DNS address that is none', { dnsServerAddress: 'x' }, 'dns_server_address: is "x"'],
  ['a pool outside', { allocationPools: [{ start: '10.0.1.1', end: '10.0.0.9' }] }, 'allocation_pools[0].start: 10.0.1.1 is outside'],
  ['a pool that ends before it starts', { allocationPools: [{ start: '10.0.0.9', end: '10.0.0.1' }] }, 'start 10.0.0.9 is after end 10.0.0.1'],
])('calls %s a conflict', (_, subnet, problem) => {
  expect(conflictProblems(network(subnet))[0]).toContain(problem);
});

it('accepts a DNS address elsewhere, and no gateway', () => {
  expect(validateResource(network({ dnsServerAddress: '192.0.2.1', defaultGateway: '0.0.0.0' }))).toEqual([]);
});
