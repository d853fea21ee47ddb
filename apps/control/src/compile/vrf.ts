import { addressKey } from '@contrail/net';
import type { Address } from '@contrail/net';
import type { CompileContext, CompiledEntry } from './compile-context';
import { hostsAt } from './hosts-at';
import { toAddressSpace, toBuffer } from './proto-values';
import { vrfScope } from './scopes';
import type { UnitOf } from './unit';
import { isOfCluster } from './cluster-network';
import type { Network } from '../topology/topology';

export function compileVrf(context: CompileContext, unit: UnitOf<'vrf'>): CompiledEntry | undefined {
  const network = context.topology.byInstance(unit.instance);
  const id = context.ids.get('vrf', unit.instance);
  if (network === undefined || id === undefined) return undefined;
  const value = {
    id,
    name: network.instanceName,
    virtualNetworkUuid: network.uuid,
    virtualNetworkName: network.name,
    vni: network.baseVni,
    maxFlows: network.maxFlows,
    // What everybody needs has no quota.
    tenant: !isOfCluster(network, context.settings),
    addressSpace: toAddressSpace(network),
    gatewayAddresses: ownAddresses(context, network).map(toBuffer),
  };
  return { scope: vrfScope(unit.instance), entry: { kind: { $case: 'vrf', value } } };
}

/** Gateways of the network's subnets, and their DNS addresses unless an interface or a service has them. */
function ownAddresses(context: CompileContext, network: Network): Address[] {
  const addresses = new Map<string, Address>();
  for (const { gateway, dnsServer } of network.subnets) {
    if (gateway !== undefined) addresses.set(addressKey(gateway), gateway);
    if (dnsServer !== undefined && !isTaken(context, network, dnsServer)) addresses.set(addressKey(dnsServer), dnsServer);
  }
  return [...addresses].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, address]) => address);
}

function isTaken(context: CompileContext, network: Network, address: Address): boolean {
  return hostsAt(context.model, address).some(
    ({ interface: { networkUuid }, isAlias }) => !isAlias && (networkUuid === network.uuid || network.joined.has(networkUuid)),
  );
}
