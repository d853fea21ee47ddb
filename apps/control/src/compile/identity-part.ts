import { compareAddresses } from '@contrail/net';
import type { Address } from '@contrail/net';
import { prefixesAt } from '@contrail/policy';
import type { InstanceIpObject, InterfaceObject } from '../model/model-object';
import type { IdentityPart, Network } from '../topology/network';
import type { CompileContext } from './compile-context';

/** The part of its network that an interface belongs to, by its first address. */
export function identityPartOf({ model }: Pick<CompileContext, 'model'>, network: Network, vmi: InterfaceObject): IdentityPart {
  const [rest, ...limited] = network.parts;
  if (limited.length === 0) return rest;
  const [first] = model.find('address by interface', vmi.uuid).sort(byPrecedence);
  return first === undefined ? rest : identityPartAt(network, first.address);
}

/** The part of a network that has the address. */
export function identityPartAt({ parts }: Network, address: Address): IdentityPart {
  const [rest, ...limited] = parts;
  if (limited.length === 0) return rest;
  const prefix = prefixesAt(limited.map((part) => part.prefix), address).at(-1);
  return limited.find((part) => part.prefix === prefix) ?? rest;
}

/** Primary before secondary, IPv4 before IPv6. */
export function byPrecedence(a: InstanceIpObject, b: InstanceIpObject): number {
  return Number(a.secondary) - Number(b.secondary) || compareAddresses(a.address, b.address);
}
