/** The same numbers from 0 to 1 (excluded) for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A number of the environment, so that a soak run can be longer than a test. */
export function sized(name: string, short: number): number {
  const value = Number(process.env[name] ?? short);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${name} is "${process.env[name]}", write a whole number above 0`);
  return value;
}
