import type { Backend } from '@contrail/proto-gen/control/v1/messages';
import type { ListenerObject, LoadbalancerObject, MemberObject } from '../model/model-object';
import type { Network } from '../topology/topology';
import type { CompileContext, CompiledEntry } from './compile-context';
import { hostsAt } from './hosts-at';
import { toBuffer, toProtoPrefix } from './proto-values';
import { servicesScope } from './scopes';
import type { UnitOf } from './unit';

interface FoundListener {
  readonly loadbalancer: LoadbalancerObject;
  readonly listener: ListenerObject;
}

interface FoundBackend {
  readonly backend: Backend;
  /** Of the network in which the backend's address is looked up. */
  readonly instance: string;
}

/** One port of a service address, as it is reached from one VRF. */
export function compileService(context: CompileContext, unit: UnitOf<'service'>): CompiledEntry | undefined {
  const network = context.topology.byInstance(unit.instance);
  const vrf = context.ids.get('vrf', unit.instance);
  if (network === undefined || vrf === undefined || !network.isPopulated) return undefined;
  const found = findListener(context, network, unit);
  if (found === undefined) return undefined;
  const { loadbalancer, listener } = found;
  const backends = backendsOf(context, listener);
  const value = {
    key: { vrf, address: toBuffer(unit.address), protocol: unit.protocol, port: unit.port },
    loadbalancerUuid: loadbalancer.uuid,
    listenerUuid: listener.uuid,
    name: `${loadbalancer.name}:${listener.portName === '' ? listener.port : listener.portName}`,
    backends: backends.map(({ backend }) => backend),
    affinityTimeoutS: loadbalancer.affinityTimeoutS,
    sourceRanges: loadbalancer.sourceRanges.map(toProtoPrefix),
    internalLocalOnly: loadbalancer.internalLocalOnly,
    externalLocalOnly: loadbalancer.externalLocalOnly,
    external: false,
  };
  return {
    scope: servicesScope(unit.instance),
    interest: { backends: [...new Set(backends.map(({ instance }) => instance))] },
    entry: { kind: { $case: 'service', value } },
  };
}

/** A service of the network itself goes before those of joined networks with the same address and port. */
function findListener({ model }: CompileContext, network: Network, unit: UnitOf<'service'>): FoundListener | undefined {
  const reachable = hostsAt(model, unit.address)
    .map((host) => host.interface)
    .filter(({ isService, networkUuid }) => isService && (networkUuid === network.uuid || network.joined.has(networkUuid)))
    .sort((a, b) => Number(b.networkUuid === network.uuid) - Number(a.networkUuid === network.uuid));
  for (const vmi of reachable) {
    for (const loadbalancer of model.find('loadbalancer by interface', vmi.uuid)) {
      const listener = model
        .find('listener by loadbalancer', loadbalancer.uuid)
        .find(({ protocol, port }) => protocol === unit.protocol && port === unit.port);
      if (listener !== undefined) return { loadbalancer, listener };
    }
  }
  return undefined;
}

/**
 * Members that can take traffic, with their conditions: agents balance over the ready ones, and over
 * serving ones that terminate when nothing is ready. None at all when neither exists: calls are refused.
 */
function backendsOf(context: CompileContext, listener: ListenerObject): FoundBackend[] {
  const { model } = context;
  const usable = model
    .find('pool by listener', listener.uuid)
    .flatMap((pool) => model.find('member by pool', pool.uuid))
    .filter(({ ready, serving }) => ready || serving)
    .sort((a, b) => (a.uuid < b.uuid ? -1 : 1));
  const hasTakers = usable.some(({ ready, terminating }) => ready || terminating);
  return hasTakers ? usable.flatMap((member) => toBackend(context, member) ?? []) : [];
}

/** A pod's backend is looked up in the pod's own VRF, any other among the nodes. */
function toBackend({ model, topology, ids }: CompileContext, member: MemberObject): FoundBackend | undefined {
  const vmi =
    model.get('virtual-machine-interface', member.interfaceUuid) ?? findInterface({ model }, member);
  const home = (vmi && topology.networks.get(vmi.networkUuid)) ?? topology.fabric;
  const vrf = home && ids.get('vrf', home.instance);
  if (home === undefined || vrf === undefined) return undefined;
  const machineNode = vmi && model.get('virtual-machine', vmi.machineUuid)?.node;
  const { uuid, address, port, node, ready, serving, terminating } = member;
  const backend: Backend = {
    memberUuid: uuid,
    address: toBuffer(address),
    port,
    vrf,
    node: node === '' ? (machineNode ?? '') : node,
    ready,
    serving,
    terminating,
  };
  return { backend, instance: home.instance };
}

/** The interface of the member's pod that has the member's address. */
function findInterface({ model }: Pick<CompileContext, 'model'>, member: MemberObject): { networkUuid: string; machineUuid: string } | undefined {
  if (member.machineUuid === '') return undefined;
  return hostsAt(model, member.address)
    .map((host) => host.interface)
    .find(({ machineUuid }) => machineUuid === member.machineUuid);
}
