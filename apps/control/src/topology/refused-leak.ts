/** Two networks that policies join, but that exchange no routes. */
export interface RefusedLeak {
  /** fq_names joined by colons. */
  readonly networks: readonly [string, string];
  /** Names the conflict and the remedy. */
  readonly reason: string;
}
