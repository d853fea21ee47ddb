import { formatAddress, formatPrefix } from '@contrail/net';
import type { Address } from '@contrail/net';
import type { ReachStep } from '@contrail/proto-gen/control/v1/reach';
import type { CompileContext } from '../compile/compile-context';
import { hostsAt } from '../compile/hosts-at';
import { toProtoPrefix } from '../compile/proto-values';
import type { InterfaceObject } from '../model/model-object';
import type { Network } from '../topology/topology';
import type { Sender } from './ends';
import { interfaceName } from './find-ends';
import { findRoute, isGateway } from './find-route';
import type { FoundRoute } from './find-route';
import { joiningRules } from './joining-rule';
import { judgePolicies } from './judge-policies';
import type { Receiver, Traffic } from './judge-policies';
import { toStep } from './to-step';
import { trafficText } from './traffic-text';
import { whyApart } from './why-apart';

/** A packet to one address, looked up in one VRF. */
export interface PathQuestion {
  readonly sender: Sender;
  /** In whose VRF the address is looked up: the sender's own, or a backend's after translation. */
  readonly network: Network;
  readonly address: Address;
  readonly traffic: Traffic;
  /** Whom the address must lead to; undefined: whoever has it. */
  readonly wanted: Wanted | undefined;
}

export interface Wanted {
  readonly name: string;
  readonly network: Network | undefined;
  readonly interface: InterfaceObject | undefined;
  readonly node: string;
}

export interface FollowedPath {
  readonly passes: boolean;
  /** One sentence: what decided. */
  readonly reason: string;
  readonly steps: readonly ReachStep[];
  readonly grants: readonly string[];
  readonly receiver: Receiver & { readonly name: string; readonly network: Network | undefined } | undefined;
}

const icmp = 1;

/** Where a packet goes by the entries that the agents have, and whether it may. */
export function followPath(context: CompileContext, question: PathQuestion): FollowedPath {
  const { network, address, traffic, wanted } = question;
  const found = findRoute(context, network, address);
  const isHost = found?.prefix.length === 8 * address.length;
  if (!isHost && isGateway(context, network, address)) {
    const passes = traffic.protocol === icmp;
    const text = `${formatAddress(address)} is the gateway of network ${network.name}: the sender's own node answers, and only to ping`;
    return { passes, reason: text, steps: [toStep('route', passes, text)], grants: [], receiver: undefined };
  }
  switch (found?.kind) {
    case 'interface':
      return followToInterface(context, question, found);
    case 'node':
      return followToNode(context, question, found);
    case 'fabric':
      if (wanted === undefined) return outside(context, question, found, 'leaves the cluster, translated to the address of the node');
      return nowhere(context, question, found);
    case undefined:
      if (network.isFabric && wanted === undefined) return outside(context, question, found, "is not in the virtual network: the node's own routes decide");
      return nowhere(context, question, found);
    case 'discard':
    case 'other':
      return nowhere(context, question, found);
  }
}

function followToInterface(context: CompileContext, question: PathQuestion, found: FoundRoute & { kind: 'interface' }): FollowedPath {
  const { model, topology } = context;
  const { network, wanted } = question;
  const { interfaceUuid, node } = found.hop;
  const vmi = model.get('virtual-machine-interface', interfaceUuid);
  if (vmi === undefined) return nowhere(context, question, found);
  const home = topology.networks.get(vmi.networkUuid);
  const name = interfaceName(vmi);
  const route = routeStep(context, question, found, `${name} on node ${node}${home === network || home === undefined ? '' : `, in network ${home.name}`}`);
  if (wanted !== undefined && wanted.interface?.uuid !== vmi.uuid) return astray(context, question, { name, route });
  const joint = home === undefined || home === network ? [] : [jointStep(context, network, home)];
  return judged(context, question, { name, network: home, interface: vmi, node, identity: found.route.identity }, [...joint, route]);
}

function followToNode(context: CompileContext, question: PathQuestion, found: FoundRoute & { kind: 'node' }): FollowedPath {
  const { network, wanted } = question;
  const { fabric } = context.topology;
  const name = `node ${found.node}`;
  const route = routeStep(context, question, found, name);
  if (wanted !== undefined && (wanted.interface !== undefined || wanted.node !== found.node)) return astray(context, question, { name, route });
  const joint = fabric === undefined || fabric === network ? [] : [jointStep(context, network, fabric)];
  return judged(context, question, { name, network: fabric, interface: undefined, node: found.node, identity: found.route.identity }, [...joint, route]);
}

function judged(
  context: CompileContext,
  { sender, traffic }: PathQuestion,
  receiver: NonNullable<FollowedPath['receiver']>,
  before: readonly ReachStep[],
): FollowedPath {
  const judgements = judgePolicies(context, sender, receiver, traffic);
  const steps = [...before, ...judgements.map(({ passes, text, rule }) => toStep('policy', passes, text, { rule }))];
  const denied = judgements.find(({ passes }) => !passes);
  if (denied === undefined) return { passes: true, reason: before.at(-1)?.text ?? '', steps, grants: [], receiver };
  return { passes: false, reason: denied.text, steps, grants: [`a rule that passes ${trafficText(traffic)} before it`], receiver };
}

/** The same address is somebody else's here. */
function astray(context: CompileContext, question: PathQuestion, { name, route }: { name: string; route: ReachStep }): FollowedPath {
  const { network, address, wanted, traffic } = question;
  const text = `${formatAddress(address)} is ${name} in network ${network.name}, not ${wanted?.name ?? 'the receiver'}`;
  const apart = wanted?.network === undefined || wanted.network === network ? undefined : whyApart(context, network, wanted.network, trafficText(traffic));
  const steps = [{ ...route, passes: false }, ...(apart === undefined ? [] : [toStep('isolation', false, apart.text)])];
  return { passes: false, reason: apart === undefined ? text : `${text}; ${apart.text}`, steps, grants: [], receiver: undefined };
}

/** Nothing leads there: because networks are apart, or because nobody has the address. */
function nowhere(context: CompileContext, question: PathQuestion, found: FoundRoute | undefined): FollowedPath {
  const { network, address, traffic } = question;
  const route = found === undefined ? noRouteStep(context, question) : routeStep(context, question, found, found.kind === 'fabric' ? 'the world outside' : 'nobody: it is discarded');
  const owner = question.wanted?.network ?? ownerOf(context, address);
  if (owner === undefined || owner === network) {
    const reason = `nobody has ${formatAddress(address)} in network ${network.name}`;
    return { passes: false, reason, steps: [{ ...route, passes: false }], grants: [], receiver: undefined };
  }
  const { text, grants } = whyApart(context, network, owner, trafficText(traffic));
  const steps = [toStep('isolation', false, text), { ...route, passes: false }];
  return { passes: false, reason: text, steps, grants, receiver: undefined };
}

/** The network of somebody with this address, for an address that leads to nobody. */
function ownerOf({ model, topology }: CompileContext, address: Address): Network | undefined {
  const [host] = hostsAt(model, address).filter((candidate) => !candidate.interface.isService);
  return host && topology.networks.get(host.interface.networkUuid);
}

function outside(context: CompileContext, question: PathQuestion, found: FoundRoute | undefined, text: string): FollowedPath {
  const route = found === undefined ? noRouteStep(context, question) : routeStep(context, question, found, 'the world outside');
  const reason = `${formatAddress(question.address)} ${text}`;
  const receiver = { name: 'the world outside', network: undefined, interface: undefined, node: '', identity: 0 };
  const path = judged(context, question, receiver, [{ ...route, text: `${route.text}: ${text}` }]);
  return { ...path, reason: path.passes ? reason : path.reason };
}

function routeStep(context: CompileContext, { network }: PathQuestion, found: FoundRoute, leadsTo: string): ReachStep {
  const vrf = context.ids.get('vrf', network.instance) ?? 0;
  const node = found.kind === 'interface' ? found.hop.node : found.kind === 'node' ? found.node : '';
  const text = `${formatPrefix(found.prefix)} in VRF ${vrf} (${network.name}) leads to ${leadsTo}`;
  return toStep('route', true, text, { vrf, prefix: toProtoPrefix(found.prefix), nextHop: found.kind, node });
}

function noRouteStep({ ids }: CompileContext, { network, address }: PathQuestion): ReachStep {
  const vrf = ids.get('vrf', network.instance) ?? 0;
  return toStep('route', true, `VRF ${vrf} (${network.name}) has no route to ${formatAddress(address)}`, { vrf });
}

/** What lets packets cross from one network to another. */
function jointStep({ model }: CompileContext, from: Network, to: Network): ReachStep {
  const [rule] = joiningRules(model, from.uuid, to.uuid).filter(({ attachedTo }) => attachedTo.length === 2);
  if (rule === undefined) return toStep('network', true, `nodes reach network ${to.name} by the alias addresses of its interfaces`);
  return toStep('network', true, `policy ${rule.policy} (${rule.rule}) joins networks ${from.name} and ${to.name}`, rule);
}
