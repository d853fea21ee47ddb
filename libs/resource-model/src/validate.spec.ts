import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { describe as nameOf, metaOf, setMeta, toResource } from './resource';
import type { PartialMessage, ResourceType } from './resource';
import { parentProblems, readOnlyProblems, validateResource } from './validate';

const uuid = '11111111-1111-4111-8111-111111111111';
const other = '22222222-2222-4222-8222-222222222222';

const parents: Partial<Record<ResourceType, string>> = {
  project: 'domain',
  'network-ipam': 'project',
  'virtual-network': 'project',
  'network-policy': 'project',
  'security-group': 'project',
  'virtual-machine-interface': 'project',
  'virtual-router': 'global-system-config',
  'loadbalancer-listener': 'project',
};

/** A valid object of the type with some fields on top. */
function valid<T extends ResourceType>(
  type: T,
  fields: object = {},
  fqName = ['d', 'p', 'x'],
): Resource {
  const parentType = parents[type] ?? '';
  const meta = { uuid, fqName, parentType, parentUuid: parentType === '' ? '' : other };
  return toResource(type, { ...fields, meta } as unknown as PartialMessage<T>);
}

const subnet = (fields: object): object => ({
  ipamSubnetMethod: 'flat-subnet',
  ipamSubnets: { subnets: [fields] },
});
const prefix = { ipPrefix: '10.0.0.0', ipPrefixLen: 24 };
const rule = (fields: object): object => ({
  networkPolicyEntries: { policyRule: [{ actionList: { simpleAction: 'pass' }, ...fields }] },
});

it.each<[string, Resource, string]>([
  [
    'a value outside the list',
    valid('virtual-network', { addressAllocationMode: 'x' }),
    'address_allocation_mode: is "x", but it must be one of user-defined-subnet-preferred, user-defined-subnet-only, flat-subnet-preferred, flat-subnet-only',
  ],
  [
    'a nested value outside the list',
    valid('virtual-network', { virtualNetworkProperties: { rpf: 'x' } }),
    'virtual_network_properties.rpf: is "x", but it must be one of enable, disable',
  ],
  [
    'a number outside the range',
    valid('virtual-network', { virtualNetworkProperties: { vxlanNetworkIdentifier: 16777216 } }),
    'virtual_network_properties.vxlan_network_identifier: is 16777216, but it must be 0 to 16777215',
  ],
  [
    'a bad address',
    valid('instance-ip', { instanceIpAddress: '10.0.0' }, ['x']),
    'instance_ip_address: is "10.0.0", but it must be an IP address such as 192.0.2.1 or 2001:db8::1',
  ],
  [
    'a bad MAC',
    valid('virtual-machine-interface', {
      virtualMachineInterfaceMacAddresses: { macAddress: ['zz'] },
    }),
    'virtual_machine_interface_mac_addresses.mac_address[0]: is "zz", but it must be a MAC address such as 02:00:5e:10:00:01',
  ],
  [
    'a bad route target',
    valid('virtual-network', { routeTargetList: { routeTarget: ['target:1'] } }),
    'route_target_list.route_target[0]: is "target:1", but it must be a route target such as target:64512:8000001',
  ],
  [
    'a route target object of another name',
    valid('route-target', {}, ['x']),
    'meta.fq_name: is "x", but it must be a route target such as target:64512:8000001',
  ],
  [
    'a family that is not that of the address',
    valid('instance-ip', { instanceIpAddress: '10.0.0.1', instanceIpFamily: 'v6' }, ['x']),
    'instance_ip_family: is v6, but 10.0.0.1 is v4; write v4',
  ],
  [
    'too many references',
    valid('virtual-machine-interface', { virtualNetworkRefs: [{ uuid }, { uuid: other }] }),
    'virtual_network_refs: has 2 references, but a virtual-machine-interface has at most 1; remove the others',
  ],
  [
    'a reference twice',
    valid('virtual-network', { virtualNetworkRefs: [{ uuid: other }, { uuid: other }] }),
    `virtual_network_refs[1]: refers to ${other} a second time; keep one reference`,
  ],
  [
    'a prefix that is none',
    valid('network-ipam', subnet({ subnet: { ipPrefix: '10.0.0.0', ipPrefixLen: 33 } })),
    'ipam_subnets.subnets[0].subnet: is "10.0.0.0/33", but it must be a prefix such as 10.32.0.0/12',
  ],
  [
    'a gateway outside the subnet',
    valid('network-ipam', subnet({ subnet: prefix, defaultGateway: '10.0.1.1' })),
    'ipam_subnets.subnets[0].default_gateway: 10.0.1.1 is outside 10.0.0.0/24; use an address of the subnet',
  ],
  [
    'a pool that ends before it starts',
    valid(
      'network-ipam',
      subnet({ subnet: prefix, allocationPools: [{ start: '10.0.0.9', end: '10.0.0.1' }] }),
    ),
    'ipam_subnets.subnets[0].allocation_pools[0]: start 10.0.0.9 is after end 10.0.0.1; exchange them',
  ],
  [
    'an allocation unit that is no power of two',
    valid('network-ipam', subnet({ subnet: prefix, allocUnit: 6 })),
    'ipam_subnets.subnets[0].alloc_unit: is 6, but it must be a power of two; write 4',
  ],
  [
    'subnets that overlap',
    valid('network-ipam', {
      ipamSubnetMethod: 'flat-subnet',
      ipamSubnets: {
        subnets: [{ subnet: prefix }, { subnet: { ipPrefix: '10.0.0.128', ipPrefixLen: 25 } }],
      },
    }),
    'ipam_subnets.subnets[1].subnet: 10.0.0.128/25 overlaps 10.0.0.0/24 of ipam_subnets.subnets[0]; use disjoint prefixes',
  ],
  [
    'subnets without the flat method',
    valid('network-ipam', { ipamSubnets: { subnets: [{ subnet: prefix }] } }),
    'ipam_subnets: is set, but ipam_subnet_method is ""; write flat-subnet, or put the subnets on the reference of the virtual network',
  ],
  [
    'ports in the wrong order',
    valid('network-policy', rule({ protocol: 'tcp', dstPorts: [{ startPort: 9, endPort: 5 }] })),
    'network_policy_entries.policy_rule[0].dst_ports[0]: start_port 9 is after end_port 5; exchange them',
  ],
  [
    'an unknown protocol',
    valid('network-policy', rule({ protocol: 'tpc' })),
    'network_policy_entries.policy_rule[0].protocol: is "tpc", but it must be one of any, icmp, igmp, tcp, egp, udp, rsvp, gre, esp, ah, icmp6, icmpv6, ipv6-icmp, ospf, pim, vrrp, pgm, sctp, udplite or a number to 255',
  ],
  [
    'a security group id of the automatic range',
    valid('security-group', { configuredSecurityGroupId: 8000000 }),
    'configured_security_group_id: is 8000000, but it must be 1 to 7999999; 0 lets config-api choose',
  ],
])('refuses %s', (_, resource, problem) => {
  expect(validateResource(resource)).toEqual([`${nameOf(resource)} ${problem}`]);
});

it.each<[string, Partial<ReturnType<typeof metaOf>>, string]>([
  ['no uuid', { uuid: '' }, 'meta.uuid: is "", but it must be a lower-case UUID as in RFC 4122'],
  [
    'an upper-case uuid',
    { uuid: uuid.toUpperCase().replace(/1/g, 'A') },
    'but it must be a lower-case UUID',
  ],
  [
    'no name',
    { fqName: [] },
    'meta.fq_name: is empty; write the names from the root, this object last',
  ],
  [
    'an empty part',
    { fqName: ['d', '', 'x'] },
    'meta.fq_name[1]: is empty; every part of a name needs text',
  ],
  [
    'a control character',
    { fqName: ['d', 'a\u001fb', 'x'] },
    'meta.fq_name[1]: contains a control character; use printable text',
  ],
  [
    'a long part',
    { fqName: ['d', 'p', 'x'.repeat(513)] },
    'meta.fq_name[2]: has 513 characters, but at most 512 are allowed',
  ],
  [
    'a wrong parent type',
    { parentType: 'domain' },
    'meta.parent_type: is "domain", but the parent of a virtual-network is a project; write that',
  ],
  [
    'no parent',
    { parentUuid: '' },
    'meta.parent_uuid: is "", but it must be the UUID of a project',
  ],
  [
    'large annotations',
    { annotations: { a: 'x'.repeat(70_000) } },
    'meta.annotations: have 70001 bytes, but at most 65536 are allowed; shorten them',
  ],
])('refuses %s', (_, meta, problem) => {
  const resource = valid('virtual-network');
  const problems = validateResource(setMeta(resource, { ...metaOf(resource), ...meta }));
  expect(problems).toEqual([expect.stringContaining(problem)]);
});

it('refuses a parent where the type has none', () => {
  const resource = valid('virtual-machine', {}, ['vm']);
  const problems = validateResource(
    setMeta(resource, { ...metaOf(resource), parentType: 'project', parentUuid: other }),
  );
  expect(problems[0]).toContain(
    'a virtual-machine has no parent; leave parent_type and parent_uuid empty',
  );
});

it.each([
  ['an object with everything empty', valid('virtual-network')],
  [
    '-1 for any port',
    valid('network-policy', rule({ protocol: 'any', dstPorts: [{ startPort: -1, endPort: -1 }] })),
  ],
  ['a numeric protocol', valid('network-policy', rule({ protocol: '47' }))],
  ['a name with colons', valid('route-target', {}, ['target:64512:8000001'])],
  [
    'a flat subnet repeated by identity',
    valid('virtual-network', {
      networkIpamRefs: [{ uuid: other, attr: { ipamSubnets: [{ subnetUuid: uuid }] } }],
    }),
  ],
  ['a /31', valid('network-ipam', subnet({ subnet: { ipPrefix: '10.0.0.0', ipPrefixLen: 31 } }))],
])('accepts %s', (_, resource) => {
  expect(validateResource(resource)).toEqual([]);
});

describe('a read-only field', () => {
  const stored = valid('virtual-network', { virtualNetworkNetworkId: 7 });

  it('may be left empty or repeated', () => {
    expect(readOnlyProblems(valid('virtual-network'), stored)).toEqual([]);
    expect(readOnlyProblems(stored, stored)).toEqual([]);
  });

  it('may not be chosen', () => {
    expect(
      readOnlyProblems(valid('virtual-network', { virtualNetworkNetworkId: 8 }), stored),
    ).toEqual([
      'VirtualNetwork/d:p:x virtual_network_network_id: is 8, but only config-api sets it (now 7); leave it empty',
    ]);
  });
});

it.each<[string[], ResourceType, string[], string[]]>([
  [['d', 'p', 'x'], 'project', ['d', 'p'], []],
  [['d'], 'config-root', ['config-root'], []],
  [['d', 'x'], 'project', ['d', 'p'], ['write d:p:x']],
  [['config-root', 'd'], 'config-root', ['config-root'], ['write d']],
])('the name %j below %s %j', (fqName, type, parent, want) => {
  const resource = valid('virtual-network', {}, fqName);
  const problems = parentProblems(resource, { type, fqName: parent });
  expect(problems.map((text) => text.slice(text.indexOf('write ')))).toEqual(want);
});
