import { ContrailError } from '@contrail/errors';
import type { Libbpf } from './libbpf';
import { errno, libbpf } from './libbpf';

/** Entries in one system call. */
const batchSize = 4096;
/** BPF_NOEXIST */
const noExist = 1n;
/** bpf_map_batch_opts: size, element flags, flags. */
const batchOptions = Buffer.alloc(24);
batchOptions.writeBigUInt64LE(24n);

export interface MapShape {
  readonly name: string;
  readonly fd: number;
  readonly keySize: number;
  /** Bytes of one value as system calls see it: for per-CPU maps all CPUs together. */
  readonly valueSize: number;
  readonly maxEntries: number;
}

export interface RawEntry {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** An eBPF map in bytes. Batches where the kernel has them, one by one where it has not. */
export class KernelMap {
  private readonly lib: Libbpf = libbpf();
  private hasBatches = true;

  constructor(readonly shape: MapShape) {}

  lookup(key: Buffer): Buffer | undefined {
    const value = Buffer.alloc(this.shape.valueSize);
    const result = this.lib.lookup(this.shape.fd, key, value);
    if (result === -errno.ENOENT) {
      return undefined;
    }
    this.check(result, 'lookup');
    return value;
  }

  update(key: Buffer, value: Buffer): void {
    this.check(this.lib.update(this.shape.fd, key, value, 0n), 'update');
  }

  /** Writes unless there is an entry. @returns false when there is one. */
  insert(key: Buffer, value: Buffer): boolean {
    const result = this.lib.update(this.shape.fd, key, value, noExist);
    if (result === -errno.EEXIST) {
      return false;
    }
    this.check(result, 'insert');
    return true;
  }

  remove(key: Buffer): void {
    const result = this.lib.remove(this.shape.fd, key);
    if (result !== -errno.ENOENT) {
      this.check(result, 'delete');
    }
  }

  /** `keys` and `values` hold `count` elements one after the other. */
  updateAll(keys: Buffer, values: Buffer, count: number): void {
    const { fd, keySize, valueSize } = this.shape;
    let done = 0;
    while (this.hasBatches && done < count) {
      const size = Buffer.alloc(4);
      size.writeUInt32LE(Math.min(batchSize, count - done));
      const result = this.lib.updateBatch(
        fd,
        keys.subarray(done * keySize),
        values.subarray(done * valueSize),
        size,
        batchOptions,
      );
      if (this.lacksBatches(result)) {
        break;
      }
      this.check(result, 'update');
      done += size.readUInt32LE();
    }
    for (; done < count; done += 1) {
      this.update(
        keys.subarray(done * keySize, (done + 1) * keySize),
        values.subarray(done * valueSize, (done + 1) * valueSize),
      );
    }
  }

  /** Every entry, in the order of the kernel; entries made or removed meanwhile may be missed. */
  *entries(): Generator<RawEntry> {
    if (this.hasBatches) {
      yield* this.entriesByBatch();
    }
    if (!this.hasBatches) {
      yield* this.entriesByKey();
    }
  }

  private *entriesByBatch(): Generator<RawEntry> {
    const { fd, keySize, valueSize, maxEntries } = this.shape;
    let room = Math.min(batchSize, Math.max(maxEntries, 1));
    let position: Buffer | null = null;
    for (;;) {
      const keys = Buffer.alloc(keySize * room);
      const values = Buffer.alloc(valueSize * room);
      const count = Buffer.alloc(4);
      count.writeUInt32LE(room);
      const next = Buffer.alloc(Math.max(keySize, 8));
      const result = this.lib.lookupBatch(fd, position, next, keys, values, count, batchOptions);
      if (position === null && this.lacksBatches(result)) {
        return;
      }
      if (result === -errno.ENOSPC) {
        room *= 2;
        continue;
      }
      if (result !== -errno.ENOENT) {
        this.check(result, 'dump');
      }
      for (let i = 0; i < count.readUInt32LE(); i += 1) {
        yield {
          key: keys.subarray(i * keySize, (i + 1) * keySize),
          value: values.subarray(i * valueSize, (i + 1) * valueSize),
        };
      }
      if (result === -errno.ENOENT) {
        return;
      }
      position = next;
    }
  }

  private *entriesByKey(): Generator<RawEntry> {
    let key: Buffer | null = null;
    for (;;) {
      const next: Buffer = Buffer.alloc(this.shape.keySize);
      const result = this.lib.nextKey(this.shape.fd, key, next);
      if (result === -errno.ENOENT) {
        return;
      }
      this.check(result, 'dump');
      const value = this.lookup(next);
      if (value !== undefined) {
        yield { key: next, value };
      }
      key = next;
    }
  }

  private lacksBatches(result: number): boolean {
    if (result === -errno.ENOTSUPP || result === -errno.EINVAL) {
      this.hasBatches = false;
    }
    return !this.hasBatches;
  }

  private check(result: number, operation: string): void {
    if (result >= 0) {
      return;
    }
    const { name, maxEntries } = this.shape;
    if (result === -errno.E2BIG || result === -errno.ENOSPC || result === -errno.ENOMEM) {
      throw new ContrailError(
        'RESOURCE_EXHAUSTED',
        `Map/${name}: ${operation} refused, the map is full with ${maxEntries} entries`,
      );
    }
    throw new ContrailError('INTERNAL', `Map/${name}: ${operation} failed with errno ${-result}`);
  }
}
