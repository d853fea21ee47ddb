/** A problem that the user can act on: printed as one message, without a stack. */
export class SandboxFailure extends Error {
  constructor(
    message: string,
    /** Exit status of the command. 2: wrong arguments; 1: everything else. */
    readonly exitStatus = 1,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'SandboxFailure';
  }
}

/** The text of anything thrown. */
export function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
