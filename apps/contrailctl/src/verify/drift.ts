import type { Drift } from '@contrail/proto-gen/agent/v1/messages';

/** A difference somewhere in the cluster. */
export interface ClusterDrift extends Drift {
  /** Node on which it is; empty: between objects. */
  readonly node: string;
}

export interface Verification {
  readonly drifts: readonly ClusterDrift[];
  /** What was looked at: "map" -> rows on all nodes. */
  readonly checked: ReadonlyMap<string, number>;
  /** What could not be looked at, and why. */
  readonly notChecked: readonly string[];
}

export const exitStatus = { none: 0, drift: 1, notChecked: 2 } as const;

/** What could not be checked weighs more than what was found. */
export function exitStatusOf({ drifts, notChecked }: Verification): number {
  if (notChecked.length > 0) return exitStatus.notChecked;
  return drifts.some(({ mended }) => !mended) ? exitStatus.drift : exitStatus.none;
}
