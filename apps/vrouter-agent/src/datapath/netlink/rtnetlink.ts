/** The messages we need: links, addresses, routes, neighbours. Numbers from <linux/rtnetlink.h>. */
import type { Attribute, Message, Reply } from './message';
import {
  byte,
  decodeAttributes,
  decodeText,
  encodeAttributes,
  flags,
  nested,
  raw,
  text,
  word,
} from './message';

const types = {
  newLink: 16,
  deleteLink: 17,
  getLink: 18,
  newAddress: 20,
  getAddress: 22,
  newRoute: 24,
  deleteRoute: 25,
  getRoute: 26,
  newNeighbour: 28,
} as const;

const ifla = {
  address: 1,
  name: 3,
  mtu: 4,
  link: 5,
  linkInfo: 18,
  alias: 20,
  afSpec: 26,
  group: 27,
  netnsFd: 28,
  infoKind: 1,
  infoData: 2,
  vethPeer: 1,
  vxlanLearning: 7,
  vxlanPort: 15,
  vxlanCollectMetadata: 25,
} as const;

const up = 1;
const inetFamily = 2;
const noArp = 0x80;

/** Routes that this agent made, as `ip route` shows them: "proto 140". */
const routeProtocol = 140;
const mainTable = 254;

function linkHeader(ifindex: number, deviceFlags = 0, change = 0): Buffer {
  const header = Buffer.alloc(16);
  header.writeInt32LE(ifindex, 4);
  header.writeUInt32LE(deviceFlags, 8);
  header.writeUInt32LE(change, 12);
  return header;
}

function linkMessage(
  type: number,
  messageFlags: number,
  header: Buffer,
  attributes: readonly Attribute[],
): Message {
  return { type, flags: messageFlags, body: Buffer.concat([header, encodeAttributes(attributes)]) };
}

export interface VethEnd {
  readonly name: string;
  readonly mac: Uint8Array;
  readonly mtu: number;
  /** Namespace of the end; undefined: that of the socket. */
  readonly netnsFd?: number;
  /** Device group; undefined: the kernel's default, 0. */
  readonly group?: number;
}

const endAttributes = (end: VethEnd): Attribute[] => [
  text(ifla.name, end.name),
  raw(ifla.address, end.mac),
  word(ifla.mtu, end.mtu),
  ...(end.netnsFd === undefined ? [] : [word(ifla.netnsFd, end.netnsFd)]),
  ...(end.group === undefined ? [] : [word(ifla.group, end.group)]),
];

export function createVeth(end: VethEnd, peer: VethEnd): Message {
  return linkMessage(types.newLink, flags.create | flags.exclusive, linkHeader(0), [
    ...endAttributes(end),
    nested(ifla.linkInfo, [
      text(ifla.infoKind, 'veth'),
      nested(ifla.infoData, [nested(ifla.vethPeer, endAttributes(peer), linkHeader(0))]),
    ]),
  ]);
}

/** A VXLAN device that takes remote and VNI from each packet's metadata. */
export function createMetadataVxlan(device: VethEnd, port: number): Message {
  const portBytes = Buffer.alloc(2);
  portBytes.writeUInt16BE(port);
  return linkMessage(types.newLink, flags.create | flags.exclusive, linkHeader(0), [
    ...endAttributes(device),
    nested(ifla.linkInfo, [
      text(ifla.infoKind, 'vxlan'),
      nested(ifla.infoData, [
        byte(ifla.vxlanCollectMetadata, 1),
        byte(ifla.vxlanLearning, 0),
        raw(ifla.vxlanPort, portBytes),
      ]),
    ]),
  ]);
}

export function setLinkUp(
  ifindex: number,
  options: { noArp: boolean } = { noArp: false },
): Message {
  const wanted = options.noArp ? up | noArp : up;
  return linkMessage(types.newLink, 0, linkHeader(ifindex, wanted, wanted), []);
}

export function setLinkMtu(ifindex: number, mtu: number): Message {
  return linkMessage(types.newLink, 0, linkHeader(ifindex), [word(ifla.mtu, mtu)]);
}

export function setLinkMac(ifindex: number, mac: Uint8Array): Message {
  return linkMessage(types.newLink, 0, linkHeader(ifindex), [raw(ifla.address, mac)]);
}

/** IFLA_INET_CONF, and IPV4_DEVCONF_RP_FILTER in it. */
const inetConf = { attribute: 1, reversePathFilter: 8 } as const;

/** In one step: group, alias unless undefined, no filter by reverse path, up. */
export function activateLink(ifindex: number, options: { group: number; alias: string | undefined }): Message {
  const ipv4 = nested(inetFamily, [nested(inetConf.attribute, [word(inetConf.reversePathFilter, 0)])]);
  return linkMessage(types.newLink, 0, linkHeader(ifindex, up, up), [
    word(ifla.group, options.group),
    ...(options.alias === undefined ? [] : [raw(ifla.alias, Buffer.from(options.alias, 'utf8'))]),
    nested(ifla.afSpec, [ipv4]),
  ]);
}

export function setLinkGroup(ifindex: number, group: number): Message {
  return linkMessage(types.newLink, 0, linkHeader(ifindex), [word(ifla.group, group)]);
}

export function deleteLink(name: string): Message {
  return linkMessage(types.deleteLink, 0, linkHeader(0), [text(ifla.name, name)]);
}

export function getLink(name: string): Message {
  return linkMessage(types.getLink, 0, linkHeader(0), [text(ifla.name, name)]);
}

export function getLinkByIndex(ifindex: number): Message {
  return linkMessage(types.getLink, 0, linkHeader(ifindex), []);
}

export function dumpLinks(): Message {
  return linkMessage(types.getLink, flags.dump, linkHeader(0), []);
}

export interface Link {
  readonly ifindex: number;
  readonly name: string;
  readonly kind: string | undefined;
  readonly mac: Uint8Array;
  readonly mtu: number;
  readonly alias: string | undefined;
  readonly up: boolean;
  readonly group: number;
  /** Index of the other end of a pair, in its own namespace. */
  readonly peerIfindex: number;
  /** VXLAN: takes remote and VNI from metadata. */
  readonly collectsMetadata: boolean;
}

export function decodeLink(reply: Reply): Link {
  const attributes = decodeAttributes(reply.body.subarray(16));
  const info = decodeAttributes(attributes.get(ifla.linkInfo) ?? Buffer.alloc(0));
  const data = decodeAttributes(info.get(ifla.infoData) ?? Buffer.alloc(0));
  return {
    ifindex: reply.body.readInt32LE(4),
    name: decodeText(attributes.get(ifla.name)) ?? '',
    kind: decodeText(info.get(ifla.infoKind)),
    mac: Uint8Array.from(attributes.get(ifla.address) ?? []),
    mtu: attributes.get(ifla.mtu)?.readUInt32LE(0) ?? 0,
    alias: decodeText(attributes.get(ifla.alias)),
    up: (reply.body.readUInt32LE(8) & up) !== 0,
    group: attributes.get(ifla.group)?.readUInt32LE(0) ?? 0,
    peerIfindex: attributes.get(ifla.link)?.readUInt32LE(0) ?? 0,
    collectsMetadata: data.get(ifla.vxlanCollectMetadata)?.[0] === 1,
  };
}

const familyOf = (address: Uint8Array): number => (address.length === 4 ? inetFamily : 10);
const noDuplicateDetection = 0x02;

/** The address as a single host. */
export function addAddress(ifindex: number, address: Uint8Array): Message {
  const header = Buffer.alloc(8);
  header.writeUInt8(familyOf(address), 0);
  header.writeUInt8(address.length * 8, 1);
  header.writeUInt8(address.length === 16 ? noDuplicateDetection : 0, 2);
  header.writeUInt32LE(ifindex, 4);
  const local = 2;
  const peer = 1;
  return {
    type: types.newAddress,
    flags: flags.create | flags.replace,
    body: Buffer.concat([header, encodeAttributes([raw(local, address), raw(peer, address)])]),
  };
}

export function dumpAddresses(): Message {
  return { type: types.getAddress, flags: flags.dump, body: Buffer.alloc(8) };
}

export interface InterfaceAddress {
  readonly ifindex: number;
  readonly address: Uint8Array;
}

export function decodeAddress(reply: Reply): InterfaceAddress {
  const attributes = decodeAttributes(reply.body.subarray(8));
  return {
    ifindex: reply.body.readUInt32LE(4),
    address: Uint8Array.from(attributes.get(2) ?? attributes.get(1) ?? []),
  };
}

const rta = { destination: 1, output: 4, gateway: 5, source: 7 } as const;

export interface Route {
  readonly destination: Uint8Array;
  readonly length: number;
  readonly ifindex: number;
  /** undefined: the destination is on the link. */
  readonly gateway?: Uint8Array;
  /** Source address that the node's own processes get. */
  readonly source?: Uint8Array;
}

function routeBody(route: Route): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt8(familyOf(route.destination), 0);
  header.writeUInt8(route.length, 1);
  header.writeUInt8(mainTable, 4);
  header.writeUInt8(routeProtocol, 5);
  const linkScope = 253;
  header.writeUInt8(route.gateway === undefined ? linkScope : 0, 6);
  header.writeUInt8(1, 7);
  return Buffer.concat([
    header,
    encodeAttributes([
      ...(route.length === 0 ? [] : [raw(rta.destination, route.destination)]),
      ...(route.gateway === undefined ? [] : [raw(rta.gateway, route.gateway)]),
      ...(route.source === undefined ? [] : [raw(rta.source, route.source)]),
      word(rta.output, route.ifindex),
    ]),
  ]);
}

export function setRoute(route: Route): Message {
  return { type: types.newRoute, flags: flags.create | flags.replace, body: routeBody(route) };
}

export function deleteRoute(route: Route): Message {
  return { type: types.deleteRoute, flags: 0, body: routeBody(route) };
}

export function dumpRoutes(): Message {
  return { type: types.getRoute, flags: flags.dump, body: Buffer.alloc(12) };
}

/** The route when this agent made it. */
export function decodeOwnRoute(reply: Reply): Route | undefined {
  if (reply.body.readUInt8(5) !== routeProtocol) {
    return undefined;
  }
  const attributes = decodeAttributes(reply.body.subarray(12));
  const size = reply.body.readUInt8(0) === 2 ? 4 : 16;
  return {
    destination: Uint8Array.from(attributes.get(rta.destination) ?? Buffer.alloc(size)),
    length: reply.body.readUInt8(1),
    ifindex: attributes.get(rta.output)?.readUInt32LE(0) ?? 0,
    ...optional('gateway', attributes.get(rta.gateway)),
    ...optional('source', attributes.get(rta.source)),
  };
}

function optional(name: 'gateway' | 'source', value: Buffer | undefined): Pick<Route, 'gateway' | 'source'> {
  return value === undefined ? {} : { [name]: Uint8Array.from(value) };
}

/** A neighbour that is never asked for. */
export function setNeighbour(ifindex: number, address: Uint8Array, mac: Uint8Array): Message {
  const header = Buffer.alloc(12);
  header.writeUInt8(familyOf(address), 0);
  header.writeInt32LE(ifindex, 4);
  const permanent = 0x80;
  header.writeUInt16LE(permanent, 8);
  return {
    type: types.newNeighbour,
    flags: flags.create | flags.replace,
    body: Buffer.concat([header, encodeAttributes([raw(1, address), raw(2, mac)])]),
  };
}
