import type { Backend } from '@contrail/proto-gen/control/v1/messages';
import type { ListenerObject, LoadbalancerObject, MemberObject } from '../model/model-object';
import type { Network } from '../topology/topology';
import type { CompileContext, CompiledEntry } from './compile-context';
import { backendHome, membersOf } from './backend-home';
import { hostsAt } from './hosts-at';
import { toBuffer, toProtoPrefix } from './proto-values';
import { servicesScope } from './scopes';
import { serviceGrant } from './service-grant';
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
  if (network === undefined || !network.isPopulated) return undefined;
  const found = findListener(context, network, unit);
  if (found === undefined) return undefined;
  const { loadbalancer, listener } = found;
  const backends = backendsOf(context, listener);
  const value = {
    key: { vrf: context.ids.need('vrf', unit.instance), address: toBuffer(unit.address), protocol: unit.protocol, port: unit.port },
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

/** Reachable services with this address and port: those of the network itself before those of others. */
function findListener(context: CompileContext, network: Network, unit: UnitOf<'service'>): FoundListener | undefined {
  const { model } = context;
  const services = hostsAt(model, unit.address)
    .filter((host) => host.interface.isService && !host.isAlias)
    .map((host) => host.interface)
    .sort((a, b) => Number(b.networkUuid === network.uuid) - Number(a.networkUuid === network.uuid));
  for (const vmi of services) {
    for (const loadbalancer of model.find('loadbalancer by interface', vmi.uuid)) {
      const listener = model
        .find('listener by loadbalancer', loadbalancer.uuid)
        .find(({ protocol, port }) => protocol === unit.protocol && port === unit.port);
      if (listener === undefined) continue;
      const found = { loadbalancer, listener };
      const end = { ...found, networkUuid: vmi.networkUuid, address: unit.address };
      if (serviceGrant(context, network, end) !== undefined) return found;
    }
  }
  return undefined;
}

/**
 * Members that can take traffic, with their conditions: agents balance over the ready ones, and over
 * serving ones that terminate when nothing is ready. None at all when neither exists: calls are refused.
 */
function backendsOf(context: CompileContext, listener: ListenerObject): FoundBackend[] {
  const usable = membersOf(context, listener).filter(({ ready, serving, refused }) => (ready || serving) && refused === '');
  const hasTakers = usable.some(({ ready, terminating }) => ready || terminating);
  return hasTakers ? usable.flatMap((member) => toBackend(context, member) ?? []) : [];
}

function toBackend(context: CompileContext, member: MemberObject): FoundBackend | undefined {
  const { model, ids } = context;
  const home = backendHome(context, member);
  if (home === undefined) return undefined;
  const machineNode = home.interface && model.get('virtual-machine', home.interface.machineUuid)?.node;
  const { uuid, address, port, node, ready, serving, terminating } = member;
  const backend: Backend = {
    memberUuid: uuid,
    address: toBuffer(address),
    port,
    vrf: ids.need('vrf', home.network.instance),
    node: node === '' ? (machineNode ?? '') : node,
    ready,
    serving,
    terminating,
  };
  return { backend, instance: home.network.instance };
}
