import { formatAddress, formatMac, formatPrefix } from '@contrail/net';
import { toResource } from '@contrail/resource-model';
import type { DeepPartial, IpamSubnetType } from '@contrail/proto-gen/config/v1/resources';
import { testUuid } from '../../testing/cluster';
import { toModelObject } from './to-model-object';
import type { ModelObject, ModelType, ObjectOf } from './model-object';

const meta = { uuid: testUuid(0xabcdef01, 7), fqName: ['a', 'b'] };

function as<T extends ModelType>(type: T, object: ModelObject | undefined): ObjectOf<T> {
  if (object?.type !== type) throw new Error(`expected a ${type}, got ${object?.type ?? 'nothing'}`);
  return object as ObjectOf<T>;
}

it('an AliasIp without an address takes no part', () => {
  expect(toModelObject(toResource('alias-ip', { meta }))).toBeUndefined();
  const alias = as('alias-ip', toModelObject(toResource('alias-ip', { meta, aliasIpAddress: '192.0.2.9', virtualMachineInterfaceRefs: [{ uuid: testUuid(7, 1) }] })));
  expect([formatAddress(alias.address), alias.interfaceUuids]).toEqual(['192.0.2.9', [testUuid(7, 1)]]);
});

describe('subnets', () => {
  const subnetOf = (subnet: DeepPartial<IpamSubnetType>): string[] => {
    const ipam = as('network-ipam', toModelObject(toResource('network-ipam', { meta, ipamSubnets: { subnets: [subnet] } })));
    return ipam.subnets.flatMap(({ prefix, gateway, dnsServer }) => [
      formatPrefix(prefix),
      gateway ? formatAddress(gateway) : 'none',
      dnsServer ? formatAddress(dnsServer) : 'none',
    ]);
  };

  it.each([
    ['10.32.0.0', 12, ['10.32.0.0/12', '10.47.255.254', '10.47.255.253']],
    ['192.0.2.0', 31, ['192.0.2.0/31', 'none', 'none']],
    ['192.0.2.1', 32, ['192.0.2.1/32', 'none', 'none']],
    ['2001:db8::', 64, ['2001:db8::/64', '2001:db8::ffff:ffff:ffff:fffe', '2001:db8::ffff:ffff:ffff:fffd']],
  ])('%s/%i has gateway and DNS address from the top', (ipPrefix, ipPrefixLen, want) => {
    expect(subnetOf({ subnet: { ipPrefix, ipPrefixLen } })).toEqual(want);
  });

  it('keep the addresses that are written down', () => {
    const subnet = { ipPrefix: '10.0.0.0', ipPrefixLen: 24 };
    expect(subnetOf({ subnet, defaultGateway: '10.0.0.1', dnsServerAddress: '10.0.0.2' })).toEqual([
      '10.0.0.0/24',
      '10.0.0.1',
      '10.0.0.2',
    ]);
  });

  it('that are no prefixes are left out', () => {
    expect(subnetOf({ subnet: { ipPrefix: '10.0.0.0', ipPrefixLen: 33 } })).toEqual([]);
  });
});

describe('interfaces', () => {
  it('without a MAC address get the one that follows from their uuid, and are eth0', () => {
    const vmi = as('virtual-machine-interface', toModelObject(toResource('virtual-machine-interface', { meta })));
    expect(formatMac(vmi.mac)).toBe('02:ab:cd:ef:01:00');
    expect(vmi).toMatchObject({ containerInterface: 'eth0', isService: false, portSecurity: undefined });
  });

  it('of load balancers carry services', () => {
    const resource = toResource('virtual-machine-interface', {
      meta,
      virtualMachineInterfaceDeviceOwner: 'K8S:LOADBALANCER',
      virtualMachineInterfaceMacAddresses: { macAddress: ['02:00:5e:10:00:01'] },
    });
    const vmi = as('virtual-machine-interface', toModelObject(resource));
    expect(vmi.isService).toBe(true);
    expect(formatMac(vmi.mac)).toBe('02:00:5e:10:00:01');
  });

  it('of nested pods have a VLAN and a parent', () => {
    const resource = toResource('virtual-machine-interface', {
      meta,
      virtualMachineInterfaceProperties: { subInterfaceVlanTag: 100 },
      virtualMachineInterfaceRefs: [{ uuid: testUuid(7, 9) }],
    });
    const vmi = as('virtual-machine-interface', toModelObject(resource));
    expect(vmi).toMatchObject({ vlan: 100, parentUuid: testUuid(7, 9) });
  });
});

describe('nodes', () => {
  it('have the tunnel endpoint first and each address once', () => {
    const resource = toResource('virtual-router', {
      meta: { ...meta, fqName: ['default-global-system-config', 'node7'] },
      virtualRouterIpAddress: '192.0.2.7',
      virtualRouterIpAddresses: ['198.51.100.7', '192.0.2.7', 'nonsense'],
    });
    const router = as('virtual-router', toModelObject(resource));
    expect(router.name).toBe('node7');
    expect(router.addresses.map(formatAddress)).toEqual(['192.0.2.7', '198.51.100.7']);
  });
});

describe('the configuration of all vRouters', () => {
  it('has the first usable range of source ports and the timeouts of whole protocols', () => {
    const resource = toResource('global-vrouter-config', {
      meta,
      portTranslationPools: {
        portTranslationPool: [{ protocol: 'tcp', portCount: '1024' }, { portRange: { startPort: 56_000, endPort: 57_023 } }],
      },
      flowAgingTimeoutList: {
        flowAgingTimeout: [
          { protocol: 'tcp', timeoutInSeconds: 100 },
          { protocol: 'udp', port: 53, timeoutInSeconds: 5 },
        ],
      },
    });
    expect(as('global-vrouter-config', toModelObject(resource))).toMatchObject({
      snatPorts: { first: 56_000, last: 57_023 },
      flowTimeouts: [{ protocol: 'tcp', timeoutS: 100 }],
    });
  });
});

describe('load balancers', () => {
  it.each([
    ['of another provider', { loadbalancerProvider: 'opencontrail' }],
    ['switched off', { loadbalancerProvider: 'native', loadbalancerProperties: { adminState: false } }],
  ])('%s take no part', (_name, fields) => {
    expect(toModelObject(toResource('loadbalancer', { meta, ...fields }))).toBeUndefined();
  });

  it('have members that are ready unless they say otherwise', () => {
    const member = (endpointConditions: { ready?: boolean; terminating?: boolean }): ModelObject | undefined =>
      toModelObject(
        toResource('loadbalancer-member', {
          meta,
          loadbalancerMemberProperties: { address: '192.0.2.1', protocolPort: 80 },
          endpointConditions,
        }),
      );
    expect(member({})).toMatchObject({ ready: true, serving: true, terminating: false });
    expect(member({ ready: false, terminating: true })).toMatchObject({ ready: false, serving: false, terminating: true });
  });

  it('have no members without address or port', () => {
    const properties = [{ address: '', protocolPort: 80 }, { address: '192.0.2.1', protocolPort: 0 }];
    for (const loadbalancerMemberProperties of properties) {
      expect(toModelObject(toResource('loadbalancer-member', { meta, loadbalancerMemberProperties }))).toBeUndefined();
    }
  });
});
