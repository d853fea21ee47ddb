import { backReferencesOf, childTypesOf, goesWithParent } from './relations';
import { typeNames } from './resource';
import {
  findRestType,
  parseRestType,
  restBackReferenceField,
  restChildrenField,
  restPlural,
  restProperties,
} from './rest-names';

it('spells irregular names as the original does', () => {
  expect(restPlural('network-policy')).toBe('network-policys');
  expect(restPlural('virtual-dns')).toBe('virtual-DNSs');
  expect(restChildrenField('virtual-dns-record')).toBe('virtual_DNS_records');
  expect(restBackReferenceField('network-ipam')).toBe('network_ipam_back_refs');
});

it('finds a type by hyphens and underscores, not by another case', () => {
  expect(findRestType('virtual-DNS')).toBe('virtual-dns');
  expect(findRestType('virtual_machine_interface')).toBe('virtual-machine-interface');
  expect(findRestType('virtual-dns')).toBeUndefined();
  expect(() => parseRestType('physical-router')).toThrow('physical-router');
});

it('has a REST name for every type', () => {
  for (const type of typeNames) expect(findRestType(restPlural(type).slice(0, -1))).toBe(type);
});

it('knows the children of a type', () => {
  expect(childTypesOf('virtual-network')).toEqual([
    'routing-instance',
    'floating-ip-pool',
    'alias-ip-pool',
    'access-control-list',
  ]);
  expect(childTypesOf('virtual-dns-record')).toEqual([]);
});

it('knows who may refer to a type', () => {
  const referrers = backReferencesOf('network-ipam').map(({ from }) => from);
  expect(referrers.sort()).toEqual(['instance-ip', 'virtual-network', 'virtual-router']);
});

it.each([
  ['routing-instance', 'red', 'virtual-network', true],
  ['floating-ip-pool', 'public', 'virtual-network', false],
  ['application-policy-set', 'default-application-policy-set', 'project', true],
  ['application-policy-set', 'web', 'project', false],
] as const)('deletes %s %s with its %s: %s', (type, name, parent, goes) => {
  expect(goesWithParent({ type, name }, parent)).toBe(goes);
});

it('keeps what the original lacks out of REST', () => {
  const names = restProperties('virtual-router').map(({ name }) => name);
  expect(names).toContain('virtual_router_ip_address');
  expect(names).not.toContain('kube_node_name');
});
