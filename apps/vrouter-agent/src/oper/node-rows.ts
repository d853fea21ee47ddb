import type { Node } from '@contrail/proto-gen/control/v1/messages';
import { checkedAddress } from './checked';
import type { Facts } from './facts';
import type { UnitRows } from './unit-rows';

/** The addresses from which tunnel packets of this node are accepted. */
export function nodeRows(node: Node, facts: Facts): UnitRows {
  const self = node.name === facts.self;
  return {
    nodes: node.addresses.map((address) => [
      { address: checkedAddress('node.addresses', address) },
      { self },
    ]),
  };
}
