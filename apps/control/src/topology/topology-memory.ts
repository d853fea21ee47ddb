import type { JoinedPair } from './join-networks';
import { KeptResults } from './kept-results';
import type { Network } from './network';
import type { NetworkWithPolicies } from './policy-networks';

/** What is left of the topology before, so that a change costs what it concerns and not all networks. */
export class TopologyMemory {
  /** By the uuid of the network. */
  readonly surroundings = new KeptResults<NetworkWithPolicies>();
  /** By both uuids. */
  readonly pairs = new KeptResults<JoinedPair>();
  /** By the uuid of the network. */
  readonly networks = new KeptResults<Network>();

  begin(): void {
    for (const results of [this.surroundings, this.pairs, this.networks]) results.begin();
  }
}
