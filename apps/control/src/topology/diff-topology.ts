import { isDeepStrictEqual } from 'node:util';
import type { Network, Topology } from './topology';

export interface TopologyDiff {
  /** Networks that appeared, left or changed in themselves; each as it was and as it is. */
  readonly networks: readonly { readonly before: Network | undefined; readonly after: Network | undefined }[];
  /** Connections that appeared, left, or lead to a network that changed in a way that routes show. */
  readonly edges: readonly { readonly a: Network; readonly b: Network }[];
}

/** What differs between two topologies; an edge of both is listed as it was and as it is. */
export function diffTopology(before: Topology, after: Topology): TopologyDiff {
  const networks: { before: Network | undefined; after: Network | undefined }[] = [];
  for (const uuid of new Set([...before.networks.keys(), ...after.networks.keys()])) {
    const pair = { before: before.networks.get(uuid), after: after.networks.get(uuid) };
    if (!isDeepStrictEqual(pair.before, pair.after)) networks.push(pair);
  }
  const old = edgesOf(before);
  const current = edgesOf(after);
  const edges = [
    ...[...old].filter(([text]) => !current.has(text)),
    ...[...current].filter(([text]) => !old.has(text)),
  ].map(([, edge]) => edge);
  return { networks, edges };
}

/** Each connection once, those of a network with itself too; equal text: routes across it are equal. */
function edgesOf(topology: Topology): Map<string, { a: Network; b: Network }> {
  const edges = new Map<string, { a: Network; b: Network }>();
  const ends = new Map([...topology.networks.values()].map((network) => [network, endText(network)]));
  const add = (a: Network, b: Network): void => {
    edges.set(`${ends.get(a) ?? ''} ${ends.get(b) ?? ''} ${limitText(a, b)}`, { a, b });
  };
  for (const a of topology.networks.values()) {
    add(a, a);
    for (const b of topology.joinedWith(a)) if (a.uuid < b.uuid) add(a, b);
  }
  return edges;
}

function endText({ uuid, instance, isPopulated, parts }: Network): string {
  return `${uuid}/${instance}/${isPopulated}/${parts.map(({ prefix }) => prefix).join()}`;
}

/** Services and routes across an edge depend on what policies let through there. */
function limitText(a: Network, b: Network): string {
  const limit = a.limits.get(b.uuid);
  return limit === undefined ? '' : JSON.stringify(limit);
}
