import type { PolicySet } from './policy-set';

/** Names the set of policies for ever; equal sets, equal text. The key of its numeric id. */
export function policySetText(set: PolicySet): string {
  const { ingress, egress } = set.defaultVerdict;
  const defaults = `ingress=${ingress};egress=${egress}`;
  return [defaults, ...set.policies.map((policy) => policy.key)].join(';');
}

/** What makes interfaces equal before every policy. */
export interface IdentitySet {
  readonly virtualNetworkUuid: string;
  /** The narrowest prefix with its address to which some policy limits the network; empty when there is none. */
  readonly prefix?: string;
  /** Uuids of the tags that some policy mentions. */
  readonly tagUuids: readonly string[];
  /** Uuids of the security groups that some policy mentions. */
  readonly securityGroupUuids: readonly string[];
}

/** Names the identity for ever; the order of tags and groups does not matter. The key of its numeric id. */
export function identityText(identity: IdentitySet): string {
  const parts = [`network=${identity.virtualNetworkUuid}`];
  if (identity.prefix !== undefined && identity.prefix !== '') parts.push(`prefix=${identity.prefix}`);
  for (const tag of [...new Set(identity.tagUuids)].sort()) parts.push(`tag=${tag}`);
  for (const group of [...new Set(identity.securityGroupUuids)].sort()) parts.push(`group=${group}`);
  return parts.join(';');
}
