import { ContrailError } from '@contrail/errors';
import { libc } from './libc';
import type { Message, Reply } from './message';
import { decodeMessages, encodeMessage, flags } from './message';

const family = 16; // AF_NETLINK
const socketType = 3 | 0o2000000; // SOCK_RAW | SOCK_CLOEXEC
const errorType = 2;
const doneType = 3;
const receiveTimeoutS = 5;
/** Shared by all sockets: an answer is read to its end before the next is received. */
const receiveBuffer = Buffer.alloc(1 << 18);

/** errno values that callers tell apart. */
export const linuxErrno = {
  EPERM: 1,
  ENOENT: 2,
  EAGAIN: 11,
  EEXIST: 17,
  ENODEV: 19,
  EOPNOTSUPP: 95,
  EADDRINUSE: 98,
  ENOBUFS: 105,
} as const;

/** NETLINK_ROUTE, and NETLINK_NETFILTER for nftables. */
export const netlinkFamilies = { route: 0, netfilter: 12 } as const;

/** The kernel refused a request. */
export class NetlinkError extends ContrailError {
  constructor(
    readonly errno: number,
    what: string,
  ) {
    super('INTERNAL', `netlink: ${what} failed with errno ${errno}`);
  }
}

/** A netlink socket; it belongs to the network namespace in which it was made. */
export class NetlinkSocket {
  private readonly fd: number;
  private sequence = 1;

  constructor(protocol: number = netlinkFamilies.route) {
    const c = libc();
    this.fd = c.socket(family, socketType, protocol);
    if (this.fd < 0) {
      throw new ContrailError('INTERNAL', `netlink: no socket (errno ${c.errno()})`);
    }
    const timeout = Buffer.alloc(16);
    timeout.writeBigInt64LE(BigInt(receiveTimeoutS));
    c.setsockopt(this.fd, 1, 20, timeout, timeout.length);
    const address = Buffer.alloc(12);
    address.writeUInt16LE(family);
    c.bind(this.fd, address, address.length);
  }

  close(): void {
    libc().close(this.fd);
  }

  /** Sends all in one call and waits for all answers. @throws NetlinkError for the first refusal. */
  request(messages: readonly Message[], what: string): void {
    if (messages.length === 0) return;
    const { data, first, last } = this.encode(messages);
    this.send(data, what);
    this.awaitAcks({ first, last, count: answeredCount(messages) }, what);
  }

  /** As `request`; the kernel works on a pool thread meanwhile (deleting a device takes 20 ms). */
  async requestAsync(messages: readonly Message[], what: string): Promise<void> {
    const { data, first, last } = this.encode(messages);
    const sent = await libc().sendAsync(this.fd, data, data.length, 0);
    if (sent !== data.length) {
      throw new ContrailError('INTERNAL', `netlink: ${what} was not sent`);
    }
    this.awaitAcks({ first, last, count: answeredCount(messages) }, what);
  }

  /** The objects of a dump, or the one object asked for. */
  query(message: Message, what: string): Reply[] {
    const { data, last } = this.encode([message]);
    this.send(data, what);
    const replies: Reply[] = [];
    for (;;) {
      for (const reply of this.receive(what)) {
        if (reply.sequence !== last) {
          continue;
        }
        if (reply.type === doneType) {
          return replies;
        }
        if (reply.type === errorType) {
          throwIfError(reply, what);
          return replies;
        }
        replies.push({ ...reply, body: Buffer.from(reply.body) });
      }
    }
  }

  private encode(messages: readonly Message[]): { data: Buffer; first: number; last: number } {
    const first = this.sequence + 1;
    const data = Buffer.concat(
      messages.map((message) =>
        encodeMessage(
          {
            ...message,
            flags: message.flags | flags.request | (message.unanswered ? 0 : flags.ack),
          },
          ++this.sequence,
        )
      ),
    );
    return { data, first, last: this.sequence };
  }

  private send(data: Buffer, what: string): void {
    const c = libc();
    if (c.send(this.fd, data, data.length, 0) !== data.length) {
      throw new ContrailError('INTERNAL', `netlink: ${what} was not sent (errno ${c.errno()})`);
    }
  }

  /** The refusal of a batch's first message, its frame, is the only answer to it. */
  private awaitAcks(range: { first: number; last: number; count: number }, what: string): void {
    let missing = range.count;
    let failure: unknown;
    while (missing > 0) {
      for (const reply of this.receive(what)) {
        const isOurs = reply.sequence >= range.first && reply.sequence <= range.last;
        if (reply.type !== errorType || !isOurs) {
          continue;
        }
        missing -= 1;
        try {
          throwIfError(reply, what);
        } catch (error) {
          failure ??= error;
          if (range.count <= range.last - range.first && reply.sequence === range.first) missing = 0;
        }
      }
    }
    if (failure !== undefined) {
      throw failure;
    }
  }

  private receive(what: string): Reply[] {
    const c = libc();
    const length = c.receive(this.fd, receiveBuffer, receiveBuffer.length, 0);
    if (length < 0) {
      throw new ContrailError('UNAVAILABLE', `netlink: no answer to ${what} (errno ${c.errno()})`);
    }
    return decodeMessages(receiveBuffer.subarray(0, length));
  }
}

const answeredCount = (messages: readonly Message[]): number =>
  messages.filter(({ unanswered }) => unanswered === undefined).length;

function throwIfError(reply: Reply, what: string): void {
  const code = reply.body.readInt32LE(0);
  if (code !== 0) {
    throw new NetlinkError(-code, what);
  }
}
