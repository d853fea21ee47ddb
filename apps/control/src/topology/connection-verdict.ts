import { findConnectionRow } from '@contrail/policy';
import type { Connection, ConnectionVerdict } from '@contrail/policy';
import type { IdentityPart, Network } from './network';

export interface NetworkEnd {
  readonly network: Network;
  readonly part: IdentityPart;
}

/**
 * What contrailNetworkPolicies say of a connection between networks that exchange routes, or within one; the same rows are
 * in the verdict table of the sender. Nodes reach everything.
 */
export function connectionVerdict(from: NetworkEnd, to: NetworkEnd, connection: Connection): ConnectionVerdict {
  const limits = from.network.isFabric ? undefined : from.network.limits.get(to.network.uuid);
  const found = limits?.egress.find(({ own, peer }) => own === from.part.prefix && peer === to.part.prefix);
  return (found && findConnectionRow(found.rows, connection)) ?? { verdict: 'pass', name: '' };
}
