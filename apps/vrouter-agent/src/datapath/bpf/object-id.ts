import { ContrailError } from '@contrail/errors';
import { libbpf } from './libbpf';

/** Enough of `bpf_prog_info` and `bpf_map_info`; the kernel fills what fits. */
const infoSize = 96;
const wholeInfoSize = 232;

export interface ObjectIdentity {
  /** Number in the kernel; never used twice. */
  readonly id: number;
  /** Of a program: hash of its instructions, as `bpftool prog` shows it. */
  readonly tag: string;
}

/** Identity of the program or map behind a descriptor. */
export function identityOf(fd: number): ObjectIdentity {
  const info = infoOf(fd, infoSize);
  return { id: info.readUInt32LE(4), tag: info.toString('hex', 8, 16) };
}

/** Instructions that the verifier walked, along all courses, until it took the program; 0 before Linux 5.16. */
export function verifiedInstructionsOf(programFd: number): number {
  return infoOf(programFd, wholeInfoSize).readUInt32LE(216);
}

function infoOf(fd: number, size: number): Buffer {
  const info = Buffer.alloc(size);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(size);
  const result = libbpf().objectInfo(fd, info, length);
  if (result < 0) throw new ContrailError('INTERNAL', `BPF object ${fd}: cannot be described (errno ${-result})`);
  return info;
}
