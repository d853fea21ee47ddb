import { allowAll, policySetText } from '@contrail/policy';
import type { Subnet } from '../model/model-object';
import type { Limit } from './join-networks';

/** A virtual network with its VRF, and how it is connected. */
export interface Network {
  readonly uuid: string;
  readonly name: string;
  /** Uuid of the RoutingInstance: names the VRF in every unit and id. */
  readonly instance: string;
  readonly instanceName: string;
  /** Canonical text of the identity of its interfaces, but for parts of their own. */
  readonly identity: string;
  /** What policies tell apart, the whole rest first. */
  readonly parts: readonly [IdentityPart, ...IdentityPart[]];
  readonly baseVni: number;
  readonly maxFlows: number;
  readonly fabricSnat: boolean;
  readonly portSecurity: boolean;
  readonly subnets: readonly Subnet[];
  /** Uuid of the IPAM from whose flat subnets all addresses come; empty: they are the network's own. */
  readonly addressSpace: string;
  /** The network of the nodes themselves. */
  readonly isFabric: boolean;
  /** Whether anybody lives in it; nothing is ever looked up in the VRF of a network without interfaces. */
  readonly isPopulated: boolean;
  /** Uuids of the networks with which it exchanges routes. */
  readonly joined: ReadonlySet<string>;
  /** By the uuid of a joined network, or of its own: what policies do not let through. Absent: everything passes. */
  readonly limits: ReadonlyMap<string, Limit>;
}

/** Interfaces of a network that have the same identity. */
export interface IdentityPart {
  /** Narrowest prefix with their addresses that a policy names; empty for the rest of the network. */
  readonly prefix: string;
  /** Every prefix with their addresses that a policy names. */
  readonly prefixes: readonly string[];
  /** Canonical text of the identity. */
  readonly identity: string;
}

/** Text of the set of policies of interfaces that no policy limits. */
export const allowAllText = policySetText(allowAll);

/** Text of the set of policies that applies to a part of a network: one for each identity, but common to those without limits. */
export function policyTextOf({ limits, isFabric }: Network, { identity }: IdentityPart): string {
  if (limits.size === 0 || isFabric) return allowAllText;
  return policySetText({ ...allowAll, policies: [{ key: identity, rules: [] }] });
}
