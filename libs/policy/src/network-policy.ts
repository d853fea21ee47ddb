import type { PortRange, Verdict } from './policy-set';

/** The networks that one end of a rule of a contrailNetworkPolicy names. */
export type EndNetworks =
  | { readonly kind: 'any' }
  /** The network to which the policy is attached. */
  | { readonly kind: 'local' }
  /** fq_name joined by colons. */
  | { readonly kind: 'network'; readonly name: string }
  /** Every network to which the named policy is attached. */
  | { readonly kind: 'policy'; readonly name: string }
  /** Addresses alone: of whatever network, but they join none. */
  | { readonly kind: 'address' };

export interface RuleEnd {
  readonly networks: EndNetworks;
  /** Texts of the prefixes to which the end is limited; empty: every address. */
  readonly prefixes: readonly string[];
}

export interface NetworkRule {
  /** For people, in drop events and explanations. */
  readonly name: string;
  /** `<>`: the rule with its ends and ports exchanged stands beside it. */
  readonly isBothWays: boolean;
  /** One of them matches. */
  readonly sources: readonly RuleEnd[];
  /** One of them matches. */
  readonly destinations: readonly RuleEnd[];
  /** IP protocol number, or `any`. */
  readonly protocol: number;
  /** Undefined means all. */
  readonly sourcePorts: readonly PortRange[] | undefined;
  /** Undefined means all. */
  readonly ports: readonly PortRange[] | undefined;
  readonly verdict: Verdict;
}

/** Ordered rules: the first that matches decides. */
export interface NetworkPolicy {
  /** fq_name joined by colons. */
  readonly name: string;
  readonly rules: readonly NetworkRule[];
}

/** A virtual network as its policies see it. */
export interface PolicyNetwork {
  /** fq_name joined by colons. */
  readonly name: string;
  /** Those attached, in the order in which they apply. */
  readonly policies: readonly NetworkPolicy[];
}

/** The interfaces of a network whose address lies in exactly these of the prefixes that policies limit it to. */
export interface NetworkPart {
  readonly network: PolicyNetwork;
  /** Texts; empty for the rest of the network, and for networks of which no rule names prefixes. */
  readonly prefixes: readonly string[];
}

/** A connection, as its first packet shows it. */
export interface Connection {
  /** IP protocol number. */
  readonly protocol: number;
  /** Port on the receiving side; 0 for protocols without ports. */
  readonly port: number;
}
