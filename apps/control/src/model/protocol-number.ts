const numbers: ReadonlyMap<string, number> = new Map([
  ['TCP', 6],
  ['UDP', 17],
  ['SCTP', 132],
  ['HTTP', 6],
  ['HTTPS', 6],
  ['TERMINATED_HTTPS', 6],
]);

/** IP protocol that carries what a listener or a host port names; undefined when it names nothing known. */
export function toProtocolNumber(name: string): number | undefined {
  return numbers.get(name.toUpperCase());
}
