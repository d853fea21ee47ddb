import type { MatchKey } from './match-key';
import type { Direction, Verdict } from './policy-set';

/** One row of a verdict table. */
export interface TableRule extends MatchKey {
  /** 1 and up, unique in the table; 0 is left for the defaults. */
  readonly id: number;
  readonly verdict: Verdict;
  /** Name of the policy rule that decides here. */
  readonly name: string;
}

export interface DefaultVerdict {
  readonly verdict: Verdict;
  /** Name of the rule that matches everything; empty for the default of the policy set. */
  readonly name: string;
}

/**
 * The verdicts of one policy set. Rows may overlap, the most specific one decides. Whatever two rows
 * both match has a row of its own, so there always is exactly one most specific row, and the order
 * in which the datapath tries peer, protocol and port does not matter.
 */
export interface VerdictTable {
  readonly name: string;
  /** Sorted by key; none of them matches everything of its direction. */
  readonly rules: readonly TableRule[];
  readonly defaults: Readonly<Record<Direction, DefaultVerdict>>;
}
