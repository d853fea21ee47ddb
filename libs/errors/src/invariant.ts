/** A bug when it fails, never a user's mistake. @throws Error */
export function invariant(condition: unknown, message: string): asserts condition {
  if (condition === false || condition === null || condition === undefined) {
    throw new Error(`invariant broken: ${message}`);
  }
}
