import { addressKey } from '@contrail/net';
import type { ModelObject, ModelType } from './model-object';

/** What objects can be found by, and the type of what is found. */
export const indexes = {
  'instance by network': 'routing-instance',
  'interface by network': 'virtual-machine-interface',
  'service interface by network': 'virtual-machine-interface',
  'interface by machine': 'virtual-machine-interface',
  'address by interface': 'instance-ip',
  'address by address': 'instance-ip',
  'alias by interface': 'alias-ip',
  'alias by address': 'alias-ip',
  'router by name': 'virtual-router',
  'router by address': 'virtual-router',
  'loadbalancer by interface': 'loadbalancer',
  'loadbalancer by name': 'loadbalancer',
  'listener by loadbalancer': 'loadbalancer-listener',
  'pool by listener': 'loadbalancer-pool',
  'member by pool': 'loadbalancer-member',
  'member by interface': 'loadbalancer-member',
  'member by machine': 'loadbalancer-member',
} as const satisfies Record<string, ModelType>;

export type IndexName = keyof typeof indexes;

/** Every index entry of an object. */
export function indexKeysOf(object: ModelObject): readonly (readonly [IndexName, string])[] {
  switch (object.type) {
    case 'network-ipam':
    case 'virtual-network':
    case 'network-policy':
    case 'global-vrouter-config':
    case 'virtual-machine':
      return [];
    case 'routing-instance':
      return object.isDefault ? [['instance by network', object.networkUuid]] : [];
    case 'virtual-router':
      return [
        ['router by name', object.name],
        ...object.addresses.map((address) => ['router by address', addressKey(address)] as const),
      ];
    case 'virtual-machine-interface':
      return [
        [object.isService ? 'service interface by network' : 'interface by network', object.networkUuid],
        ['interface by machine', object.machineUuid],
      ];
    case 'instance-ip':
      return [
        ['address by address', addressKey(object.address)],
        ...object.interfaceUuids.map((uuid) => ['address by interface', uuid] as const),
      ];
    case 'alias-ip':
      return [
        ['alias by address', addressKey(object.address)],
        ...object.interfaceUuids.map((uuid) => ['alias by interface', uuid] as const),
      ];
    case 'loadbalancer':
      return [
        ['loadbalancer by name', object.name],
        ...object.interfaceUuids.map((uuid) => ['loadbalancer by interface', uuid] as const),
      ];
    case 'loadbalancer-listener':
      return [['listener by loadbalancer', object.loadbalancerUuid]];
    case 'loadbalancer-pool':
      return [['pool by listener', object.listenerUuid]];
    case 'loadbalancer-member':
      return [
        ['member by pool', object.poolUuid],
        ['member by interface', object.interfaceUuid],
        ['member by machine', object.machineUuid],
      ];
  }
}
