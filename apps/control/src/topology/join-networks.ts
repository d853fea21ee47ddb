import { errorText } from '@contrail/errors';
import { compileConnections, mayJoin, passesAll, rulesNaming } from '@contrail/policy';
import type { ConnectionRow, PolicyNetwork, RuleEnd } from '@contrail/policy';
import { KeptResults } from './kept-results';
import type { NetworkWithPolicies, Part } from './policy-networks';
import type { RefusedLeak } from './refused-leak';

/** What policies say of connections from a part of one network to a part of another; see `compileConnections`. */
export interface PartLimit {
  /** Prefix of the part of the network itself; empty: the rest of it. */
  readonly own: string;
  /** Prefix of the part of its peer. */
  readonly peer: string;
  readonly rows: readonly ConnectionRow[];
}

/** Between a network and a peer, where not everything passes. Parts that are not listed pass everything. */
export interface Limit {
  readonly egress: readonly PartLimit[];
  readonly ingress: readonly PartLimit[];
}

/** From the uuid of a network to its peers; a peer without limit passes everything. Symmetric; a network is its own peer only with a limit. */
export type Joins = ReadonlyMap<string, ReadonlyMap<string, Limit | undefined>>;

/** What policies say of two networks: a limit for each side where they are joined, or why they cannot be. */
export type JoinedPair =
  | { readonly kind: 'joined'; readonly limit: Limit | undefined; readonly exchanged: Limit | undefined }
  | { readonly kind: 'apart' }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * Two networks are joined when each has, in the policies attached to it, a rule between the two that lets something pass
 * (R21 §2.2: both ends attached). Routes then go both ways, because answers need them; what of the traffic passes, the limits say.
 *
 * @param known pairs of the pass before: of networks that are the same objects nothing is compiled again.
 */
export function joinNetworks(
  networks: ReadonlyMap<string, NetworkWithPolicies>,
  known = new KeptResults<JoinedPair>(),
): { joins: Joins; refused: RefusedLeak[] } {
  const names = new NetworkNames(networks.values());
  const candidates = new Map<string, Set<string>>();
  for (const network of networks.values()) candidates.set(network.uuid, peersNamed(network, names));
  const joins = new Map([...networks.keys()].map((uuid) => [uuid, new Map<string, Limit | undefined>()]));
  const refused: RefusedLeak[] = [];
  for (const [uuid, peers] of candidates) {
    for (const peer of [...peers].sort()) {
      const [a, b] = [networks.get(uuid), networks.get(peer)];
      if (a === undefined || b === undefined || uuid > peer || candidates.get(peer)?.has(uuid) !== true) continue;
      const pair = known.get(`${uuid} ${peer}`, [a, b], () => joinPair(a, b));
      if (pair.kind === 'refused') refused.push({ networks: [a.name, b.name], reason: pair.reason });
      if (pair.kind !== 'joined' || (a === b && pair.limit === undefined)) continue;
      joins.get(uuid)?.set(peer, pair.limit);
      if (a !== b) joins.get(peer)?.set(uuid, pair.exchanged);
    }
  }
  return { joins, refused };
}

/** Rules that need too many verdicts join nothing: what they deny must not pass. */
function joinPair(a: NetworkWithPolicies, b: NetworkWithPolicies): JoinedPair {
  try {
    return judgePair(a, b);
  } catch (error) {
    return { kind: 'refused', reason: errorText(error) };
  }
}

function judgePair(a: NetworkWithPolicies, b: NetworkWithPolicies): JoinedPair {
  let isJoined = a === b;
  const [egress, ingress]: [PartLimit[], PartLimit[]] = [[], []];
  for (const own of a.parts) {
    for (const peer of b.parts) {
      const [out, into] = [compileConnections(own, peer), compileConnections(peer, own)];
      isJoined ||= mayJoin(own, peer, [out, into]);
      if (!passesAll(out)) egress.push(toLimit(own, peer, out));
      if (!passesAll(into)) ingress.push(toLimit(own, peer, into));
    }
  }
  if (!isJoined) return { kind: 'apart' };
  const limit = egress.length + ingress.length === 0 ? undefined : { egress, ingress };
  return { kind: 'joined', limit, exchanged: limit && exchanged(limit) };
}

function toLimit(own: Part, peer: Part, rows: readonly ConnectionRow[]): PartLimit {
  return { own: own.prefix, peer: peer.prefix, rows };
}

function exchanged({ egress, ingress }: Limit): Limit {
  const swap = ({ own, peer, rows }: PartLimit): PartLimit => ({ own: peer, peer: own, rows });
  return { egress: ingress.map(swap), ingress: egress.map(swap) };
}

/** Finds networks by their own name and by the names of policies attached to them. */
class NetworkNames {
  readonly all: string[] = [];
  readonly byName = new Map<string, string>();
  readonly byPolicyName = new Map<string, string[]>();

  constructor(networks: Iterable<NetworkWithPolicies>) {
    for (const { uuid, name, policies } of networks) {
      this.all.push(uuid);
      this.byName.set(name, uuid);
      for (const policy of policies) {
        if (this.byPolicyName.get(policy.name)?.push(uuid) === undefined) this.byPolicyName.set(policy.name, [uuid]);
      }
    }
  }
}

/** Networks at the other end of rules of a network's policies; itself too, when rules may speak of traffic within it. */
function peersNamed(network: NetworkWithPolicies, names: NetworkNames): Set<string> {
  const attached = new Set(network.policies.map(({ name }) => name));
  const peers = new Set<string>();
  const follow = (from: readonly RuleEnd[], to: readonly RuleEnd[]): void => {
    if (!from.some((end) => isEnd(end, network, attached))) return;
    for (const end of to) for (const peer of networksOf(end, network, names)) peers.add(peer);
  };
  for (const policy of network.policies) {
    for (const { sources, destinations } of rulesNaming(policy, network.name)) {
      follow(sources, destinations);
      follow(destinations, sources);
    }
  }
  return peers;
}

function isEnd({ networks }: RuleEnd, network: PolicyNetwork, attached: ReadonlySet<string>): boolean {
  switch (networks.kind) {
    case 'policy':
      return attached.has(networks.name);
    case 'network':
      return networks.name === network.name;
    case 'any':
    case 'local':
    case 'address':
      return true;
  }
}

function networksOf({ networks }: RuleEnd, network: NetworkWithPolicies, names: NetworkNames): readonly string[] {
  switch (networks.kind) {
    case 'any':
    case 'address':
      return names.all;
    case 'local':
      return [network.uuid];
    case 'policy':
      return names.byPolicyName.get(networks.name) ?? [];
    case 'network': {
      const uuid = names.byName.get(networks.name);
      return uuid === undefined ? [] : [uuid];
    }
  }
}
