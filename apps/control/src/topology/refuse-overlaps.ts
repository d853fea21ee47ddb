import { formatPrefix, prefixesOverlap } from '@contrail/net';
import type { Prefix } from '@contrail/net';
import type { Subnet } from '../model/model-object';
import type { Joins, Limit } from './join-networks';
import type { RefusedLeak } from './refused-leak';

export interface AddressedNetwork {
  readonly uuid: string;
  readonly name: string;
  readonly subnets: readonly Subnet[];
  /** Of networks with the same one no two ends share an address, whatever their subnets; empty: none. */
  readonly addressSpace: string;
  /** Whether its routes are looked up by pods that belong to it. */
  readonly hasPods: boolean;
}

/**
 * Takes apart networks that would have routes to equal addresses: two whose own prefixes overlap, and of the networks joined
 * with a third one those that overlap one joined with it already; networks of the cluster's address pools come first, then
 * the order of names decides.
 */
export function refuseOverlaps(
  networks: ReadonlyMap<string, AddressedNetwork>,
  joins: Joins,
): { joins: Joins; refused: RefusedLeak[] } {
  const kept = new Map([...joins].map(([uuid, peers]) => [uuid, new Map(peers)]));
  const refused: RefusedLeak[] = [];
  const separate = (a: AddressedNetwork, b: AddressedNetwork, reason: string): void => {
    kept.get(a.uuid)?.delete(b.uuid);
    kept.get(b.uuid)?.delete(a.uuid);
    refused.push({ networks: [a.name, b.name], reason });
  };
  const inOrder = [...networks.values()].filter(({ uuid }) => (kept.get(uuid)?.size ?? 0) > 0).sort(byPrecedence);
  for (const a of inOrder) {
    for (const b of peersOf(networks, kept.get(a.uuid))) {
      const overlap = a.uuid < b.uuid ? findOverlap(a, b) : undefined;
      if (overlap !== undefined) separate(a, b, overlapText(a, b, overlap));
    }
  }
  for (const hub of inOrder) {
    if (!hub.hasPods) continue;
    const accepted: AddressedNetwork[] = [];
    for (const peer of peersOf(networks, kept.get(hub.uuid)).sort(byPrecedence)) {
      const conflict = accepted.map((other) => ({ other, overlap: findOverlap(other, peer) })).find(({ overlap }) => overlap);
      if (conflict?.overlap === undefined) accepted.push(peer);
      else separate(hub, peer, `${hub.name} is joined with ${conflict.other.name}: ${overlapText(conflict.other, peer, conflict.overlap)}`);
    }
  }
  return { joins: kept, refused };
}

function peersOf(
  networks: ReadonlyMap<string, AddressedNetwork>,
  peers: ReadonlyMap<string, Limit | undefined> | undefined,
): AddressedNetwork[] {
  return [...(peers?.keys() ?? [])].flatMap((uuid) => networks.get(uuid) ?? []);
}

function byPrecedence(a: AddressedNetwork, b: AddressedNetwork): number {
  return Number(a.addressSpace === '') - Number(b.addressSpace === '') || (a.name < b.name ? -1 : 1);
}

/** Prefixes of two networks that keep them apart, whatever policies say. */
export function findOverlap(
  a: Pick<AddressedNetwork, 'uuid' | 'addressSpace' | 'subnets'>,
  b: Pick<AddressedNetwork, 'uuid' | 'addressSpace' | 'subnets'>,
): readonly [Prefix, Prefix] | undefined {
  if (a.uuid === b.uuid || (a.addressSpace !== '' && a.addressSpace === b.addressSpace)) return undefined;
  for (const { prefix: first } of a.subnets) {
    for (const { prefix: second } of b.subnets) if (prefixesOverlap(first, second)) return [first, second];
  }
  return undefined;
}

function overlapText(a: AddressedNetwork, b: AddressedNetwork, [first, second]: readonly [Prefix, Prefix]): string {
  return (
    `${formatPrefix(first)} of ${a.name} overlaps ${formatPrefix(second)} of ${b.name}; ` +
    'give one of them other subnets, detach the policy from one, or offer a service instead'
  );
}
