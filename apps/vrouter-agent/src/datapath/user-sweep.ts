/**
 * The sweep of bpf/sweep.h for kernels before 5.14, which cannot run it themselves: the same decisions
 * over a dump, with turns for other work.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { KernelMap } from './bpf/kernel-map';
import {
  directionsOf,
  type FlowKey,
  flowNow,
  type FlowValue,
  idleUnitsOf,
  peerKeyOf,
  tcpStateOf,
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
      return key.zone === command.zone && key.vlan === command.vlan;
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
      const seconds = (units: number): number => (units * 1_048_576) / 1e9;
      const idle = idleUnitsOf(value, pair.peer, flowNow(process.hrtime.bigint()));
      return seconds(idle) > timeoutOf(pair, timeouts);
    }
  }
}

/** @returns how many records stay. */
export async function sweepInUserSpace(
  flows: KernelMap,
  command: SweepCommand,
  timeouts: Timeouts,
): Promise<number> {
  let kept = 0;
  let seen = 0;
  for (const entry of flows.entries()) {
    const key = flowKeyV4Struct.decode(entry.key);
    const value = flowValueV4Struct.decode(entry.value);
    const peerKey = peerKeyOf(key, value);
    const peerBytes = peerKey && flowKeyV4Struct.encode(peerKey);
    const peer = peerBytes && flows.lookup(peerBytes);
    if (isWanted({ key, value, peer: peer && flowValueV4Struct.decode(peer) }, command, timeouts)) {
      flows.remove(entry.key);
      if (peerBytes !== undefined) {
        flows.remove(peerBytes);
      }
    } else {
      kept += 1;
    }
    seen += 1;
    if (seen % turnSize === 0) {
      await nextTurn();
    }
  }
  return kept;
}
