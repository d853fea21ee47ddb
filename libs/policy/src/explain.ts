import { any } from './policy-set';
import type { Verdict } from './policy-set';
import { matches } from './match-key';
import type { Packet } from './match-key';
import type { TableRule, VerdictTable } from './verdict-table';

export interface Explanation {
  readonly verdict: Verdict;
  /** The row that decided; undefined: the default of the direction. */
  readonly rule: TableRule | undefined;
  /** Name of the policy rule that decided; empty: the default of the policy set. */
  readonly name: string;
}

/** Judges a packet by the table that the datapath enforces, in the way the datapath does. */
export function explain(table: VerdictTable, packet: Packet): Explanation {
  let best: TableRule | undefined;
  for (const rule of table.rules) {
    if (matches(rule, packet) && (best === undefined || moreSpecific(rule, best))) best = rule;
  }
  if (best !== undefined) return { verdict: best.verdict, rule: best, name: best.name };
  const { verdict, name } = table.defaults[packet.direction];
  return { verdict, rule: undefined, name };
}

function moreSpecific(a: TableRule, b: TableRule): boolean {
  return (
    Number(a.peerIdentity !== any) - Number(b.peerIdentity !== any) ||
    Number(a.protocol !== any) - Number(b.protocol !== any) ||
    a.ports.length - b.ports.length
  ) > 0;
}
