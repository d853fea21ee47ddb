import { ContrailError } from '@contrail/errors';
import { libc } from './libc';
import { decodeMessages } from './message';
import { linuxErrno } from './netlink-socket';

const family = 16; // AF_NETLINK
const socketType = 3 | 0o2000000; // SOCK_RAW | SOCK_CLOEXEC
const dontWait = 0x40;
const receiveSize = 1 << 16;

/** RTMGRP_…: what the kernel tells. */
const groups = { link: 0x1, trafficControl: 0x8, addressV4: 0x10, addressV6: 0x100 } as const;

/** RTM_… that can take something of ours away. */
const types = {
  deleteLink: 17,
  newAddress: 20,
  deleteAddress: 21,
  deleteQdisc: 37,
  deleteFilter: 45,
} as const;

/** Devices that lost something since the last look; `all` when the kernel could not tell every one. */
export type Disturbed = ReadonlySet<number> | 'all';

/** Tells which devices of the network namespace lost programs or addresses, or went. Never waits. */
export class LinkMonitor {
  private readonly fd: number;
  private readonly buffer = Buffer.alloc(receiveSize);

  constructor() {
    const c = libc();
    this.fd = c.socket(family, socketType, 0);
    const address = Buffer.alloc(12);
    address.writeUInt16LE(family);
    const wanted = groups.link | groups.trafficControl | groups.addressV4 | groups.addressV6;
    address.writeUInt32LE(wanted, 8);
    if (this.fd < 0 || c.bind(this.fd, address, address.length) !== 0) {
      throw new ContrailError('INTERNAL', `netlink: no events of devices (errno ${c.errno()})`);
    }
  }

  /** What happened since the last call. */
  take(): Disturbed {
    const found = new Set<number>();
    const c = libc();
    for (;;) {
      const length = c.receive(this.fd, this.buffer, this.buffer.length, dontWait);
      if (length < 0 && c.errno() === linuxErrno.ENOBUFS) {
        return 'all';
      }
      if (length <= 0) {
        return found;
      }
      for (const { type, body } of decodeMessages(this.buffer.subarray(0, length))) {
        // ifinfomsg, ifaddrmsg and tcmsg have the device's number at the same place.
        if (Object.values(types).some((each) => each === type)) found.add(body.readInt32LE(4));
      }
    }
  }

  close(): void {
    libc().close(this.fd);
  }
}
