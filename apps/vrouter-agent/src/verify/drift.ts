/** What is looked at; also the label of the metrics. */
export const driftKinds = ['map', 'globals', 'program', 'pin', 'device', 'route', 'interface', 'attachment', 'flow'] as const;

export type DriftKind = (typeof driftKinds)[number];

/** One difference between what the node should have and what it has. */
export interface Drift {
  readonly kind: DriftKind;
  /** The row, hook, device or file; with `kind` it names the drift. */
  readonly object: string;
  readonly expected: string;
  readonly found: string;
  /** Who mends it and how. */
  readonly remedy: string;
}

export interface Found {
  /** Things looked at. */
  readonly count: number;
  readonly drifts: readonly Drift[];
}

/** Lets others work between pieces of a long comparison. */
export type Pause = () => Promise<void>;

/** Compares one aspect of the node, and mends it with the code that made it. */
export interface Check {
  readonly kind: DriftKind;
  /** True when a difference can be a change that is just being made: it counts when it is seen twice. */
  readonly settles: boolean;
  find(pause: Pause): Promise<Found>;
  mend(drifts: readonly Drift[]): void;
}

export const absent = 'absent';

export function driftKey({ kind, object }: Drift): string {
  return `${kind} ${object}`;
}
