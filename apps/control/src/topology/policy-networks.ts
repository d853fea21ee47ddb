import { limitingPrefixes, identityText, prefixesAt } from '@contrail/policy';
import type { NetworkPart, NetworkPolicy, PolicyNetwork } from '@contrail/policy';
import { parsePrefix, prefixesOverlap } from '@contrail/net';
import { KeptResults } from './kept-results';
import type { Model } from '../model/model';
import type { Subnet, VirtualNetworkObject } from '../model/model-object';

/** Interfaces of a network that policies tell apart by their address, and so have an identity of their own. */
export interface Part extends NetworkPart {
  /** Narrowest of the prefixes; empty for the rest of the network. */
  readonly prefix: string;
  /** Canonical text of the identity. */
  readonly identity: string;
}

/** A network with its policies and its parts, the whole rest first. */
export interface NetworkWithPolicies extends PolicyNetwork {
  readonly uuid: string;
  readonly parts: readonly [Part, ...Part[]];
  readonly subnets: readonly Subnet[];
}

/**
 * Every network as its policies see it, by uuid.
 *
 * @param known those of the pass before; the same object means that nothing about the network is different.
 */
export function networksWithPolicies(model: Model, known = new KeptResults<NetworkWithPolicies>()): Map<string, NetworkWithPolicies> {
  const networks = new Map<string, NetworkWithPolicies>();
  const attached = new Set<NetworkPolicy>();
  for (const network of model.all('virtual-network')) {
    for (const policy of policiesOf(network, model)) attached.add(policy);
  }
  const limiting = [...attached].filter(limitsAnything);
  for (const network of model.all('virtual-network')) {
    const { uuid, name } = network;
    const policies = policiesOf(network, model);
    const subnets = subnetsOf(network, model);
    const prefixes = limitingPrefixes(limiting, name).filter((text) => isInside(text, subnets));
    const inputs = [network, ...policies, ...network.ipams.map((ipam) => model.get('network-ipam', ipam.uuid)), prefixes.join()];
    const result = known.get(uuid, inputs, () => ({ uuid, name, policies, subnets, parts: partsOf({ uuid, name, policies }, prefixes) }));
    networks.set(uuid, result);
  }
  return networks;
}

function policiesOf({ policyUuids }: VirtualNetworkObject, model: Model): NetworkPolicy[] {
  return policyUuids.flatMap((uuid) => model.get('network-policy', uuid) ?? []);
}

function subnetsOf({ ipams }: VirtualNetworkObject, model: Model): Subnet[] {
  return ipams.flatMap((ipam) => [...ipam.subnets, ...(model.get('network-ipam', ipam.uuid)?.subnets ?? [])]);
}

function limitsAnything({ rules }: NetworkPolicy): boolean {
  return rules.some(({ sources, destinations }) => [...sources, ...destinations].some(({ prefixes }) => prefixes.length > 0));
}

function isInside(text: string, subnets: readonly Subnet[]): boolean {
  const limit = parsePrefix(text);
  return subnets.some(({ prefix }) => prefixesOverlap(limit, prefix));
}

function partsOf(network: PolicyNetwork & { readonly uuid: string }, prefixes: readonly string[]): [Part, ...Part[]] {
  const partAt = (prefix: string, around: readonly string[]): Part => {
    const identity = identityText({ virtualNetworkUuid: network.uuid, prefix, tagUuids: [], securityGroupUuids: [] });
    return { network, prefix, prefixes: around, identity };
  };
  // Prefixes contain each other or have nothing in common: the narrowest one says which others there are.
  const limited = prefixes.map((prefix) => partAt(prefix, prefixesAround(prefixes, prefix)));
  return [partAt('', []), ...limited];
}

function prefixesAround(prefixes: readonly string[], inner: string): string[] {
  const { address, length } = parsePrefix(inner);
  return prefixesAt(prefixes, address).filter((text) => parsePrefix(text).length <= length);
}
