import { compareAddresses } from '@contrail/net';
import type { InterfaceAddress } from '@contrail/proto-gen/control/v1/messages';
import { findSubnet } from '../model/to-subnet';
import type { InterfaceObject, VirtualMachineObject } from '../model/model-object';
import { policyTextOf } from '../topology/network';
import type { Network } from '../topology/topology';
import type { CompileContext, CompiledEntry } from './compile-context';
import { byPrecedence, identityPartOf } from './identity-part';
import { toBuffer, toProtoPrefix } from './proto-values';
import { nodeScope } from './scopes';
import type { UnitOf } from './unit';

/** Interface of a pod to which host ports lead. */
const defaultInterface = 'eth0';

/** An interface on its node; none as long as the pod is not scheduled or has no address. */
export function compileInterface(context: CompileContext, unit: UnitOf<'interface'>): CompiledEntry | undefined {
  const { model, topology, ids } = context;
  const vmi = model.get('virtual-machine-interface', unit.uuid);
  if (vmi === undefined || vmi.isService) return undefined;
  const machine = model.get('virtual-machine', vmi.machineUuid);
  const network = topology.networks.get(vmi.networkUuid);
  if (machine === undefined || machine.node === '' || network === undefined) return undefined;
  const addresses = addressesOf(context, vmi, network);
  if (addresses.length === 0) return undefined;
  const aliases = aliasesOf(context, vmi);
  const part = identityPartOf(context, network, vmi);
  const policy = policyTextOf(network, part);
  const value = {
    uuid: vmi.uuid,
    node: machine.node,
    vrf: ids.need('vrf', network.instance),
    identity: ids.need('identity', part.identity),
    policy: ids.need('policy', policy),
    mac: toBuffer(vmi.mac),
    addresses: [...addresses, ...aliases],
    allowedSources: vmi.allowedSources.map(toProtoPrefix),
    portSecurity: vmi.portSecurity ?? network.portSecurity,
    maxFlows: vmi.maxFlows,
    podUid: machine.uuid,
    podNamespace: vmi.podNamespace,
    podName: vmi.podName,
    containerInterface: vmi.containerInterface,
    hostPorts: vmi.containerInterface === defaultInterface ? hostPortsOf(machine) : [],
    vlan: vmi.vlan,
    parentUuid: vmi.parentUuid,
    networkPrefixes: aliases.length === 0 ? [] : network.subnets.map(({ prefix }) => toProtoPrefix(prefix)),
  };
  return {
    scope: nodeScope(machine.node),
    interest: { lookup: network.instance, policy },
    entry: { kind: { $case: 'interface', value } },
  };
}

/** The first is the pod's address: primary before secondary, IPv4 before IPv6. */
function addressesOf({ model }: CompileContext, vmi: InterfaceObject, network: Network): InterfaceAddress[] {
  return model
    .find('address by interface', vmi.uuid)
    .sort(byPrecedence)
    .map(({ address }) => {
      const subnet = findSubnet(network.subnets, address);
      return {
        address: toBuffer(address),
        gateway: Buffer.from(subnet?.gateway ?? []),
        prefixLength: subnet?.prefix.length ?? 8 * address.length,
        alias: false,
        dnsServer: Buffer.from(subnet?.dnsServer ?? []),
      };
    });
}

/** Of no subnet of the network: hosts of their own, without gateway. */
function aliasesOf({ model }: CompileContext, vmi: InterfaceObject): InterfaceAddress[] {
  return model
    .find('alias by interface', vmi.uuid)
    .sort((a, b) => compareAddresses(a.address, b.address))
    .map(({ address }) => ({
      address: toBuffer(address),
      gateway: Buffer.alloc(0),
      prefixLength: 8 * address.length,
      alias: true,
      dnsServer: Buffer.alloc(0),
    }));
}

function hostPortsOf(machine: VirtualMachineObject): {
  protocol: number;
  hostPort: number;
  containerPort: number;
  hostAddress: Buffer;
}[] {
  return machine.hostPorts.map((mapping) => ({ ...mapping, hostAddress: Buffer.from(mapping.hostAddress ?? []) }));
}
