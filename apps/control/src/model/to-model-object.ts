import { addressEquals, macFromUuid, parseMac, tryParseAddress } from '@contrail/net';
import type { Address } from '@contrail/net';
import type {
  AliasIp,
  GlobalVrouterConfig,
  InstanceIp,
  Meta,
  NetworkIpam,
  Resource,
  RoutingInstance,
  VirtualMachine,
  VirtualMachineInterface,
  VirtualNetwork,
  VirtualRouter,
} from '@contrail/proto-gen/config/v1/resources';
import { routeConflictKey, tryToPrefix } from '@contrail/resource-model';
import { toListener, toLoadbalancer, toMember, toPool } from './loadbalancer-objects';
import type {
  AliasIpObject,
  GlobalVrouterConfigObject,
  InstanceIpObject,
  InterfaceObject,
  ModelObject,
  NetworkIpamObject,
  RoutingInstanceObject,
  VirtualMachineObject,
  VirtualNetworkObject,
  VirtualRouterObject,
} from './model-object';
import { toProtocolNumber } from './protocol-number';
import { attachedPolicies, toNetworkPolicy } from './to-network-policy';
import { toSubnet } from './to-subnet';

/** R21's mark of an interface that carries the address of a service. */
const loadbalancerOwner = 'K8S:LOADBALANCER';

/**
 * Copies what forwarding needs of a resource.
 *
 * @returns undefined for types that forwarding does not depend on, and for objects that cannot take
 *   part in it (an InstanceIp without an address, a load balancer of another provider).
 */
export function toModelObject(resource: Resource): ModelObject | undefined {
  const kind = resource.kind;
  const meta = kind?.value.meta;
  if (kind === undefined || meta === undefined) return undefined;
  switch (kind.$case) {
    case 'networkIpam':
      return toNetworkIpam(meta, kind.value);
    case 'virtualNetwork':
      return toVirtualNetwork(meta, kind.value);
    case 'routingInstance':
      return toRoutingInstance(meta, kind.value);
    case 'networkPolicy':
      return toNetworkPolicy(meta, kind.value);
    case 'globalVrouterConfig':
      return toGlobalVrouterConfig(meta, kind.value);
    case 'virtualRouter':
      return toVirtualRouter(meta, kind.value);
    case 'virtualMachine':
      return toVirtualMachine(meta, kind.value);
    case 'virtualMachineInterface':
      return toInterface(meta, kind.value);
    case 'instanceIp':
      return toInstanceIp(meta, kind.value);
    case 'aliasIp':
      return toAliasIp(meta, kind.value);
    case 'loadbalancer':
      return toLoadbalancer(meta, kind.value);
    case 'loadbalancerListener':
      return toListener(meta, kind.value);
    case 'loadbalancerPool':
      return toPool(meta, kind.value);
    case 'loadbalancerMember':
      return toMember(meta, kind.value);
    default:
      return undefined;
  }
}

function toNetworkIpam(meta: Meta, ipam: NetworkIpam): NetworkIpamObject {
  const subnets = (ipam.ipamSubnets?.subnets ?? []).flatMap((subnet) => toSubnet(subnet) ?? []);
  return { type: 'network-ipam', uuid: meta.uuid, subnets };
}

function toVirtualNetwork(meta: Meta, network: VirtualNetwork): VirtualNetworkObject {
  return {
    type: 'virtual-network',
    uuid: meta.uuid,
    name: meta.fqName.join(':'),
    networkId: network.virtualNetworkNetworkId,
    maxFlows: network.virtualNetworkProperties?.maxFlows ?? 0,
    fabricSnat: network.fabricSnat ?? false,
    portSecurity: network.portSecurityEnabled ?? true,
    ipams: network.networkIpamRefs.map(({ uuid, attr }) => ({
      uuid,
      subnets: (attr?.ipamSubnets ?? []).flatMap((subnet) => toSubnet(subnet) ?? []),
    })),
    policyUuids: attachedPolicies(network),
    conflict: meta.annotations[routeConflictKey] ?? '',
  };
}

function toRoutingInstance(meta: Meta, instance: RoutingInstance): RoutingInstanceObject {
  return {
    type: 'routing-instance',
    uuid: meta.uuid,
    name: meta.fqName.join(':'),
    networkUuid: meta.parentUuid,
    isDefault: instance.routingInstanceIsDefault ?? false,
  };
}

function toGlobalVrouterConfig(meta: Meta, config: GlobalVrouterConfig): GlobalVrouterConfigObject {
  const timeouts = config.flowAgingTimeoutList?.flowAgingTimeout ?? [];
  const ranges = config.portTranslationPools?.portTranslationPool ?? [];
  const ports = ranges
    .map(({ portRange }) => ({ first: portRange?.startPort ?? 0, last: portRange?.endPort ?? 0 }))
    .find(({ first, last }) => first >= 1 && last >= first && last <= 65_535);
  return {
    type: 'global-vrouter-config',
    uuid: meta.uuid,
    // The agent's timeouts are for a whole protocol.
    flowTimeouts: timeouts
      .filter(({ port, protocol }) => port === 0 && protocol !== '')
      .map(({ protocol, timeoutInSeconds }) => ({ protocol, timeoutS: timeoutInSeconds })),
    snatPorts: ports,
  };
}

function toVirtualRouter(meta: Meta, router: VirtualRouter): VirtualRouterObject {
  const addresses: Address[] = [];
  for (const text of [router.virtualRouterIpAddress, ...router.virtualRouterIpAddresses]) {
    const address = tryParseAddress(text);
    if (address && !addresses.some((known) => addressEquals(known, address))) addresses.push(address);
  }
  return { type: 'virtual-router', uuid: meta.uuid, name: meta.fqName.at(-1) ?? '', addresses };
}

function toVirtualMachine(meta: Meta, machine: VirtualMachine): VirtualMachineObject {
  return {
    type: 'virtual-machine',
    uuid: meta.uuid,
    node: machine.kubeNodeName,
    hostPorts: machine.hostPortMappings.flatMap(({ protocol, hostPort, containerPort, hostIp }) => {
      const number = toProtocolNumber(protocol);
      if (number === undefined || hostPort === 0 || containerPort === 0) return [];
      return [{ protocol: number, hostPort, containerPort, hostAddress: tryParseAddress(hostIp) }];
    }),
  };
}

function toInterface(meta: Meta, vmi: VirtualMachineInterface): InterfaceObject {
  const properties = vmi.virtualMachineInterfaceProperties;
  const vlan = properties?.subInterfaceVlanTag ?? 0;
  const pairs = vmi.virtualMachineInterfaceAllowedAddressPairs?.allowedAddressPair ?? [];
  return {
    type: 'virtual-machine-interface',
    uuid: meta.uuid,
    networkUuid: vmi.virtualNetworkRefs[0]?.uuid ?? '',
    machineUuid: vmi.virtualMachineRefs[0]?.uuid ?? '',
    isService: vmi.virtualMachineInterfaceDeviceOwner === loadbalancerOwner,
    mac: toMac(vmi.virtualMachineInterfaceMacAddresses?.macAddress[0], meta.uuid),
    allowedSources: pairs.flatMap(({ ip }) => tryToPrefix(ip) ?? []),
    portSecurity: vmi.portSecurityEnabled,
    maxFlows: properties?.maxFlows ?? 0,
    containerInterface: vmi.containerInterfaceName === '' ? 'eth0' : vmi.containerInterfaceName,
    podNamespace: meta.annotations['namespace'] ?? '',
    podName: meta.annotations['name'] ?? '',
    vlan,
    parentUuid: vlan === 0 ? '' : (vmi.virtualMachineInterfaceRefs[0]?.uuid ?? ''),
  };
}

/** config-api validated both texts; an absent MAC is derived as everywhere. */
function toMac(text: string | undefined, uuid: string): Uint8Array {
  return text === undefined || text === '' ? macFromUuid(uuid) : parseMac(text);
}

function toInstanceIp(meta: Meta, instanceIp: InstanceIp): InstanceIpObject | undefined {
  const address = tryParseAddress(instanceIp.instanceIpAddress);
  if (address === undefined) return undefined;
  return {
    type: 'instance-ip',
    uuid: meta.uuid,
    address,
    secondary: instanceIp.instanceIpSecondary ?? false,
    interfaceUuids: instanceIp.virtualMachineInterfaceRefs.map(({ uuid }) => uuid),
  };
}

function toAliasIp(meta: Meta, aliasIp: AliasIp): AliasIpObject | undefined {
  const address = tryParseAddress(aliasIp.aliasIpAddress);
  if (address === undefined) return undefined;
  const interfaceUuids = aliasIp.virtualMachineInterfaceRefs.map(({ uuid }) => uuid);
  return { type: 'alias-ip', uuid: meta.uuid, address, interfaceUuids };
}
