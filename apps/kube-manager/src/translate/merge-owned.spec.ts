import type { PartialMessage } from '@contrail/resource-model';
import { fromResource, metaOf, setMeta, toResource, withFields } from '@contrail/resource-model';
import { uidOf } from '../../testing/kube-makers';
import { dependencyRank } from './dependency-order';
import { isStored, mergeOwned } from './merge-owned';

const meta = { uuid: uidOf('x', '', 'x'), fqName: ['default-domain', 'p', 'x'], parentType: 'project' };
const ref = (name: string): { uuid: string; fqName: string[] } => ({ uuid: uidOf('ref', '', name), fqName: [name] });

describe('mergeOwned', () => {
  it('leaves an object alone that config-api has completed', () => {
    const desired = toResource('instance-ip', { meta, instanceIpAddress: '192.0.2.1', instanceIpFamily: 'v4' });
    const stored = setMeta(withFields(desired, { instanceIpMode: 'active-active' }), {
      ...metaOf(desired),
      parentUuid: uidOf('p', '', 'p'),
      revision: 7n,
      idPerms: { ...{ permissions: undefined, uuid: undefined, description: '', creator: '' }, created: 'now', lastModified: 'now' },
    });
    expect(isStored(mergeOwned(desired, stored), stored)).toBe(true);
  });

  it('does not mind names inside references: uuids decide', () => {
    const network = (fqName: string[]): PartialMessage<'virtual-network'> => ({ meta, networkPolicyRefs: [{ ...ref('a'), fqName }] });
    const stored = toResource('virtual-network', network(['default-domain', 'p', 'a']));
    expect(isStored(mergeOwned(toResource('virtual-network', network([])), stored), stored)).toBe(true);
  });

  it('adds our policies to a network and keeps those of users, with their order', () => {
    const desired = toResource('virtual-network', { meta, networkPolicyRefs: [ref('ours')], fabricSnat: true });
    const stored = toResource('virtual-network', {
      meta,
      networkPolicyRefs: [{ ...ref('users'), attr: { sequence: { major: 5 } } }],
      fabricSnat: false,
      virtualNetworkProperties: { maxFlows: 1000, forwardingMode: 'l2_l3' },
    });
    const merged = fromResource('virtual-network', mergeOwned(desired, stored));
    expect(merged.networkPolicyRefs.map(({ uuid }) => uuid)).toEqual([ref('users').uuid, ref('ours').uuid]);
    expect(merged.networkPolicyRefs[0]?.attr?.sequence?.major).toBe(5);
    expect(merged.fabricSnat).toBe(true);
    expect(merged.virtualNetworkProperties).toMatchObject({ maxFlows: 1000, forwardingMode: 'l2_l3' });
  });

  it('keeps what is set on a subnet, adds a new one and drops one that is not configured any more', () => {
    const subnet = (ipPrefix: string, more: object = {}): object => ({ subnet: { ipPrefix, ipPrefixLen: 24 }, ...more });
    const make = (...subnets: object[]) => toResource('network-ipam', { meta, ipamSubnetMethod: 'flat-subnet', ipamSubnets: { subnets } });
    const stored = make(subnet('192.0.2.0', { subnetUuid: uidOf('s', '', '1'), exclusions: [{ ipPrefix: '192.0.2.8', ipPrefixLen: 29 }] }), subnet('203.0.113.0'));
    const merged = fromResource('network-ipam', mergeOwned(make(subnet('192.0.2.0'), subnet('198.51.100.0')), stored));
    expect(merged.ipamSubnets?.subnets.map((entry) => entry.subnet?.ipPrefix)).toEqual(['192.0.2.0', '198.51.100.0']);
    expect(merged.ipamSubnets?.subnets[0]?.exclusions).toHaveLength(1);
  });

  it('leaves rules of the default security group and port security to users', () => {
    const rules = { policyRule: [{ ruleUuid: 'users' }] };
    const group = mergeOwned(
      toResource('security-group', { meta, securityGroupEntries: { policyRule: [{ ruleUuid: 'ours' }] } }),
      toResource('security-group', { meta, securityGroupEntries: rules }),
    );
    expect(fromResource('security-group', group).securityGroupEntries?.policyRule[0]?.ruleUuid).toBe('users');
    const vmi = mergeOwned(
      toResource('virtual-machine-interface', { meta, portSecurityEnabled: true }),
      toResource('virtual-machine-interface', { meta, portSecurityEnabled: false }),
    );
    expect(fromResource('virtual-machine-interface', vmi).portSecurityEnabled).toBe(false);
  });

  it('empties the host ports when the last one goes', () => {
    const stored = toResource('virtual-machine', { meta, hostPortMappings: [{ protocol: 'TCP', hostPort: 80, containerPort: 80 }] });
    const merged = mergeOwned(toResource('virtual-machine', { meta }), stored);
    expect(fromResource('virtual-machine', merged).hostPortMappings).toEqual([]);
  });

  it('takes vm and vmi off a member that is no pod any more, and keeps annotations of users', () => {
    const stored = toResource('loadbalancer-member', { meta: { ...meta, annotations: { kind: 'Service', vm: '1', vmi: '2', users: 'own' } } });
    const merged = mergeOwned(toResource('loadbalancer-member', { meta: { ...meta, annotations: { kind: 'Service' } } }), stored);
    expect(metaOf(merged).annotations).toEqual({ kind: 'Service', users: 'own' });
  });
});

describe('dependencyRank', () => {
  it.each([
    ['project', 'virtual-network'],
    ['network-ipam', 'virtual-network'],
    ['network-policy', 'virtual-network'],
    ['virtual-machine', 'virtual-machine-interface'],
    ['security-group', 'virtual-machine-interface'],
    ['virtual-machine-interface', 'instance-ip'],
    ['virtual-machine-interface', 'loadbalancer'],
    ['loadbalancer', 'loadbalancer-listener'],
    ['loadbalancer-listener', 'loadbalancer-pool'],
    ['loadbalancer-pool', 'loadbalancer-member'],
  ] as const)('%s comes before %s', (first, second) => {
    expect(dependencyRank(first)).toBeLessThan(dependencyRank(second));
  });
});
