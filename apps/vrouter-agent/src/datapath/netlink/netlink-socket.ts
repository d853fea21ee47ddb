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

/** What the kernel says to a request. */
interface Expected {
  readonly first: number;
  readonly last: number;
  /** Between frames (an nftables batch), which are not answered unless the first one is refused. */
  readonly isFramed: boolean;
  /** Sequence numbers whose answer is still to come. */
  readonly answered: Set<number>;
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

  /** Sends all in one call and waits until all are done. @throws NetlinkError for the first refusal. */
  request(messages: readonly Message[], what: string): void {
    if (messages.length === 0) return;
    const { data, expected } = this.encode(messages);
    this.send(data, what);
    this.awaitAnswers(expected, what);
  }

  /** As `request`; the kernel works on a pool thread meanwhile (deleting a device takes 20 ms). */
  async requestAsync(messages: readonly Message[], what: string): Promise<void> {
    const { data, expected } = this.encode(messages);
    const sent = await libc().sendAsync(this.fd, data, data.length, 0);
    if (sent !== data.length) {
      throw new ContrailError('INTERNAL', `netlink: ${what} was not sent`);
    }
    this.awaitAnswers(expected, what);
  }

  /** The objects of a dump, or the one object asked for. */
  query(message: Message, what: string): Reply[] {
    const { data, expected: { last } } = this.encode([message]);
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

  /**
   * The kernel works through a request in order and tells each refusal, so the answer to the last message says that
   * all are done. In a framed request every message between the frames is answered.
   */
  private encode(messages: readonly Message[]): { data: Buffer; expected: Expected } {
    const first = this.sequence + 1;
    const last = this.sequence + messages.length;
    const isFramed = messages.some(({ unanswered }) => unanswered);
    const answered = new Set<number>();
    const encoded = messages.map((message) => {
      this.sequence += 1;
      const isAnswered = isFramed ? !message.unanswered : this.sequence === last;
      if (isAnswered) answered.add(this.sequence);
      return encodeMessage({ ...message, flags: message.flags | flags.request | (isAnswered ? flags.ack : 0) }, this.sequence);
    });
    return { data: Buffer.concat(encoded), expected: { first, last, isFramed, answered } };
  }

  private send(data: Buffer, what: string): void {
    const c = libc();
    if (c.send(this.fd, data, data.length, 0) !== data.length) {
      throw new ContrailError('INTERNAL', `netlink: ${what} was not sent (errno ${c.errno()})`);
    }
  }

  private awaitAnswers({ first, last, isFramed, answered }: Expected, what: string): void {
    let failure: unknown;
    while (answered.size > 0) {
      for (const reply of this.receive(what)) {
        if (reply.type !== errorType || reply.sequence < first || reply.sequence > last) continue;
        answered.delete(reply.sequence);
        try {
          throwIfError(reply, what);
        } catch (error) {
          failure ??= error;
          // The refusal of the first frame is the only answer.
          if (isFramed && reply.sequence === first) answered.clear();
        }
      }
    }
    if (failure !== undefined) throw failure;
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

function throwIfError(reply: Reply, what: string): void {
  const code = reply.body.readInt32LE(0);
  if (code !== 0) {
    throw new NetlinkError(-code, what);
  }
}
