/** The command line of `npm run bench`. */
import { trafficTests } from './load';
import type { TrafficTest } from './load';

export interface BenchArguments {
  /** In the order of the registry, not of the command line. */
  readonly scenarios: readonly string[];
  /** Few and short measurements: for the eye while developing. */
  readonly quick: boolean;
  /** Put the tables into docs/performance.md. */
  readonly write: boolean;
  readonly help: boolean;
  /** Rounds of interleaved measurements; undefined: as the scenario says. */
  readonly rounds: number | undefined;
  /** Kinds of traffic; undefined: all. */
  readonly tests: readonly TrafficTest[] | undefined;
}

const usage = (known: ReadonlyMap<string, string>): string =>
  [
    'usage: npm run bench -- [SCENARIO…] [--quick] [--rounds N] [--tests TEST,…] [--write]',
    'Without a scenario all are run. --quick: few and short measurements; --write: tables go into docs/performance.md.',
    `--tests: of ${trafficTests.join(', ')}.`,
    ...[...known].map(([name, title]) => `  ${name.padEnd(12)} ${title}`),
  ].join('\n');

/** @param known names and titles. @throws Error that tells what is wrong and what would be right. */
export function parseArguments(args: readonly string[], known: ReadonlyMap<string, string>): BenchArguments {
  const named = new Set<string>();
  const flags = { quick: false, write: false, help: false };
  let rounds: number | undefined;
  let tests: TrafficTest[] | undefined;
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '--quick') flags.quick = true;
    else if (arg === '--write') flags.write = true;
    else if (arg === '--help') flags.help = true;
    else if (arg === '--rounds') {
      rounds = Number(rest.shift());
      if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds: needs a whole number above 0\n${usage(known)}`);
    } else if (arg === '--tests') tests = parseTests(rest.shift() ?? '', known);
    else if (known.has(arg)) named.add(arg);
    else throw new Error(`${arg}: neither a scenario nor an option\n${usage(known)}`);
  }
  const scenarios = [...known.keys()].filter((name) => named.size === 0 || named.has(name));
  return { scenarios, rounds, tests, ...flags };
}

function parseTests(text: string, known: ReadonlyMap<string, string>): TrafficTest[] {
  const names = text.split(',');
  const unknown = names.find((name) => trafficTests.every((test) => test !== name));
  if (unknown !== undefined) throw new Error(`--tests: "${unknown}" is no test\n${usage(known)}`);
  return trafficTests.filter((test) => names.includes(test));
}

export { usage };
