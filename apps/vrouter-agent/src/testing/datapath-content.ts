import { formatAddress, formatPrefix } from '@contrail/net';
import type { NextHopValue } from '../datapath/port';
import type { FakeDatapath } from '../datapath/testing/fake-datapath';
import { backendText } from '../oper/backend-text';
import { nextHopText } from '../oper/next-hop-values';

/**
 * What a datapath does, without the numbers that the agent chose: routes with the content of their
 * next hops, services with their backends. Two agents that agree have equal content. References
 * to rows that do not exist show as "missing".
 */
export function datapathContent(datapath: FakeDatapath): string[] {
  const hop = (id: number): string => describeNextHop(datapath, id);
  const lines = [
    ...datapath.vrfs.dump().map(([id, value]) => `vrf ${id} ${JSON.stringify(value)}`),
    ...datapath.hostRoutes.dump().map(([key, value]) =>
      `host ${key.vrf} ${formatAddress(key.address)} -> ${hop(value.nextHop)}`,
    ),
    ...datapath.prefixRoutes.dump().map(([key, value]) =>
      `prefix ${key.vrf} ${formatPrefix(key.prefix)} -> ${hop(value.nextHop)}`,
    ),
    ...datapath.labelsIn.dump().map(([label, value]) => `labelIn ${label} ${JSON.stringify(value)}`),
    ...datapath.labelsOut.dump().map(([key, label]) => `labelOut ${JSON.stringify(key)} ${label}`),
    ...datapath.services.dump().map(([key, value]) => {
      const { id, slotCount, ...flags } = value;
      const slots = Array.from({ length: slotCount }, (_, slot) => {
        const backend = datapath.backends.get({ service: id, slot });
        return backend ? backendText(backend) : 'missing';
      });
      const members = [...new Set(slots)].sort().join(',');
      return `service ${key.vrf} ${formatAddress(key.address)} ${key.protocol} ${key.port} ${JSON.stringify(flags)} ${members}`;
    }),
    ...datapath.nodes.dump().map(([key, value]) => `node ${formatAddress(key.address)} ${value.self}`),
    ...datapath.policies.dump().map(([key, value]) => `policy ${JSON.stringify(key)} ${JSON.stringify(value)}`),
    ...datapath.sources.dump().map(([key]) => `source ${key.ifindex} ${key.vlan} ${formatPrefix(key.prefix)}`),
    ...datapath.vifs.dump().map(([key, value]) => `vif ${JSON.stringify(key)} ${JSON.stringify(value)}`),
  ];
  return lines.sort();
}

function describeNextHop(datapath: FakeDatapath, id: number): string {
  const value = datapath.nextHops.get(id);
  if (!value) return 'missing';
  return value.kind === 'composite' ? describeComposite(datapath, id, value) : nextHopText(value);
}

function describeComposite(datapath: FakeDatapath, id: number, value: NextHopValue): string {
  const members = Array.from({ length: value.memberCount }, (_, slot) => {
    const member = datapath.composites.get({ nextHop: id, slot });
    return member ? describeNextHop(datapath, member.nextHop) : 'missing';
  });
  return `ecmp(${[...new Set(members)].sort().join(' ')})`;
}

/** Rows that nothing names: next hops without a route, backends without a service. */
export function orphanRows(datapath: FakeDatapath): string[] {
  const hops = new Set<number>();
  for (const [, { nextHop }] of [...datapath.hostRoutes.dump(), ...datapath.prefixRoutes.dump()]) hops.add(nextHop);
  for (const [key, { nextHop }] of datapath.composites.dump()) if (hops.has(key.nextHop)) hops.add(nextHop);
  const slots = new Map(datapath.services.dump().map(([, { id, slotCount }]) => [id, slotCount]));
  return [
    ...datapath.nextHops.dump().flatMap(([id]) => (hops.has(id) ? [] : [`next hop ${id}`])),
    ...datapath.composites.dump().flatMap(([key]) => {
      const count = datapath.nextHops.get(key.nextHop)?.memberCount ?? 0;
      return key.slot < count ? [] : [`composite ${key.nextHop} slot ${key.slot}`];
    }),
    ...datapath.backends.dump().flatMap(([key]) =>
      key.slot < (slots.get(key.service) ?? 0) ? [] : [`backend ${key.service} slot ${key.slot}`],
    ),
  ];
}
