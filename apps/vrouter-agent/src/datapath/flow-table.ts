import { setImmediate as nextTurn } from 'node:timers/promises';
import type { KernelMap } from './bpf/kernel-map';
import { runTask } from './bpf/test-run';
import { Recount } from './flow-usage';
import { flowNow, isLive, peerKeyOf, toFlow } from './flow-view';
import {
  flowKeyV4Struct,
  flowValueV4Struct,
  sweepCommands,
  sweepStruct,
} from './layout/flow-structs';
import type { Flow } from './port';
import { sweepInUserSpace, type Timeouts } from './user-sweep';

const batchSize = 1000;
/** Records after which other work gets its turn: a few milliseconds. */
const turnSize = 100;

export interface FlowTableParts {
  readonly flows: KernelMap;
  readonly usages: KernelMap;
  readonly sweepCommand: KernelMap;
  /** undefined: the kernel cannot run it. */
  readonly sweepProgramFd: number | undefined;
  /** How long an ended record stays: longer than a program can have it in hand. */
  readonly graceMs: number;
  readonly timeouts: () => Timeouts | undefined;
  /** What a sweep in the background met. */
  readonly onFailure: (error: unknown) => void;
}

type SweepRequest = Partial<ReturnType<typeof sweepStruct.decode>> & { command: number };

const emptyCommand = {
  zone: 0,
  vlan: 0,
  port: 0,
  address: new Uint8Array(4),
  protocol: 0,
  recount: false,
  graceMs: 0,
  vrf: 0,
  kept: 0,
  removed: 0,
};

/** The flow records: read by people, ended by a program in the kernel when the agent asks. */
export class FlowTable {
  /** Records that the last sweep left. */
  private used = 0;
  private sweeps: Promise<void> = Promise.resolve();

  constructor(private readonly parts: FlowTableParts) {}

  async *list(): AsyncIterable<readonly Flow[]> {
    let batch: Flow[] = [];
    const now = flowNow(process.hrtime.bigint());
    for (const entry of this.parts.flows.entries()) {
      const key = flowKeyV4Struct.decode(entry.key);
      const value = flowValueV4Struct.decode(entry.value);
      if (!isLive(value)) {
        continue;
      }
      const peerKey = peerKeyOf(key, value);
      const peer = peerKey && this.parts.flows.lookup(flowKeyV4Struct.encode(peerKey));
      batch.push(toFlow(key, value, peer && flowValueV4Struct.decode(peer), now));
      if (batch.length % turnSize === 0) {
        await nextTurn();
      }
      if (batch.length === batchSize) {
        yield batch;
        batch = [];
      }
    }
    if (batch.length > 0) {
      yield batch;
    }
  }

  count(): { used: number; capacity: number } {
    return { used: this.used, capacity: this.parts.flows.shape.maxEntries };
  }

  /** Ends what idled too long, and deletes what ended. @param recount mends counts of owners, too. */
  expire(recount = false): Promise<void> {
    return this.sweep({ command: sweepCommands.expired, recount });
  }

  removeZone(zone: number, vlan: number): Promise<void> {
    return this.sweep({ command: sweepCommands.zone, zone, vlan });
  }

  removeBackend(backend: {
    vrf: number;
    address: Uint8Array;
    port: number;
    protocol: number;
  }): Promise<void> {
    return this.sweep({ command: sweepCommands.backend, ...backend });
  }

  /** Resolves when every sweep asked for is done. */
  settled(): Promise<void> {
    return this.sweeps;
  }

  /** One at a time: they share the command's map. */
  private sweep(request: SweepRequest): Promise<void> {
    this.sweeps = this.sweeps.then(async () => {
      try {
        await this.run(request);
      } catch (error) {
        this.parts.onFailure(error);
      }
    });
    return this.sweeps;
  }

  private async run(request: SweepRequest): Promise<void> {
    const command = { ...emptyCommand, graceMs: this.parts.graceMs, ...request };
    const { flows, usages, sweepProgramFd, sweepCommand, timeouts } = this.parts;
    const now = timeouts();
    if (now === undefined) {
      return;
    }
    if (sweepProgramFd === undefined) {
      const counts = command.recount ? new Recount(usages) : undefined;
      this.used = await sweepInUserSpace({ flows, command, timeouts: now, counts });
      counts?.finish();
      return;
    }
    const index = Buffer.alloc(4);
    sweepCommand.update(index, sweepStruct.encode(command));
    await runTask(sweepProgramFd);
    const result = sweepCommand.lookup(index);
    if (result !== undefined) {
      this.used = sweepStruct.decode(result).kept;
    }
  }
}
