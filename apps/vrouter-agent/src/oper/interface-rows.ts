import type { HostPort, Interface } from '@contrail/proto-gen/control/v1/messages';
import { parseUuid } from '@contrail/net';
import { checkedAddress, checkedMac, checkedNumber, checkedPrefix } from './checked';
import type { AttachedDevice, Facts } from './facts';
import { hostPortServices } from './host-port-services';
import { interfaceQuota } from './flow-quota';
import type { IpPrefix } from '../datapath/port';
import { noRows } from './unit-rows';
import type { UnitRows } from './unit-rows';

/**
 * Translates one interface of this node: its Vif, the sources that it may use, and the node's ports
 * that lead to it. Nothing until the device exists. The policy is 0 (drop everything) until
 * control has sent the table, so an interface is never open by accident.
 */
export function interfaceRows(entry: Interface, facts: Facts): UnitRows {
  if (entry.node !== facts.self) return noRows;
  const device = findDevice(entry, facts);
  if (!device) return noRows;
  const vif = { ifindex: device.ifindex, vlan: entry.vlan };
  const ports = [...entry.hostPorts.map(checkedHostPort), ...device.hostPorts];
  return {
    vifs: [
      [
        vif,
        {
          kind: 'pod',
          vrf: entry.vrf,
          identity: entry.identity,
          policy: facts.policyKnown(entry.policy) ? entry.policy : 0,
          portSecurity: entry.portSecurity,
          mac: checkedMac('interface.mac', entry.mac),
          mtu: device.mtu,
          maxFlows: interfaceQuota(entry.maxFlows, facts.local().flowCapacity),
          uuid: parseUuid(entry.uuid),
          addressesV4: severalV4(entry),
        },
      ],
    ],
    sources: allowedSources(entry).map((prefix) => ({ ...vif, prefix })),
    services: ports.length > 0 ? hostPortServices(entry, ports, facts) : [],
  };
}

/** A nested pod is on the device of its parent, under its VLAN tag. */
function findDevice(entry: Interface, facts: Facts): AttachedDevice | undefined {
  const nested = entry.vlan !== 0 && entry.parentUuid !== '';
  return facts.device(nested ? entry.parentUuid : entry.uuid);
}

/** Empty when there is but one: nobody can have asked another. */
function severalV4({ addresses }: Interface): Uint8Array[] {
  const all = addresses.map(({ address }) => Uint8Array.from(address)).filter(({ length }) => length === 4);
  return all.length > 1 ? all : [];
}

function allowedSources(entry: Interface): IpPrefix[] {
  const own = entry.addresses.map(({ address }) => ({
    address: checkedAddress('interface.addresses', address),
    length: address.length * 8,
  }));
  const more = entry.allowedSources.map((prefix) => checkedPrefix('interface.allowed_sources', prefix));
  return [...own, ...more];
}

function checkedHostPort(port: HostPort): HostPort {
  checkedNumber('interface.host_ports.host_port', port.hostPort, { min: 1, max: 65535 });
  checkedNumber('interface.host_ports.container_port', port.containerPort, { min: 1, max: 65535 });
  return port;
}
