/**
 * The device through which the node's own processes reach pods and services: one end of a pair
 * whose other end nobody listens on. A program at its egress takes every packet.
 */
import { addressKey } from '@contrail/net';
import type { NetlinkSocket } from '../netlink/netlink-socket';
import * as rt from '../netlink/rtnetlink';
import { hostDevice } from '../port';
import type { IpPrefix } from '../port';
import { findLink, getLink } from './pod-interface';
import { disableIpv6, releaseReversePathFilter, writeSysctl } from './sysctl';

export const hostInterfaceName = hostDevice;
const otherEnd = 'vhost0-peer';
const hostMac = Uint8Array.of(0x02, 0x00, 0x5e, 0x00, 0x01, 0x01);
const otherMac = Uint8Array.of(0x02, 0x00, 0x5e, 0x00, 0x01, 0x02);

export interface HostInterfaceOptions {
  readonly mtu: number;
  readonly nodeAddress: Uint8Array;
  readonly prefixes: readonly IpPrefix[];
}

/** What lets the node's stack take packets that the datapath hands to it. */
function prepareStack(): void {
  releaseReversePathFilter();
  for (const device of [hostInterfaceName, 'lo']) {
    writeSysctl(`ipv4/conf/${device}/rp_filter`, '0');
    // Answers of a hostPort come back on lo with the node's own address, or 127.0.0.1, as source.
    writeSysctl(`ipv4/conf/${device}/accept_local`, '1');
  }
  writeSysctl('ipv4/conf/lo/route_localnet', '1');
  disableIpv6(hostInterfaceName);
  disableIpv6(otherEnd);
}

function ensurePair(socket: NetlinkSocket, mtu: number): number {
  if (findLink(socket, hostInterfaceName) === undefined) {
    socket.request(
      [
        rt.createVeth(
          { name: hostInterfaceName, mac: hostMac, mtu },
          { name: otherEnd, mac: otherMac, mtu },
        ),
      ],
      `creation of ${hostInterfaceName}`,
    );
  }
  const host = getLink(socket, hostInterfaceName);
  const other = getLink(socket, otherEnd);
  prepareStack();
  socket.request(
    [
      ...(host.mtu === mtu
        ? []
        : [rt.setLinkMtu(other.ifindex, mtu), rt.setLinkMtu(host.ifindex, mtu)]),
      rt.setLinkUp(other.ifindex, { noArp: true }),
      rt.setLinkUp(host.ifindex, { noArp: true }),
    ],
    `activation of ${hostInterfaceName}`,
  );
  return host.ifindex;
}

const routeKey = (route: { destination: Uint8Array; length: number }): string =>
  `${addressKey(route.destination)}/${route.length}`;

/** As `Devices.ensureHostInterface`. */
export function ensureHostInterface(
  socket: NetlinkSocket,
  options: HostInterfaceOptions,
): { ifindex: number } {
  const ifindex = ensurePair(socket, options.mtu);
  // One address family at a time can have the node's address as source.
  const wanted = options.prefixes
    .filter(({ address }) => address.length === options.nodeAddress.length)
    .map(({ address, length }) => ({
      destination: address,
      length,
      ifindex,
      source: options.nodeAddress,
    }));
  const keep = new Set(wanted.map(routeKey));
  const present = socket
    .query(rt.dumpRoutes(), 'dump of routes')
    .map(rt.decodeOwnRoute)
    .filter((route) => route !== undefined)
    .filter((route) => route.ifindex === ifindex);
  const stale = present.filter((route) => !keep.has(routeKey(route)));
  socket.request(
    [...wanted.map((route) => rt.setRoute(route)), ...stale.map((route) => rt.deleteRoute(route))],
    `routes of ${hostInterfaceName}`,
  );
  return { ifindex };
}
