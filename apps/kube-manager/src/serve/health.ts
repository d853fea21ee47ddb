export interface HealthPart {
  /** Why this process should not be counted on. */
  readonly ready?: () => readonly string[];
  /** What only a restart would cure. */
  readonly live?: () => readonly string[];
}

/** What the process says about itself; each part reports while it exists. */
export class Health {
  private readonly parts = new Set<HealthPart>();

  /** @returns takes the part away again. */
  report(part: HealthPart): () => void {
    this.parts.add(part);
    return () => this.parts.delete(part);
  }

  /** Empty when all is well. */
  problems(): string[] {
    return [...this.parts].flatMap((part) => part.ready?.() ?? []);
  }

  /** Empty when the process makes progress. */
  deadlocks(): string[] {
    return [...this.parts].flatMap((part) => part.live?.() ?? []);
  }
}
