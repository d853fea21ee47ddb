/** Frames as they are, out of a device of a network namespace: what a pod with CAP_NET_RAW can send. */
import { findLink } from '../devices/pod-interface';
import { libc } from '../netlink/libc';
import { NetlinkSocket } from '../netlink/netlink-socket';
import { inNetns } from '../netlink/netns';

const packetFamily = 17; // AF_PACKET
const rawSocket = 3; // SOCK_RAW

/** @throws Error when the device does not exist, or a frame could not be sent. */
export function sendFrames(netns: string, device: string, frames: readonly Buffer[]): void {
  inNetns(netns, () => {
    const ifindex = ifindexOf(device);
    const c = libc();
    const fd = c.socket(packetFamily, rawSocket, 0);
    try {
      const address = Buffer.alloc(20); // struct sockaddr_ll
      address.writeUInt16LE(packetFamily, 0);
      address.writeInt32LE(ifindex, 4);
      if (fd < 0 || c.bind(fd, address, address.length) !== 0) throw new Error(`${device}: no raw socket, errno ${c.errno()}`);
      for (const frame of frames) {
        if (c.send(fd, frame, frame.length, 0) !== frame.length) throw new Error(`${device}: not sent, errno ${c.errno()}`);
      }
    } finally {
      if (fd >= 0) c.close(fd);
    }
  });
}

function ifindexOf(device: string): number {
  const socket = new NetlinkSocket();
  try {
    const link = findLink(socket, device);
    if (link === undefined) throw new Error(`${device}: does not exist`);
    return link.ifindex;
  } finally {
    socket.close();
  }
}
