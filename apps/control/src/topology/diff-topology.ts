import { isDeepStrictEqual } from 'node:util';
import type { Limit } from './join-networks';
import type { Network, Topology } from './topology';

export interface TopologyDiff {
  /** Networks that appeared, left or changed in themselves; each as it was and as it is. */
  readonly networks: readonly NetworkChange[];
  /** Connections that appeared, left, or lead to a network that changed in a way that routes show. */
  readonly edges: readonly Edge[];
  /** Connections of which nothing is different but what policies let through; both ends had limits before, and have. */
  readonly limits: readonly Edge[];
}

export interface NetworkChange {
  readonly before: Network | undefined;
  readonly after: Network | undefined;
  /** Only in what policies let through to and from others: its verdicts are different, its interfaces are not. */
  readonly isOfLimits: boolean;
}

export interface Edge {
  readonly a: Network;
  readonly b: Network;
}

/** What differs between two topologies; an edge of both is listed as it was and as it is. Networks that are the same object cost nothing. */
export function diffTopology(before: Topology, after: Topology): TopologyDiff {
  const networks: NetworkChange[] = [];
  for (const uuid of new Set([...before.networks.keys(), ...after.networks.keys()])) {
    const [was, is] = [before.networks.get(uuid), after.networks.get(uuid)];
    if (!isDeepStrictEqual(was, is)) networks.push({ before: was, after: is, isOfLimits: differInLimits(was, is) });
  }
  const changed = networks.flatMap((pair) => pair.before?.uuid ?? pair.after?.uuid ?? []);
  return { networks, ...diffEdges(edgesOf(before, changed), edgesOf(after, changed)) };
}

/** Connections by the texts of their ends: equal text, equal routes across it. */
type Edges = ReadonlyMap<string, Edge>;

function diffEdges(old: Edges, current: Edges): Pick<TopologyDiff, 'edges' | 'limits'> {
  const edges = [...old].filter(([text]) => !current.has(text)).map(([, edge]) => edge);
  const limits: Edge[] = [];
  for (const [text, edge] of current) {
    const was = old.get(text);
    if (was === undefined) edges.push(edge);
    else if (!isDeepStrictEqual(limitOf(was), limitOf(edge))) (hadLimits(was) && hadLimits(edge) ? limits : edges).push(edge);
  }
  return { edges, limits };
}

/** Each connection of these networks once, those of a network with itself too. */
function edgesOf(topology: Topology, uuids: readonly string[]): Edges {
  const edges = new Map<string, Edge>();
  const add = (one: Network, other: Network): void => {
    const [a, b] = one.uuid < other.uuid ? [one, other] : [other, one];
    edges.set(`${endText(a)} ${endText(b)}`, { a, b });
  };
  for (const uuid of uuids) {
    const network = topology.networks.get(uuid);
    if (network === undefined) continue;
    add(network, network);
    for (const peer of topology.joinedWith(network)) add(network, peer);
  }
  return edges;
}

function differInLimits(before: Network | undefined, after: Network | undefined): boolean {
  if (before === undefined || after === undefined || !isLimited(before) || !isLimited(after)) return false;
  return isDeepStrictEqual({ ...before, limits: none }, { ...after, limits: none });
}

const none: Network['limits'] = new Map();

/** With the first limit a network gets a verdict table of its own. */
function isLimited({ limits }: Network): boolean {
  return limits.size > 0;
}

function hadLimits({ a, b }: Edge): boolean {
  return isLimited(a) && isLimited(b);
}

function endText({ uuid, instance, isPopulated, parts }: Network): string {
  return `${uuid}/${instance}/${isPopulated}/${parts.map(({ prefix }) => prefix).join()}`;
}

/** Services and verdicts across an edge depend on what policies let through there; mostly it is the same object. */
function limitOf({ a, b }: Edge): Limit | undefined {
  return a.limits.get(b.uuid);
}
