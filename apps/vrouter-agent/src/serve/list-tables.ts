import type {
  FlowState,
  NextHopState,
  RouteState,
  ServiceState,
  VrfState,
} from '@contrail/proto-gen/agent/v1/messages';
import { addressEquals } from '@contrail/net';
import type { Datapath, Flow } from '../datapath/port';
import type { ControlEntries } from '../oper/control-entries';
import { isServiceAddress } from '../oper/service-numbers';
import { serviceUnit } from '../oper/unit-key';

/** The tables of the datapath as messages; read from the maps, with names from control's entries. */

export function listVrfs(datapath: Datapath, entries: ControlEntries): VrfState[] {
  const routes = new Map<number, number>();
  const services = new Map<number, number>();
  const count = (counts: Map<number, number>, vrf: number): void => {
    counts.set(vrf, (counts.get(vrf) ?? 0) + 1);
  };
  for (const [{ vrf }] of datapath.hostRoutes.dump()) count(routes, vrf);
  for (const [{ vrf }] of datapath.prefixRoutes.dump()) count(routes, vrf);
  for (const [key] of datapath.services.dump()) if (!isServiceAddress(key)) count(services, key.vrf);
  return datapath.vrfs
    .dump()
    .map(([id, { vni, maxFlows }]) => {
      const kind = entries.get(`vrf/${id}`);
      const name = kind?.$case === 'vrf' ? kind.value.name : '';
      return {
        id,
        name,
        vni,
        routes: routes.get(id) ?? 0,
        services: services.get(id) ?? 0,
        flows: datapath.vrfFlows(id),
        maxFlows,
      };
    })
    .sort((a, b) => a.id - b.id);
}

/** @param vrf 0: of every VRF. */
export function listRoutes(datapath: Datapath, vrf: number): RouteState[] {
  const hosts = datapath.hostRoutes.dump().map(([key, { nextHop }]) => ({
    vrf: key.vrf,
    address: Buffer.from(key.address),
    length: key.address.length * 8,
    nextHop,
  }));
  const prefixes = datapath.prefixRoutes.dump().map(([key, { nextHop }]) => ({
    vrf: key.vrf,
    address: Buffer.from(key.prefix.address),
    length: key.prefix.length,
    nextHop,
  }));
  return [...hosts, ...prefixes]
    .filter((route) => vrf === 0 || route.vrf === vrf)
    .sort((a, b) => a.vrf - b.vrf || Buffer.compare(a.address, b.address) || a.length - b.length);
}

export function listNextHops(datapath: Datapath): NextHopState[] {
  return datapath.nextHops
    .dump()
    .map(([id, hop]) => ({
      id,
      kind: hop.kind,
      ifindex: hop.ifindex,
      vlan: hop.vlan,
      remote: Buffer.from(hop.remote ?? []),
      vrf: hop.vrf,
      label: hop.label,
      mac: Buffer.from(hop.mac),
      members: Array.from(
        { length: hop.kind === 'composite' ? hop.memberCount : 0 },
        (_, slot) => datapath.composites.get({ nextHop: id, slot })?.nextHop ?? 0,
      ),
    }))
    .sort((a, b) => a.id - b.id);
}

export function listServices(datapath: Datapath, entries: ControlEntries): ServiceState[] {
  return datapath.services
    .dump()
    .filter(([key]) => !isServiceAddress(key))
    .map(([key, service]) => {
      const address = Buffer.from(key.address);
      const kind = entries.get(serviceUnit({ ...key, address }));
      return {
        ...key,
        address,
        id: service.id,
        name: kind?.$case === 'service' ? kind.value.name : service.hostPort ? 'hostPort' : '',
        affinityTimeoutS: service.affinityTimeoutS,
        slots: Array.from({ length: service.slotCount }, (_, slot) => {
          const backend = datapath.backends.get({ service: service.id, slot });
          return { slot, address: Buffer.from(backend?.address ?? []), port: backend?.port ?? 0, vrf: backend?.vrf ?? 0 };
        }),
      };
    })
    .sort((a, b) => a.vrf - b.vrf || Buffer.compare(a.address, b.address) || a.protocol - b.protocol || a.port - b.port);
}

export interface FlowFilter {
  /** Empty: all. */
  readonly address: Uint8Array;
  /** 0: all. */
  readonly zone: number;
}

export function flowMatches(flow: Flow, { address, zone }: FlowFilter): boolean {
  if (zone !== 0 && flow.zone !== zone) return false;
  if (address.length === 0) return true;
  return addressEquals(flow.localAddress, address) || addressEquals(flow.remoteAddress, address);
}

export function toFlowState(flow: Flow): FlowState {
  const { rule, localAddress, remoteAddress, idleMs } = flow;
  return {
    ...flow,
    ruleId: rule,
    localAddress: Buffer.from(localAddress),
    remoteAddress: Buffer.from(remoteAddress),
    idleMs: BigInt(Math.round(idleMs)),
  };
}
