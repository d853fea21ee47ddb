/** What the process says about itself; each part reports while it exists. */
export class Health {
  private readonly parts = new Map<string, () => readonly string[]>();

  /** @returns takes the part away again. */
  report(part: string, problems: () => readonly string[]): () => void {
    this.parts.set(part, problems);
    return () => this.parts.delete(part);
  }

  /** Why this process should not be counted on; empty when all is well. */
  problems(): string[] {
    return [...this.parts.values()].flatMap((problems) => problems());
  }
}
