import { formatPrefix } from '@contrail/net';
import type { CompileContext } from '../compile/compile-context';
import { findOverlap } from '../topology/refuse-overlaps';
import type { Network } from '../topology/topology';
import { joiningRules } from './joining-rule';
import { networkKind } from './network-kind';

/** Why nothing leads from one network to another, and what would. */
export interface Apart {
  readonly text: string;
  readonly grants: readonly string[];
}

/** @param traffic "tcp port 80", for the grants. */
export function whyApart({ model, settings, topology }: CompileContext, from: Network, to: Network, traffic: string): Apart {
  const refused = topology.refused.find(({ networks }) => networks.includes(from.name) && networks.includes(to.name));
  if (refused !== undefined) return { text: `network policies join ${from.name} with ${to.name}, but ${refused.reason}`, grants: [] };
  if (from.joined.has(to.uuid)) {
    const text = `network policies join ${from.name} with ${to.name}, but do not pass ${traffic}`;
    return { text, grants: [`a rule that passes ${traffic} from ${from.name} to ${to.name}, in the policies of both networks`] };
  }
  const [sender, receiver] = [networkKind(from, settings), networkKind(to, settings)];
  const halves = joiningRules(model, from.uuid, to.uuid)
    .filter(({ attachedTo }) => attachedTo.length === 1)
    .map(({ policy, attachedTo: [only = ''] }) => ({ policy, only, missing: only === from.name ? to.name : from.name }));
  const half = halves.map(({ policy, only, missing }) => `; policy ${policy} names both, but is attached to ${only} only, not to ${missing}`);
  const apart = `no network policy joins network ${from.name} with network ${to.name}${half.join('')}`;
  const grants = halves.map(({ policy, missing }) => `attach network policy ${policy} to network ${missing}, too`);
  if (halves.length === 0) {
    const policy = `a network policy with a rule that passes ${traffic} from ${from.name} to ${to.name}, attached to both networks`;
    const overlap = findOverlap(from, to);
    grants.push(overlap === undefined ? policy : `other subnets for one of the networks (${overlap.map(formatPrefix).join(' overlaps ')}), and then ${policy}`);
  }
  if (receiver.kind === 'isolated') {
    if (receiver.of === 'pods') {
      grants.push(`the end of the isolation: kubectl annotate namespace ${receiver.namespace} opencontrail.org/isolation-`);
      return { text: `namespace ${receiver.namespace} is isolated: ${apart}`, grants };
    }
    grants.push(`the service isolation lifted: kubectl annotate --overwrite namespace ${receiver.namespace} opencontrail.org/isolation.service=false`);
    return { text: `the services of namespace ${receiver.namespace} are isolated: ${apart}`, grants };
  }
  if (sender.kind === 'isolated') {
    grants.push(`the end of the isolation: kubectl annotate namespace ${sender.namespace} opencontrail.org/isolation-`);
    return { text: `the sender's namespace ${sender.namespace} is isolated: ${apart}`, grants };
  }
  if (receiver.kind === 'custom') return { text: `network ${to.name} is one of its own: ${apart}`, grants };
  if (sender.kind === 'custom') return { text: `the sender is on network ${from.name}, one of its own: ${apart}`, grants };
  return { text: apart, grants };
}
