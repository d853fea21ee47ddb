import type {
  DropCounter,
  DropEvent,
  FlowState,
  NextHopState,
  RouteState,
  ServiceState,
  StatusResponse,
  Vif,
  VrfState,
} from '@contrail/proto-gen/agent/v1/messages';
import { bytesText, endpointText, protocolText, toFacts, toTable } from '../output/print';

/** Messages of an agent as tables; pure. */

export function statusText(status: StatusResponse): string {
  const facts = toFacts([
    ['Node', status.node],
    ['Version', status.version],
    ['Map layout', status.mapLayout],
    ['Control', status.controlAddress === '' ? 'not connected' : status.controlAddress],
    ['In sync', status.inSync ? 'yes' : 'no'],
    ['Revision', `${status.revisionProgrammed} programmed, ${status.revisionReceived} received`],
    ['Interfaces', status.interfaces],
    ['Flows', `${status.flows} of ${status.flowCapacity}`],
    ['Pod MTU', status.tunnelMtu],
  ]);
  return facts + status.problems.map((problem) => `Problem: ${problem}\n`).join('');
}

export function vifTable(vifs: readonly Vif[]): string {
  const head = ['VIF', 'KIND', 'DEVICE', 'POD', 'ADDRESSES', 'MAC', 'VRF', 'IDENTITY', 'POLICY', 'FLOWS', 'STATUS'];
  return toTable(
    head,
    vifs.map((vif) => [
      vif.vlan === 0 ? vif.ifindex : `${vif.ifindex}.${vif.vlan}`,
      vif.kind,
      vif.device,
      vif.podName === '' ? '' : `${vif.podNamespace}/${vif.podName}:${vif.containerInterface}`,
      vif.addresses.map(bytesText).join(','),
      vif.mac.some((byte) => byte !== 0) ? bytesText(vif.mac) : '',
      vif.vrf,
      vif.identity,
      vif.policy,
      quotaText(vif),
      vif.statusText === '' ? vif.status : `${vif.status}: ${vif.statusText}`,
    ]),
  );
}

/** "12/65536": of how many it may have; "12" without a limit; nothing when neither is known. */
function quotaText({ flows, maxFlows }: { readonly flows: number; readonly maxFlows: number }): string {
  if (maxFlows !== 0) return `${flows}/${maxFlows}`;
  return flows === 0 ? '' : String(flows);
}

export function vrfTable(vrfs: readonly VrfState[]): string {
  return toTable(
    ['VRF', 'NAME', 'VNI', 'ROUTES', 'SERVICES', 'FLOWS'],
    vrfs.map((vrf) => [vrf.id, vrf.name, vrf.vni, vrf.routes, vrf.services, quotaText(vrf)]),
  );
}

export function routeTable(routes: readonly RouteState[], hops: readonly NextHopState[]): string {
  const byId = new Map(hops.map((hop) => [hop.id, hop]));
  return toTable(
    ['VRF', 'PREFIX', 'NEXT HOP', 'PATH'],
    routes.map(({ vrf, address, length, nextHop }) => {
      const hop = byId.get(nextHop);
      return [vrf, `${bytesText(address)}/${length}`, nextHop, hop ? describeHop(hop, byId) : 'missing'];
    }),
  );
}

export function nextHopTable(hops: readonly NextHopState[]): string {
  const byId = new Map(hops.map((hop) => [hop.id, hop]));
  return toTable(
    ['ID', 'KIND', 'PATH'],
    hops.map((hop) => [hop.id, hop.kind, describeHop(hop, byId)]),
  );
}

/** "tunnel 192.0.2.2 vrf 5"; of ECMP each member with its share of the slots. */
export function describeHop(hop: NextHopState, byId: ReadonlyMap<number, NextHopState>): string {
  const words = [hop.kind];
  if (hop.ifindex !== 0) words.push(hop.vlan === 0 ? `vif ${hop.ifindex}` : `vif ${hop.ifindex}.${hop.vlan}`);
  if (hop.remote.length > 0) words.push(bytesText(hop.remote));
  if (hop.label !== 0) words.push(`label ${hop.label}`);
  else if (hop.kind === 'tunnel' || hop.kind === 'encap') words.push(`vrf ${hop.vrf}`);
  if (hop.kind !== 'composite') return words.join(' ');
  const counts = countEach(hop.members);
  const members = [...counts].map(([id, count]) => {
    const member = byId.get(id);
    return `${count}/${hop.members.length} ${member ? describeHop(member, byId) : 'hole'}`;
  });
  return `composite [${members.join(', ')}]`;
}

export function serviceTable(services: readonly ServiceState[]): string {
  return toTable(
    ['VRF', 'SERVICE', 'ADDRESS', 'PROTOCOL', 'AFFINITY', 'MEMBERS (SLOTS)'],
    services.map((service) => [
      service.vrf,
      service.name,
      endpointText(service.address, service.port),
      protocolText(service.protocol),
      service.affinityTimeoutS === 0 ? '' : `${service.affinityTimeoutS} s`,
      members(service),
    ]),
  );
}

/** Each ECMP member with its number of slots; a hole has no address. */
function members(service: ServiceState): string {
  const texts = service.slots.map(({ address, port }) => (address.length === 0 ? 'hole' : endpointText(address, port)));
  const counts = [...countEach(texts)].map(([member, count]) => `${member} (${count})`);
  return counts.length === 0 ? 'none: refused' : counts.join(', ');
}

function countEach<T>(values: readonly T[]): Map<T, number> {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

export function flowTable(flows: readonly FlowState[]): string {
  const head = ['VIF', 'PROTOCOL', 'LOCAL', 'REMOTE', 'VERDICT', 'RULE', 'ACTION', 'TRANSLATION', 'OUT', 'IN', 'IDLE', 'STATE'];
  return toTable(
    head,
    flows.map((flow) => [
      flow.zone,
      protocolText(flow.protocol),
      endpointText(flow.localAddress, flow.localPort),
      endpointText(flow.remoteAddress, flow.remotePort),
      flow.verdict,
      flow.ruleId,
      flow.action,
      flow.translation,
      `${flow.packetsOut}/${flow.bytesOut}`,
      `${flow.packetsIn}/${flow.bytesIn}`,
      `${Number(flow.idleMs) / 1000}s`,
      flow.tcpState,
    ]),
  );
}

export function dropTable(drops: readonly DropCounter[]): string {
  return toTable(
    ['REASON', 'VRF', 'PACKETS', 'BYTES'],
    drops.map(({ reasonName, vrf, packets, bytes }) => [reasonName, vrf, packets, bytes]),
  );
}

export function dropLine(event: DropEvent): string {
  const time = new Date(Number(event.timeMs)).toISOString();
  const from = endpointText(event.source, event.sourcePort);
  const to = endpointText(event.destination, event.destinationPort);
  const rule = event.ruleId === 0 ? '' : ` rule ${event.ruleId}`;
  return `${time} ${event.reasonName}: ${protocolText(event.protocol)} ${from} > ${to} vif ${event.ifindex} vrf ${event.vrf}${rule}\n`;
}
