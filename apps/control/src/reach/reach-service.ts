import { formatAddress } from '@contrail/net';
import type { Address } from '@contrail/net';
import type { Service } from '@contrail/proto-gen/control/v1/messages';
import type { ReachBackend, ReachStep } from '@contrail/proto-gen/control/v1/reach';
import { backendHome, membersOf } from '../compile/backend-home';
import type { CompileContext } from '../compile/compile-context';
import { compileUnit } from '../compile/compile-unit';
import { serviceGrant } from '../compile/service-grant';
import { serviceUnit } from '../compile/unit';
import type { ListenerObject, MemberObject } from '../model/model-object';
import type { Network } from '../topology/topology';
import type { Sender, ServiceTarget } from './ends';
import { interfaceName } from './find-ends';
import { followPath } from './follow-path';
import type { FollowedPath } from './follow-path';
import { joiningRules } from './joining-rule';
import { toStep } from './to-step';
import { trafficText } from './traffic-text';
import { whyApart } from './why-apart';

export interface ServiceQuestion {
  readonly sender: Sender;
  /** In whose VRF the cluster IP is looked up. */
  readonly network: Network;
  readonly target: ServiceTarget;
  readonly clusterIp: ServiceTarget['clusterIps'][number];
  readonly listener: ListenerObject;
}

export interface ServiceReached extends Omit<FollowedPath, 'receiver'> {
  readonly backends: readonly ReachBackend[];
}

/** One port of a cluster IP: whether the sender's VRF has it, over whom calls are hashed, and whether they get through. */
export function reachService(context: CompileContext, question: ServiceQuestion): ServiceReached {
  const entry = findEntry(context, question);
  return entry === undefined ? withoutEntry(context, question) : throughEntry(context, question, entry);
}

function findEntry(context: CompileContext, { network, clusterIp, listener, target }: ServiceQuestion): Service | undefined {
  const { protocol, port } = listener;
  const compiled = compileUnit(context, serviceUnit(network.instance, { address: clusterIp.address, protocol, port }));
  const entry = compiled?.entry.kind;
  return entry?.$case === 'service' && entry.value.loadbalancerUuid === target.loadbalancer.uuid ? entry.value : undefined;
}

/** The sender's VRF does not have the service. */
function withoutEntry(context: CompileContext, question: ServiceQuestion): ServiceReached {
  const { network, clusterIp, target, listener } = question;
  const home = context.topology.networks.get(clusterIp.networkUuid);
  const backends = membersOf(context, listener).map((member) => toBackend(context, member, { used: false, reason: unusable(member) }));
  if (home === undefined || home === network) {
    const reason = `${target.name} at ${formatAddress(clusterIp.address)} is not in VRF of network ${network.name}; another service has its address there`;
    return { passes: false, reason, steps: [toStep('service', false, reason)], grants: [], backends };
  }
  const { text, grants } = whyApart(context, network, home, trafficText(listener));
  const vrf = context.ids.get('vrf', network.instance) ?? 0;
  const absent = toStep('service', false, `VRF ${vrf} (${network.name}) does not have ${target.name} at ${formatAddress(clusterIp.address)}`, { vrf });
  return { passes: false, reason: text, steps: [toStep('isolation', false, text), absent], grants, backends };
}

function throughEntry(context: CompileContext, question: ServiceQuestion, entry: Service): ServiceReached {
  const { sender, target, listener, clusterIp } = question;
  const steps: ReachStep[] = [grantStep(context, question)];
  const stop = (reason: string, backends: readonly ReachBackend[], grants: readonly string[] = []): ServiceReached => ({
    passes: false, reason, steps: [...steps, toStep('backend', false, reason)], grants, backends,
  });
  const members = membersOf(context, listener);
  const hashed = hashedOver(entry, sender.node);
  const judged = members.map((member) => judgeMember(context, question, member, hashed));
  const backends = judged.map(({ backend }) => backend);
  const used = judged.filter(({ backend }) => backend.used);
  if (used.length === 0) return stop(noBackendText(target.name, backends, entry.internalLocalOnly ? sender.node : ''), backends);
  const failed = used.filter(({ path }) => path?.passes === false);
  const names = used.map(({ backend }) => `${backend.name} (${formatAddress(backend.address)}:${backend.port})`).join(', ');
  steps.push(toStep('backend', failed.length === 0, `calls are hashed over ${used.length}: ${names}`));
  for (const { path } of used) steps.push(...(path?.steps ?? []));
  const [worst] = failed;
  if (worst?.path !== undefined) {
    const reason = `${failed.length} of ${used.length} backends cannot be reached; ${worst.backend.name}: ${worst.path.reason}`;
    return { passes: false, reason, steps, grants: worst.path.grants, backends };
  }
  const reason = `${target.name} at ${formatAddress(clusterIp.address)} is hashed over ${used.length} of ${members.length} backends`;
  return { passes: true, reason, steps, grants: [], backends };
}

/** Members over which this node hashes, as agents do: the ready ones, and those that still serve when nothing is ready. */
function hashedOver({ backends, internalLocalOnly }: Service, node: string): ReadonlySet<string> {
  const near = internalLocalOnly ? backends.filter((backend) => backend.node === node) : backends;
  const ready = near.filter((backend) => backend.ready);
  const takers = ready.length > 0 ? ready : near.filter(({ serving, terminating }) => serving && terminating);
  return new Set(takers.map(({ memberUuid }) => memberUuid));
}

interface JudgedMember {
  readonly backend: ReachBackend;
  /** Undefined for one that takes no part. */
  readonly path: FollowedPath | undefined;
}

function judgeMember(context: CompileContext, { sender, listener }: ServiceQuestion, member: MemberObject, hashed: ReadonlySet<string>): JudgedMember {
  if (!hashed.has(member.uuid)) {
    const reason = unusable(member) || 'others are ready, or it is on another node and the service is local only';
    return { backend: toBackend(context, member, { used: false, reason }), path: undefined };
  }
  const home = backendHome(context, member);
  if (home === undefined) return { backend: toBackend(context, member, { used: false, reason: 'its network has no VRF yet' }), path: undefined };
  const traffic = { protocol: listener.protocol, port: member.port, isToService: true };
  const wanted = home.interface && { name: interfaceName(home.interface), network: home.network, interface: home.interface, node: member.node };
  const path = followPath(context, { sender, network: home.network, address: member.address, traffic, wanted });
  return { backend: toBackend(context, member, { used: true, reason: path.passes ? '' : path.reason }), path };
}

function toBackend(context: CompileContext, member: MemberObject, { used, reason }: { used: boolean; reason: string }): ReachBackend {
  const home = backendHome(context, member);
  const machine = home?.interface && context.model.get('virtual-machine', home.interface.machineUuid);
  const node = member.node === '' ? (machine?.node ?? '') : member.node;
  const name = home?.interface === undefined ? backendName(member.address, node) : interfaceName(home.interface);
  return { name, address: Buffer.from(member.address), port: member.port, node, used, reason };
}

function backendName(address: Address, node: string): string {
  return node === '' ? `address ${formatAddress(address)}` : `node ${node}`;
}

/** Why a member takes no traffic whoever calls; empty: it would. */
function unusable({ refused, ready, serving, terminating }: MemberObject): string {
  if (refused !== '') return `refused: ${refused}`;
  if (ready) return '';
  if (terminating) return serving ? 'is ending' : 'is ending and serves no more';
  return 'is not ready';
}

function noBackendText(name: string, backends: readonly ReachBackend[], localNode: string): string {
  if (backends.length === 0) return `${name} has no backends: calls are refused`;
  if (localNode !== '') return `${name} has no backend that can take traffic on node ${localNode}, and is local only: calls are refused`;
  return `${name} has no backend that can take traffic: calls are refused; ${backends[0]?.name ?? ''}: ${backends[0]?.reason ?? ''}`;
}

/** Why the sender's VRF has the service. */
function grantStep(context: CompileContext, { network, target, listener, clusterIp }: ServiceQuestion): ReachStep {
  const { loadbalancer } = target;
  const grant = serviceGrant(context, network, { loadbalancer, listener, networkUuid: clusterIp.networkUuid, address: clusterIp.address });
  const vrf = context.ids.get('vrf', network.instance) ?? 0;
  const name = `${target.name} at ${formatAddress(clusterIp.address)}, ${trafficText(listener)}, is in VRF ${vrf} (${network.name})`;
  const say = (why: string, details = {}): ReachStep => toStep('service', true, `${name}: ${why}`, { vrf, ...details });
  switch (grant) {
    case 'own network':
      return say('its cluster IP is of this network');
    case 'joined networks': {
      const [rule] = joiningRules(context.model, network.uuid, clusterIp.networkUuid).filter(({ attachedTo }) => attachedTo.length === 2);
      const home = context.topology.networks.get(clusterIp.networkUuid)?.name ?? clusterIp.networkUuid;
      return rule === undefined ? say(`joined with ${home}`) : say(`policy ${rule.policy} (${rule.rule}) joins it with ${home}`, rule);
    }
    case 'essential service':
      return say('every network reaches it');
    case 'own backends':
      return say('all its backends are on this network');
    case undefined:
      return say('it is there');
  }
}
