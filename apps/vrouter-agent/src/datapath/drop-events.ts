/** Reads the kernel's event ring: mapped memory, no system call while it is empty. */
import koffi from 'koffi';
import { ContrailError } from '@contrail/errors';
import { dropReasonName } from './drop-reasons';
import { dropEventStruct } from './layout/flow-structs';
import { libc } from './netlink/libc';
import type { DropEvent } from './port';

const pageSize = 4096;
const headerSize = 8;
const busyBit = 0x8000_0000;
const discardBit = 0x4000_0000;
const readWrite = 3;
const readOnly = 1;

/** A BPF ring buffer map with one consumer. */
export class RingBuffer {
  private readonly consumer: BigUint64Array;
  private readonly producer: BigUint64Array;
  private readonly data: Buffer;
  private readonly mappings: Array<{ address: bigint; length: number }> = [];

  /** @param size max_entries of the map: bytes, a power of two. */
  constructor(
    fd: number,
    private readonly size: number,
  ) {
    this.consumer = new BigUint64Array(this.map(fd, pageSize, readWrite, 0), 0, 1);
    // The data is mapped twice in a row: a record never wraps.
    const view = this.map(fd, pageSize + 2 * size, readOnly, pageSize);
    this.producer = new BigUint64Array(view, 0, 1);
    this.data = Buffer.from(view, pageSize, 2 * size);
  }

  /** Records that are complete; each is copied. */
  *drain(): Generator<Buffer> {
    for (;;) {
      const position = Atomics.load(this.consumer, 0);
      if (position >= Atomics.load(this.producer, 0)) {
        return;
      }
      const offset = Number(position & BigInt(this.size - 1));
      const header = this.data.readUInt32LE(offset);
      if ((header & busyBit) !== 0) {
        return;
      }
      const length = header & 0x3fff_ffff;
      const record = (header & discardBit) === 0
        ? Buffer.from(this.data.subarray(offset + headerSize, offset + headerSize + length))
        : undefined;
      const step = (length + headerSize + 7) & ~7;
      Atomics.store(this.consumer, 0, position + BigInt(step));
      if (record !== undefined) {
        yield record;
      }
    }
  }

  close(): void {
    for (const { address, length } of this.mappings) {
      libc().munmap(address, length);
    }
  }

  private map(fd: number, length: number, protection: number, offset: number): ArrayBuffer {
    const address = libc().mmap(length, protection, fd, offset);
    if (address === -1n) {
      throw new ContrailError(
        'INTERNAL',
        `Map/drop_events: cannot be mapped (errno ${libc().errno()})`,
      );
    }
    this.mappings.push({ address, length });
    return koffi.view(address, length);
  }
}

/** Times of the kernel are monotonic; the port's are wall-clock milliseconds. */
export function toDropEvent(record: Buffer): DropEvent {
  const raw = dropEventStruct.decode(record);
  const agoMs = Number((process.hrtime.bigint() - raw.timeNs) / 1_000_000n);
  return {
    timeMs: Date.now() - agoMs,
    reason: raw.reason,
    reasonName: dropReasonName(raw.reason),
    vrf: raw.vrf,
    ifindex: raw.ifindex,
    protocol: raw.protocol,
    source: raw.source.slice(0, raw.addressLength),
    destination: raw.destination.slice(0, raw.addressLength),
    sourcePort: raw.sourcePort,
    destinationPort: raw.destinationPort,
    rule: raw.rule,
  };
}
