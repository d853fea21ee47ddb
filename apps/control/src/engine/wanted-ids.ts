import type { CompileContext } from '../compile/compile-context';
import { labelKey } from '../compile/numeric-ids';
import type { IdKind } from '../compile/numeric-ids';
import { labelUnit } from '../compile/unit';
import type { Unit } from '../compile/unit';
import { allowAllText, policyTextOf } from '../topology/network';
import type { Network } from '../topology/topology';

/** A number that is not allotted yet, and what will need it. */
export interface WantedId {
  readonly kind: IdKind;
  readonly key: string;
  readonly neededBy: { readonly network: Network } | { readonly unit: Unit } | 'every interface';
}

/**
 * Numbers of everything that exists and is connected: for networks, not for pods, so that a new pod
 * waits for none. Labels are wanted once their identity has its number.
 */
export function findMissingIds(context: Omit<CompileContext, 'model' | 'settings'>): WantedId[] {
  const { topology, ids, reach } = context;
  const missing: WantedId[] = [];
  const want = (wanted: WantedId): void => {
    if (ids.get(wanted.kind, wanted.key) === undefined) missing.push(wanted);
  };
  const wantLabel = (instance: string, { parts }: Network): void => {
    for (const { identity } of parts) {
      const id = ids.get('identity', identity);
      if (id === undefined) continue;
      want({ kind: 'label', key: labelKey(instance, id), neededBy: { unit: labelUnit(instance, identity) } });
    }
  };
  want({ kind: 'policy', key: allowAllText, neededBy: 'every interface' });
  for (const network of topology.networks.values()) {
    want({ kind: 'vrf', key: network.instance, neededBy: { network } });
    for (const part of network.parts) {
      want({ kind: 'identity', key: part.identity, neededBy: { network } });
      want({ kind: 'policy', key: policyTextOf(network, part), neededBy: { network } });
    }
    for (const sender of [network, ...topology.joinedWith(network)]) wantLabel(network.instance, sender);
    const { fabric } = topology;
    if (fabric === undefined || network === fabric || network.joined.has(fabric.uuid)) continue;
    // Nodes reach what is there by its alias, whatever is joined.
    wantLabel(network.instance, fabric);
    wantLabel(fabric.instance, network);
  }
  for (const { from, to } of reach.pairs()) {
    const [client, backend] = [topology.byInstance(from), topology.byInstance(to)];
    if (client === undefined || backend === undefined) continue;
    wantLabel(to, client);
    wantLabel(from, backend);
  }
  return missing;
}
