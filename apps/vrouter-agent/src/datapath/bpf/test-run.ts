/** BPF_PROG_TEST_RUN: a program run once, on a packet of ours or without one. */
import koffi from 'koffi';
import { ContrailError } from '@contrail/errors';
import { libbpf } from './libbpf';

export interface PacketRun {
  /** The program's return code: a TC_ACT_ value. */
  readonly verdict: number;
  /** The packet as the program left it. */
  readonly packet: Buffer;
  readonly mark: number;
  /** Mean of the runs. */
  readonly durationNs: number;
}

export interface PacketRunOptions {
  readonly ifindex: number;
  /** The device that a forwarded packet came from; 0: one of the node's own processes made it. */
  readonly ingressIfindex?: number;
  /** The packet stands for segments of this size (GSO). */
  readonly gsoSize?: number;
  readonly repeat?: number;
}

/** struct bpf_test_run_opts of libbpf 1.x; only the fields that we set or read. */
const optionsSize = 80;
/** struct __sk_buff: mark at 8, ingress_ifindex at 36, ifindex at 40, gso_segs at 164, gso_size at 176. */
const contextSize = 192;

interface Buffers {
  readonly input?: Buffer;
  readonly output?: Buffer;
  readonly context?: Buffer;
  readonly contextOut?: Buffer;
  readonly repeat?: number;
}

function testRunOptions(buffers: Buffers): Buffer {
  const options = Buffer.alloc(optionsSize);
  const setPointer = (offset: number, buffer: Buffer | undefined): void => {
    if (buffer !== undefined) {
      options.writeBigUInt64LE(BigInt(koffi.address(buffer)), offset);
    }
  };
  options.writeBigUInt64LE(BigInt(optionsSize), 0);
  setPointer(8, buffers.input);
  setPointer(16, buffers.output);
  options.writeUInt32LE(buffers.input?.length ?? 0, 24);
  options.writeUInt32LE(buffers.output?.length ?? 0, 28);
  setPointer(32, buffers.context);
  setPointer(40, buffers.contextOut);
  options.writeUInt32LE(buffers.context?.length ?? 0, 48);
  options.writeUInt32LE(buffers.contextOut?.length ?? 0, 52);
  options.writeInt32LE(buffers.repeat ?? 0, 60);
  return options;
}

/** Runs a tc program on a frame that seems to come from the device (which must exist and be up). */
export function runOnPacket(
  programFd: number,
  packet: Buffer,
  options: PacketRunOptions,
): PacketRun {
  const output = Buffer.alloc(packet.length + 256);
  const context = Buffer.alloc(contextSize);
  const contextOut = Buffer.alloc(contextSize);
  context.writeUInt32LE(options.ingressIfindex ?? 0, 36);
  context.writeUInt32LE(options.ifindex, 40);
  if (options.gsoSize !== undefined) {
    context.writeUInt32LE(Math.ceil(packet.length / options.gsoSize), 164);
    context.writeUInt32LE(options.gsoSize, 176);
  }
  const run = testRunOptions({
    input: packet,
    output,
    context,
    contextOut,
    repeat: options.repeat ?? 1,
  });
  const result = libbpf().testRun(programFd, run);
  if (result < 0) {
    throw new ContrailError('INTERNAL', `Program: test run failed with errno ${-result}`);
  }
  return {
    verdict: run.readInt32LE(56),
    packet: output.subarray(0, run.readUInt32LE(28)),
    mark: contextOut.readUInt32LE(8),
    durationNs: run.readUInt32LE(64),
  };
}

/** Runs a program of type syscall on a pool thread. */
export async function runTask(programFd: number): Promise<void> {
  const options = testRunOptions({});
  const result = await libbpf().testRunAsync(programFd, options);
  if (result < 0) {
    throw new ContrailError('INTERNAL', `Program: run failed with errno ${-result}`);
  }
}
