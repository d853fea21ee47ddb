/** The pair of devices between a pod and the node. */
import { ContrailError } from '@contrail/errors';
import { addressEquals } from '@contrail/net';
import { libc } from '../netlink/libc';
import type { Message } from '../netlink/message';
import { linuxErrno, NetlinkError, NetlinkSocket } from '../netlink/netlink-socket';
import { inNetns } from '../netlink/netns';
import * as rt from '../netlink/rtnetlink';
import type { InsideInterface, PodInterface, PodInterfaceRequest, SourceRoute } from '../port';
import { guardedGroup } from './host-guard';
import { disableIpv6, setNewSysctl } from './sysctl';

/** MAC of every gateway and of our devices: the kernel takes what pods send there as its own. */
export const gatewayMac = Uint8Array.of(0x00, 0x00, 0x5e, 0x00, 0x01, 0x00);

const loopbackIfindex = 1;

/** The link of that name in the socket's namespace; undefined when there is none. */
export function findLink(socket: NetlinkSocket, name: string): rt.Link | undefined {
  try {
    const reply = socket.query(rt.getLink(name), `look-up of device ${name}`)[0];
    return reply === undefined ? undefined : rt.decodeLink(reply);
  } catch (error) {
    if (error instanceof NetlinkError && error.errno === linuxErrno.ENODEV) {
      return undefined;
    }
    throw error;
  }
}

/** @throws ContrailError NOT_FOUND */
export function getLink(socket: NetlinkSocket, name: string): rt.Link {
  const link = findLink(socket, name);
  if (link === undefined) {
    throw new ContrailError('NOT_FOUND', `Device/${name}: does not exist`);
  }
  return link;
}

/** All goes through the gateway; prefixes with a source of their own have a route of their own. */
function gatewayMessages(request: PodInterfaceRequest, ifindex: number): Message[] {
  const gateways = [request.gatewayV4, request.gatewayV6].filter((each) => each !== undefined);
  return gateways.flatMap((gateway) => {
    const ofFamily = request.sourceRoutes.filter(({ source }) => source.length === gateway.length);
    const isDefault = ({ prefix }: SourceRoute): boolean => prefix.length === 0;
    const anywhere = { destination: new Uint8Array(gateway.length), length: 0, ifindex, gateway };
    const source = ofFamily.find(isDefault)?.source;
    return [
      rt.setRoute({ destination: gateway, length: gateway.length * 8, ifindex }),
      rt.setNeighbour(ifindex, gateway, gatewayMac),
      rt.setRoute(source ? { ...anywhere, source } : anywhere),
      ...ofFamily
        .filter((route) => !isDefault(route))
        .map(({ prefix, source }) => rt.setRoute({ destination: prefix.address, length: prefix.length, ifindex, gateway, source })),
    ];
  });
}

function configureInside(request: PodInterfaceRequest, socket: NetlinkSocket, ifindex: number): void {
  socket.request(
    [
      rt.setLinkUp(loopbackIfindex),
      rt.setLinkUp(ifindex),
      ...request.addresses.map((address) => rt.addAddress(ifindex, address)),
      ...gatewayMessages(request, ifindex),
    ],
    `configuration of ${request.containerInterface} in ${request.netnsPath}`,
  );
}

/** Index of a device in the thread's network namespace. @throws ContrailError NOT_FOUND */
function getIndex(name: string): number {
  const ifindex = libc().deviceIndex(name);
  if (ifindex === 0) throw new ContrailError('NOT_FOUND', `Device/${name}: does not exist`);
  return ifindex;
}

function createPair(request: PodInterfaceRequest, socket: NetlinkSocket, netnsFd: number): void {
  const { hostInterface, containerInterface, mac, mtu } = request;
  try {
    socket.request(
      [
        rt.createVeth(
          { name: hostInterface, mac: gatewayMac, mtu, group: guardedGroup },
          { name: containerInterface, mac, mtu, netnsFd },
        ),
      ],
      `creation of device ${hostInterface}`,
    );
  } catch (error) {
    if (error instanceof NetlinkError && error.errno === linuxErrno.EEXIST) {
      throw new ContrailError(
        'ALREADY_EXISTS',
        `Device/${hostInterface}: it, or ${containerInterface} in ${request.netnsPath}, exists already`,
        { cause: error },
      );
    }
    throw error;
  }
}

/** As `Devices.createPodInterface`. Leaves nothing behind when it throws. */
export function createPodInterface(
  socket: NetlinkSocket,
  request: PodInterfaceRequest,
): PodInterface {
  const inside = inNetns(request.netnsPath, (netnsFd) => {
    createPair(request, socket, netnsFd);
    if (request.addresses.every((address) => address.length === 4)) {
      disableIpv6(request.containerInterface, setNewSysctl);
    }
    return { socket: new NetlinkSocket(), ifindex: getIndex(request.containerInterface) };
  });
  try {
    configureInside(request, inside.socket, inside.ifindex);
    disableIpv6(request.hostInterface, setNewSysctl);
    return { hostIfindex: getIndex(request.hostInterface), containerIfindex: inside.ifindex };
  } catch (error) {
    socket.request([rt.deleteLink(request.hostInterface)], `removal of ${request.hostInterface}`);
    throw error;
  } finally {
    inside.socket.close();
  }
}

/** As `Devices.mendPodInterface`. */
export function mendPodInterface(socket: NetlinkSocket, request: PodInterfaceRequest): void {
  const { hostInterface, containerInterface, mac, mtu } = request;
  const inside = inNetns(request.netnsPath, () => new NetlinkSocket());
  try {
    const host = getLink(socket, hostInterface);
    const { ifindex } = getLink(inside, containerInterface);
    const what = `mending of ${hostInterface}`;
    socket.request([rt.setLinkMac(host.ifindex, gatewayMac), rt.setLinkMtu(host.ifindex, mtu), rt.setLinkUp(host.ifindex)], what);
    inside.request([rt.setLinkMac(ifindex, mac), rt.setLinkMtu(ifindex, mtu)], what);
    configureInside(request, inside, ifindex);
  } finally {
    inside.close();
  }
}

/** As `Devices.inspectPodInterface`. */
export function inspectPodInterface(
  netnsPath: string,
  containerInterface: string,
): InsideInterface | undefined {
  const inside = inNetns(netnsPath, () => new NetlinkSocket());
  try {
    const link = findLink(inside, containerInterface);
    if (link === undefined) {
      return undefined;
    }
    const addresses = inside
      .query(rt.dumpAddresses(), `addresses in ${netnsPath}`)
      .map(rt.decodeAddress)
      .filter(({ ifindex, address }) => ifindex === link.ifindex && !isLinkLocal(address));
    const routes = inside
      .query(rt.dumpRoutes(), `routes in ${netnsPath}`)
      .map(rt.decodeOwnRoute)
      .filter((route) => route?.ifindex === link.ifindex)
      .filter((route) => route !== undefined);
    return {
      mac: link.mac,
      addresses: addresses.map(({ address }) => address),
      mtu: link.mtu,
      up: link.up,
      gateways: routes.flatMap(({ length, gateway }) => (length === 0 && gateway ? [gateway] : [])),
      sourceRoutes: routes.flatMap(({ destination: address, length, source }) => (source ? [{ prefix: { address, length }, source }] : [])),
      peerIfindex: link.peerIfindex,
    };
  } finally {
    inside.close();
  }
}

/** The kernel's own IPv6 address of a device, fe80::/10. */
function isLinkLocal(address: Uint8Array): boolean {
  return address.length === 16 && address[0] === 0xfe && ((address[1] ?? 0) & 0xc0) === 0x80;
}

export function isOurPodLink(link: rt.Link): boolean {
  return link.kind === 'veth' && addressEquals(link.mac, gatewayMac);
}
