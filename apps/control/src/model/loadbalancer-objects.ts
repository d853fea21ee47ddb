import { tryParseAddress } from '@contrail/net';
import type {
  Loadbalancer,
  LoadbalancerListener,
  LoadbalancerMember,
  LoadbalancerPool,
  Meta,
} from '@contrail/proto-gen/config/v1/resources';
import { tryToPrefix } from '@contrail/resource-model';
import type { ListenerObject, LoadbalancerObject, MemberObject, PoolObject } from './model-object';
import { toProtocolNumber } from './protocol-number';

/** The provider whose load is balanced by the vRouters themselves. */
const nativeProvider = 'native';

/** @returns undefined for load balancers that something else implements, and for those switched off. */
export function toLoadbalancer(meta: Meta, lb: Loadbalancer): LoadbalancerObject | undefined {
  if (lb.loadbalancerProvider !== nativeProvider || lb.loadbalancerProperties?.adminState === false) return undefined;
  const { namespace, name } = meta.annotations;
  const traffic = lb.serviceTraffic;
  return {
    type: 'loadbalancer',
    uuid: meta.uuid,
    name: namespace !== undefined && name !== undefined ? `${namespace}/${name}` : meta.fqName.join(':'),
    interfaceUuids: lb.virtualMachineInterfaceRefs.map(({ uuid }) => uuid),
    affinityTimeoutS: traffic?.affinityTimeoutS ?? 0,
    sourceRanges: (traffic?.sourceRanges ?? []).flatMap((range) => tryToPrefix(range) ?? []),
    internalLocalOnly: traffic?.internalLocalOnly ?? false,
    externalLocalOnly: traffic?.externalLocalOnly ?? false,
  };
}

/** @returns undefined for a listener that is switched off or has no port. */
export function toListener(meta: Meta, listener: LoadbalancerListener): ListenerObject | undefined {
  const properties = listener.loadbalancerListenerProperties;
  const protocol = toProtocolNumber(properties?.protocol ?? '');
  if (properties === undefined || properties.adminState === false) return undefined;
  if (protocol === undefined || properties.protocolPort === 0) return undefined;
  return {
    type: 'loadbalancer-listener',
    uuid: meta.uuid,
    loadbalancerUuid: listener.loadbalancerRefs[0]?.uuid ?? '',
    portName: meta.annotations['portName'] ?? '',
    protocol,
    port: properties.protocolPort,
  };
}

/** @returns undefined for a pool that is switched off. */
export function toPool(meta: Meta, pool: LoadbalancerPool): PoolObject | undefined {
  if (pool.loadbalancerPoolProperties?.adminState === false) return undefined;
  return { type: 'loadbalancer-pool', uuid: meta.uuid, listenerUuid: pool.loadbalancerListenerRefs[0]?.uuid ?? '' };
}

/**
 * Absent conditions are those of EndpointSlice: ready unless it says no, serving as ready, not terminating.
 *
 * @returns undefined for a member that is switched off or names no address and port.
 */
export function toMember(meta: Meta, member: LoadbalancerMember): MemberObject | undefined {
  const properties = member.loadbalancerMemberProperties;
  const address = tryParseAddress(properties?.address ?? '');
  if (properties === undefined || properties.adminState === false) return undefined;
  if (address === undefined || properties.protocolPort === 0) return undefined;
  const conditions = member.endpointConditions;
  const ready = conditions?.ready ?? true;
  return {
    type: 'loadbalancer-member',
    uuid: meta.uuid,
    poolUuid: meta.parentUuid,
    address,
    port: properties.protocolPort,
    interfaceUuid: meta.annotations['vmi'] ?? '',
    machineUuid: meta.annotations['vm'] ?? '',
    node: conditions?.nodeName ?? '',
    refused: meta.annotations['refused'] ?? '',
    ready,
    serving: conditions?.serving ?? ready,
    terminating: conditions?.terminating ?? false,
  };
}
