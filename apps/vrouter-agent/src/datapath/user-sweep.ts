/**
 * The sweep of bpf/sweep.h for kernels before 5.14, which cannot run it themselves: the same decisions
 * over a dump, with turns for other work.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { KernelMap } from './bpf/kernel-map';
import type { Recount } from './flow-usage';
import {
  directionsOf,
  type FlowKey,
  flowNow,
  type FlowValue,
  idleUnitsOf,
  isLive,
  peerKeyOf,
  tcpStateOf,
  vlanOf,
} from './flow-view';
import {
  flowFlags,
  flowKeyV4Struct,
  flowValueV4Struct,
  type globalsStruct,
  sweepCommands,
  type sweepStruct,
} from './layout/flow-structs';

export type Timeouts = Pick<
  ReturnType<typeof globalsStruct.decode>,
  'tcpEstablishedS' | 'tcpHalfOpenS' | 'tcpClosingS' | 'udpS' | 'udpStreamS' | 'icmpS'
>;
type SweepCommand = ReturnType<typeof sweepStruct.decode>;

interface Pair {
  readonly key: FlowKey;
  readonly value: FlowValue;
  readonly peer: FlowValue | undefined;
}

/** Unit of flow times. */
const unitNs = 1_048_576;
/** Records after which other work gets its turn. */
const turnSize = 200;
const tcp = 6;
const icmp = 1;

function timeoutOf({ key, value, peer }: Pair, timeouts: Timeouts): number {
  const { out, in: back } = directionsOf(value, peer);
  if (key.protocol === tcp) {
    const state = tcpStateOf(key.protocol, out.tcp, back.tcp);
    if (state === 'closing') {
      return timeouts.tcpClosingS;
    }
    return state === 'established' ? timeouts.tcpEstablishedS : timeouts.tcpHalfOpenS;
  }
  if (key.protocol === icmp) {
    return timeouts.icmpS;
  }
  return out.last !== 0 && back.last !== 0 ? timeouts.udpStreamS : timeouts.udpS;
}

function isWanted(pair: Pair, command: SweepCommand, timeouts: Timeouts): boolean {
  const { key, value } = pair;
  switch (command.command) {
    case sweepCommands.zone:
      return key.zone === command.zone && vlanOf(key) === command.vlan;
    case sweepCommands.backend:
      return (
        value.service !== 0 &&
        (value.flags & flowFlags.forward) !== 0 &&
        value.toVrf === command.vrf &&
        key.protocol === command.protocol &&
        value.natDport === command.port &&
        Buffer.from(value.natDst).equals(command.address)
      );
    default: {
      const seconds = (units: number): number => (units * unitNs) / 1e9;
      const idle = idleUnitsOf(value, pair.peer, flowNow(process.hrtime.bigint()));
      return seconds(idle) > timeoutOf(pair, timeouts);
    }
  }
}

export interface UserSweep {
  readonly flows: KernelMap;
  readonly command: SweepCommand;
  readonly timeouts: Timeouts;
  readonly counts: Recount | undefined;
}

/** May an ended record be deleted, because no program can still have it in hand? */
function isPast({ lastOut }: FlowValue, graceMs: number): boolean {
  const age = (flowNow(process.hrtime.bigint()) - lastOut) | 0;
  return age * unitNs >= graceMs * 1e6;
}

/**
 * What it ends it deletes at once: a record that idled for seconds is in no program's hands. Counts of
 * owners follow with the next recount.
 *
 * @returns how many records stay.
 */
export async function sweepInUserSpace({ flows, command, timeouts, counts }: UserSweep): Promise<number> {
  let kept = 0;
  let seen = 0;
  for (const entry of flows.entries()) {
    const key = flowKeyV4Struct.decode(entry.key);
    const value = flowValueV4Struct.decode(entry.value);
    seen += 1;
    if (seen % turnSize === 0) {
      await nextTurn();
    }
    if (!isLive(value)) {
      if (isPast(value, command.graceMs)) {
        flows.remove(entry.key);
      }
      continue;
    }
    const peerKey = peerKeyOf(key, value);
    const peerBytes = peerKey && flowKeyV4Struct.encode(peerKey);
    const found = peerBytes && flows.lookup(peerBytes);
    const peerValue = found && flowValueV4Struct.decode(found);
    const peer = peerValue && isLive(peerValue) ? peerValue : undefined;
    const isLone = peerKey !== undefined && peer === undefined;
    if (isLone || isWanted({ key, value, peer }, command, timeouts)) {
      flows.remove(entry.key);
      if (peerBytes !== undefined) {
        flows.remove(peerBytes);
      }
    } else {
      kept += 1;
      counts?.see(value);
    }
  }
  return kept;
}
