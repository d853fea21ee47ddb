import { formatAddress, tryParseAddress } from '@contrail/net';
import { describe, findMessage, subnetsOf } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import type { ResourceStore } from '@contrail/store';
import { RestError } from '../http/rest-error';

/**
 * True for an InstanceIp that names the gateway of its network: it stands for a router's port, and ipam, which
 * keeps gateways, is not asked.
 *
 * @throws RestError 400 when the interface is a virtual machine's.
 */
export async function isGatewayPort(store: ResourceStore, resource: Resource): Promise<boolean> {
  const instanceIp = findMessage('instance-ip', resource);
  const address = instanceIp && tryParseAddress(instanceIp.instanceIpAddress);
  if (instanceIp === undefined || address === undefined) return false;
  const networks = instanceIp.virtualNetworkRefs.map(({ uuid }) => uuid);
  if (!(await gatewaysOf(store, networks)).has(formatAddress(address))) return false;
  const ports = await store.getMany(instanceIp.virtualMachineInterfaceRefs.map(({ uuid }) => uuid));
  for (const port of ports) {
    const vmi = port && findMessage('virtual-machine-interface', port);
    if (port === undefined || vmi === undefined || vmi.virtualMachineRefs.length === 0) continue;
    throw new RestError(
      400,
      `${describe(resource)} instance_ip_address: Gateway IP cannot be used by VM port: ${formatAddress(address)} is the ` +
        `network's gateway, and ${describe(port)} belongs to a virtual machine; choose another address`,
    );
  }
  return true;
}

async function gatewaysOf(store: ResourceStore, networkUuids: readonly string[]): Promise<Set<string>> {
  const networks = await store.getMany(networkUuids);
  const ipamUuids = networks.flatMap((network) =>
    (network && findMessage('virtual-network', network)?.networkIpamRefs) ?? []).map(({ uuid }) => uuid);
  const subnets = [...networks, ...(await store.getMany(ipamUuids))].flatMap(subnetsOf);
  return new Set(
    subnets.flatMap(({ defaultGateway }) => {
      const gateway = tryParseAddress(defaultGateway);
      return gateway === undefined ? [] : [formatAddress(gateway)];
    }),
  );
}
