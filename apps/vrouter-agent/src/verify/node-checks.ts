import { formatPrefix } from '@contrail/net';
import type { Datapath, IpPrefix } from '../datapath/port';
import { hostDevice, tunnelDevice } from '../datapath/port';
import type { ForwardingState } from '../ksync/forwarding-state';
import { hostPrefixes } from '../node/node-devices';
import { describeDifference } from './describe-value';
import { absent } from './drift';
import type { Check, Drift, Found } from './drift';

const nothing: Found = { count: 0, drifts: [] };

/** What the programs read on every packet. */
export function globalsCheck(state: ForwardingState, { upkeep }: Datapath): Check {
  return {
    kind: 'globals',
    settles: false,
    find: async () => {
      const expected = state.expectedNode()?.globals;
      if (!expected) return nothing;
      const found = upkeep.readGlobals() ?? {};
      const wanted = describeDifference(expected, found);
      if (Object.entries(expected).every(([name, value]) => isSame(value, (found as Record<string, unknown>)[name]))) return { count: 1, drifts: [] };
      const drift: Drift = {
        kind: 'globals',
        object: 'globals',
        expected: wanted,
        found: describeDifference(found, expected),
        remedy: 'the agent writes the globals again',
      };
      return { count: 1, drifts: [drift] };
    },
    mend: () => state.rewriteNode(),
  };
}

function isSame(a: unknown, b: unknown): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.from(a).equals(b);
  return a === b;
}

/** The node's own devices: there, up, with the pods' MTU. */
export function deviceCheck(state: ForwardingState, { devices }: Datapath): Check {
  return {
    kind: 'device',
    settles: true,
    find: async () => {
      const local = state.expectedNode()?.local;
      if (!local) return nothing;
      const wanted = [
        { name: tunnelDevice, ifindex: local.tunnelIfindex },
        { name: hostDevice, ifindex: local.hostIfindex },
      ];
      const drifts = wanted.flatMap(({ name, ifindex }): Drift[] => {
        const expected = deviceText({ ifindex, mtu: local.podMtu, up: true });
        const device = devices.inspectDevice(name);
        const found = device ? deviceText(device) : absent;
        return found === expected ? [] : [{ kind: 'device', object: name, expected, found, remedy: 'the agent makes the device and its programs again' }];
      });
      return { count: wanted.length, drifts };
    },
    mend: () => state.rewriteNode(),
  };
}

/** Routes that lead the node's own processes to pods and services. */
export function routeCheck(state: ForwardingState, { devices }: Datapath): Check {
  return {
    kind: 'route',
    settles: true,
    find: async () => {
      const expected = state.expectedNode();
      if (!expected) return nothing;
      const source = expected.local.nodeAddressV4 ?? expected.local.nodeAddressV6;
      const wanted = hostPrefixes(expected.config).filter(({ address }) => address.length === source?.length).map(prefixText);
      const found = devices.listHostRoutes().map(prefixText);
      return { count: wanted.length, drifts: [...missingRoutes(wanted, found), ...extraRoutes(wanted, found)] };
    },
    mend: () => state.rewriteNode(),
  };
}

function missingRoutes(wanted: readonly string[], found: readonly string[]): Drift[] {
  const missing = wanted.filter((text) => !found.includes(text));
  return missing.map((object) => ({ kind: 'route', object, expected: `dev ${hostDevice}`, found: absent, remedy: 'the agent sets the route again' }));
}

function extraRoutes(wanted: readonly string[], found: readonly string[]): Drift[] {
  const extra = found.filter((text) => !wanted.includes(text));
  return extra.map((object) => ({ kind: 'route', object, expected: absent, found: `dev ${hostDevice}`, remedy: 'the agent deletes the route' }));
}

function prefixText({ address, length }: IpPrefix): string {
  return formatPrefix({ address, length });
}

function deviceText({ ifindex, mtu, up }: { ifindex: number; mtu: number; up: boolean }): string {
  return `ifindex ${ifindex} mtu ${mtu} ${up ? 'up' : 'down'}`;
}
