import { ContrailError } from '@contrail/errors';
import { addressEquals, formatAddress } from '@contrail/net';
import type { Address } from '@contrail/net';
import type { ReachAnswer, ReachParty, ReachRequest, ReachResponse, ReachStep } from '@contrail/proto-gen/control/v1/reach';
import type { CompileContext } from '../compile/compile-context';
import { hostsAt } from '../compile/hosts-at';
import { MissingNumber } from '../compile/numeric-ids';
import type { ListenerObject } from '../model/model-object';
import type { Network } from '../topology/topology';
import type { Sender, ServiceTarget, Target } from './ends';
import { findSenders, findTarget, targetOfService } from './find-ends';
import { followPath } from './follow-path';
import type { FollowedPath, Wanted } from './follow-path';
import type { Traffic } from './judge-policies';
import { reachService } from './reach-service';
import { toStep } from './to-step';
import { trafficText } from './traffic-text';

const [icmp, tcp, icmp6] = [1, 6, 58];
const portMax = 65_535;

/**
 * Who reaches whom, and why: what a packet meets in the entries that the agents get. Answers are about what carries packets;
 * whether a process listens is not known here.
 *
 * @throws ContrailError UNAVAILABLE while numbers are missing; NOT_FOUND, FAILED_PRECONDITION or INVALID_ARGUMENT that names the end and what to write instead.
 */
export function reach(context: CompileContext, request: ReachRequest): Omit<ReachResponse, 'revision'> {
  try {
    return answer(context, request);
  } catch (error) {
    if (error instanceof MissingNumber) throw new ContrailError('UNAVAILABLE', `control: ${error.message}; try again`, { cause: error });
    throw error;
  }
}

function answer(context: CompileContext, request: ReachRequest): Omit<ReachResponse, 'revision'> {
  const { protocol, port } = request;
  if (port > portMax || protocol > 255) throw new ContrailError('INVALID_ARGUMENT', `port ${port}, protocol ${protocol}: at most ${portMax} and 255`);
  const senders = findSenders(context, request.from);
  const target = findTarget(context, request.to);
  const answers = senders.flatMap((sender) => answersOf(context, sender, target, { protocol, port }));
  return { reachable: answers.every(({ reachable }) => reachable), answers };
}

function answersOf(context: CompileContext, sender: Sender, target: Target, asked: Traffic): ReachAnswer[] {
  if (target.kind === 'service') return answersOfService(context, sender, target, asked);
  const service = serviceAt(context, sender, target);
  if (service !== undefined) return answersOfService(context, sender, service, asked);
  const traffic = trafficOf(asked);
  const attempts = target.addresses.map((address) => answerOfAddress(context, sender, target, { address, traffic }));
  const best = attempts.find(({ reachable }) => reachable) ?? attempts[0];
  if (best === undefined) throw new ContrailError('FAILED_PRECONDITION', `${target.name}: has no address yet; wait until it runs`);
  return [best];
}

/** The service whose cluster IP an address is, unless it is something else in the sender's network. */
function serviceAt(context: CompileContext, { network }: Sender, target: Target): ServiceTarget | undefined {
  const [address] = target.kind === 'address' ? target.addresses : [];
  if (address === undefined) return undefined;
  const hosts = hostsAt(context.model, address).map((host) => host.interface);
  if (hosts.some(({ isService, networkUuid }) => !isService && networkUuid === network?.uuid)) return undefined;
  const [found] = hosts
    .filter(({ isService }) => isService)
    .sort((a, b) => Number(b.networkUuid === network?.uuid) - Number(a.networkUuid === network?.uuid))
    .flatMap(({ uuid }) => context.model.find('loadbalancer by interface', uuid));
  if (found === undefined) return undefined;
  const service = targetOfService(context, found);
  return { ...service, clusterIps: service.clusterIps.filter((clusterIp) => addressEquals(clusterIp.address, address)) };
}

/** Without a word about it: TCP to a port, ping without one. */
function trafficOf({ protocol, port }: Traffic): Traffic {
  if (protocol === 0) return { protocol: port === 0 ? icmp : tcp, port };
  const hasPorts = protocol !== icmp && protocol !== icmp6;
  if (hasPorts && port === 0) throw new ContrailError('INVALID_ARGUMENT', `port: is missing for ${trafficText({ protocol, port })}; write one, 1 to ${portMax}`);
  if (!hasPorts && port !== 0) throw new ContrailError('INVALID_ARGUMENT', `port: is ${port}, but ICMP has none; leave it out`);
  return { protocol, port };
}

function answersOfService(context: CompileContext, sender: Sender, target: ServiceTarget, { protocol, port }: Traffic): ReachAnswer[] {
  const [clusterIp] = target.clusterIps;
  if (clusterIp === undefined) throw new ContrailError('FAILED_PRECONDITION', `${target.name}: has no cluster IP yet; wait until it has`);
  const home = context.topology.networks.get(clusterIp.networkUuid);
  const to = toParty(context, { name: target.name, address: clusterIp.address, node: '' }, home);
  const from = toParty(context, sender, sender.network);
  const refuse = (traffic: Traffic, reason: string): ReachAnswer => ({
    from, to, ...traffic, reachable: false, reason, steps: [toStep('service', false, reason)], backends: [], grants: [],
  });
  const all = context.model.find('listener by loadbalancer', target.loadbalancer.uuid).sort((a, b) => a.port - b.port || a.protocol - b.protocol);
  if (protocol === icmp || protocol === icmp6) return [refuse({ protocol, port: 0 }, `${target.name}: a cluster IP does not answer ICMP`)];
  const asked = all.filter((listener) => (port === 0 || listener.port === port) && (protocol === 0 || listener.protocol === protocol));
  if (asked.length === 0) {
    const ports = all.map(trafficText).join(', ');
    return [refuse({ protocol: protocol === 0 ? tcp : protocol, port }, `${target.name} has no such port; it has ${ports === '' ? 'none' : ports}`)];
  }
  const { network } = sender;
  if (network === undefined) {
    return asked.map((listener) => refuse(trafficTo(listener), `${target.name} has no address that leads there from outside the cluster`));
  }
  return asked.map((listener) => {
    const { passes, reason, steps, grants, backends } = reachService(context, { sender, network, target, clusterIp, listener });
    const all = [networkStep(context, sender, network), ...steps];
    return { from, to, ...trafficTo(listener), reachable: passes, reason, steps: all, backends: [...backends], grants: [...grants] };
  });
}

function trafficTo({ protocol, port }: ListenerObject): Traffic {
  return { protocol, port };
}

function answerOfAddress(
  context: CompileContext,
  sender: Sender,
  target: Exclude<Target, ServiceTarget>,
  { address, traffic }: { readonly address: Address; readonly traffic: Traffic },
): ReachAnswer {
  const wanted = wantedOf(context, target);
  const from = toParty(context, sender, sender.network);
  const { network } = sender;
  const path = network === undefined ? fromOutside(target) : followPath(context, { sender, network, address, traffic, wanted });
  const end = path.receiver ?? { name: target.name, node: wanted?.node ?? '', network: wanted?.network };
  const name = target.kind === 'address' && path.receiver !== undefined ? `${path.receiver.name} (${target.name})` : target.name;
  return {
    from,
    to: toParty(context, { name, address, node: end.node }, end.network),
    ...traffic,
    reachable: path.passes,
    reason: path.reason,
    steps: [...(network === undefined ? [] : [networkStep(context, sender, network)]), ...path.steps],
    backends: [],
    grants: [...path.grants],
  };
}

function wantedOf({ topology }: CompileContext, target: Exclude<Target, ServiceTarget>): Wanted | undefined {
  switch (target.kind) {
    case 'interface':
      return target;
    case 'node':
      return { name: target.name, network: topology.fabric, interface: undefined, node: target.node };
    case 'address':
      return undefined;
  }
}

/** Packets of the world outside come to the nodes' own addresses, and no further by themselves. */
function fromOutside(target: Target): FollowedPath {
  const passes = target.kind === 'node';
  const reason = passes
    ? `${target.name} is in the underlay: the virtual network has no part in it`
    : `${target.name} has no address that leads there from outside the cluster`;
  return { passes, reason, steps: [toStep('route', passes, reason)], grants: [], receiver: undefined };
}

function networkStep({ ids }: CompileContext, sender: Sender, network: Network): ReachStep {
  const vrf = ids.get('vrf', network.instance) ?? 0;
  const address = sender.address === undefined ? '' : ` (${formatAddress(sender.address)})`;
  const place = sender.interface === undefined ? '' : ` on node ${sender.node}`;
  return toStep('network', true, `${sender.name}${address}${place} is in network ${network.name}, VRF ${vrf}`, { vrf, node: sender.node });
}

interface PartyFacts {
  readonly name: string;
  readonly address: Address | undefined;
  readonly node: string;
}

function toParty({ ids }: CompileContext, { name, address, node }: PartyFacts, network: Network | undefined): ReachParty {
  const vrf = network === undefined ? 0 : (ids.get('vrf', network.instance) ?? 0);
  return { name, address: Buffer.from(address ?? []), node, network: network?.name ?? '', vrf };
}
