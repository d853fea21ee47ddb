import type { LoadGenerator, TrafficTest } from './load';
import { trafficTests } from './load';
import type { ProgramCost } from './program-costs';
import { measureProgramCosts } from './program-costs';
import { barePair } from './rigs/bare-pair';
import { withDatapathRigs } from './rigs/datapath-rigs';
import type { Scenario, ScenarioContext } from './scenario';
import { markdownTable } from './table';
import type { TrafficPath } from './traffic';

/** Where the time of packets goes that is ours: the steadier side of `datapath`. */
export const programsScenario: Scenario = {
  name: 'programs',
  title: 'time in eBPF programs, of the vRouter and of the 60-line program',
  run: runPrograms,
};

/** What one operation is; a stream has none, so a megabyte stands for it. */
const operationOf: Readonly<Record<TrafficTest, string>> = { stream: 'MB', rr: 'exchange', crr: 'connection', udp: 'exchange' };

async function runPrograms(context: ScenarioContext): Promise<string> {
  const { quick, tests = trafficTests, progress, signal } = context;
  const milliseconds = quick ? 300 : 2000;
  return withDatapathRigs(context, async (load, paths) => {
    const rows: string[][] = [];
    for (const test of tests) {
      progress(`programs: ${test}`);
      for (const path of paths.filter(({ name }) => name !== barePair)) {
        signal.throwIfAborted();
        rows.push(await measureRow(load, test, path, milliseconds));
      }
    }
    const how = `${milliseconds} ms each; counting adds some 20 ns to every run, in all rows alike. No other node of ours may run on the machine.`;
    return `${how}\n\n${markdownTable(['test', 'path', 'µs in programs', 'for each', 'runs, and ns of one'], rows)}`;
  });
}

async function measureRow(load: LoadGenerator, test: TrafficTest, path: TrafficPath, milliseconds: number): Promise<string[]> {
  const { result, costs } = await measureProgramCosts(() => load.run(test, path, milliseconds));
  const operations = test === 'stream' ? result.bytes / 1e6 : result.operations;
  const total = costs.reduce((sum, { nanoseconds }) => sum + nanoseconds, 0);
  return [test, path.name, (total / operations / 1000).toFixed(2), operationOf[test], costs.map((cost) => describe(cost, operations)).join(', ')];
}

function describe({ name, runs, nanoseconds }: ProgramCost, operations: number): string {
  return `${name} ${(runs / operations).toFixed(2)} × ${Math.round(nanoseconds / runs)}`;
}
