import { ContrailError } from '@contrail/errors';
import { linuxErrno, NetlinkError, type NetlinkSocket } from '../netlink/netlink-socket';
import * as rt from '../netlink/rtnetlink';
import { tunnelDevice } from '../port';
import { guardedGroup } from './host-guard';
import { findLink, gatewayMac, getLink } from './pod-interface';
import { disableIpv6, releaseReversePathFilter, writeSysctl } from './sysctl';

/** The node's one tunnel device. */
export const tunnelName = tunnelDevice;
const vxlanPort = 4789;

/** As `Devices.ensureTunnel`: one VXLAN device that takes remote and VNI from each packet. */
export function ensureTunnel(
  socket: NetlinkSocket,
  options: { mtu: number },
): { ifindex: number; mac: Uint8Array } {
  const existing = findLink(socket, tunnelName);
  if (existing !== undefined && !existing.collectsMetadata) {
    socket.request([rt.deleteLink(tunnelName)], `removal of the old ${tunnelName}`);
  }
  if (existing === undefined || !existing.collectsMetadata) {
    socket.request(
      [
        rt.createMetadataVxlan(
          { name: tunnelName, mac: gatewayMac, mtu: options.mtu, group: guardedGroup },
          vxlanPort,
        ),
      ],
      `creation of ${tunnelName}`,
    );
  }
  const link = getLink(socket, tunnelName);
  // First what "all" says goes to every device, or it would come back to this one later.
  releaseReversePathFilter();
  writeSysctl(`ipv4/conf/${tunnelName}/rp_filter`, '0');
  disableIpv6(tunnelName);
  try {
    socket.request(
      [
        ...(link.mtu === options.mtu ? [] : [rt.setLinkMtu(link.ifindex, options.mtu)]),
        ...(link.group === guardedGroup ? [] : [rt.setLinkGroup(link.ifindex, guardedGroup)]),
        rt.setLinkUp(link.ifindex),
      ],
      `activation of ${tunnelName}`,
    );
  } catch (cause) {
    if (cause instanceof NetlinkError && cause.errno === linuxErrno.EADDRINUSE) {
      throw new ContrailError(
        'FAILED_PRECONDITION',
        `Device/${tunnelName}: UDP port ${vxlanPort} is taken; remove the other VXLAN device of this node`,
        { cause },
      );
    }
    throw cause;
  }
  return { ifindex: link.ifindex, mac: link.mac };
}
