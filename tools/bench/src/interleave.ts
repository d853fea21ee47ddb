/** One measurement of a plan. */
export interface Turn<T> {
  readonly round: number;
  readonly subject: T;
}

/**
 * Every subject once a round. Each round begins with another one, so that no subject always follows the
 * same neighbour's warm caches or comes first.
 */
export function interleave<T>(subjects: readonly T[], rounds: number): Array<Turn<T>> {
  return Array.from({ length: rounds }, (_, round) => {
    const first = subjects.length === 0 ? 0 : round % subjects.length;
    return [...subjects.slice(first), ...subjects.slice(0, first)].map((subject) => ({ round, subject }));
  }).flat();
}
