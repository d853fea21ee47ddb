/** `npm run bench`: measures, prints tables, and with --write puts them into docs/performance.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArguments, usage } from './arguments';
import { clusterScenario } from './cluster-scenario';
import { cniScenario } from './cni-scenario';
import { configScenario } from './config-scenario';
import { datapathScenario } from './datapath-scenario';
import { describeMachine, machineText, readProcessorTime, stolenText } from './machine';
import { Programs } from './programs';
import { programsScenario } from './programs-scenario';
import type { Scenario } from './scenario';
import { replaceSection } from './table';
import { tenantsScenario } from './tenants-scenario';

const scenarios: readonly Scenario[] = [datapathScenario, programsScenario, tenantsScenario, cniScenario, configScenario, clusterScenario];

async function main(): Promise<void> {
  const known = new Map(scenarios.map(({ name, title }) => [name, title]));
  const args = parseArguments(process.argv.slice(2), known);
  if (args.help) {
    process.stdout.write(`${usage(known)}\n`);
    return;
  }
  const repository = process.cwd();
  const programs = new Programs(repository);
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => interrupted.abort(new Error(`ended by ${signal}`)));
  }
  const progress = (text: string): void => void process.stderr.write(`bench: ${text}\n`);
  for (const scenario of scenarios.filter(({ name }) => args.scenarios.includes(name))) {
    const machine = machineText(describeMachine());
    const began = Date.now();
    const processors = readProcessorTime();
    progress(`${scenario.name}: ${scenario.title}`);
    const tables = await scenario.run({ ...args, programs, progress, signal: interrupted.signal });
    progress(`${scenario.name}: took ${Math.round((Date.now() - began) / 1000)} s`);
    const command = ['npm run bench --', scenario.name, ...(args.quick ? ['--quick'] : [])].join(' ');
    const section = `### ${scenario.title}\n\n\`${command}\` on ${machine}, ${stolenText(processors, readProcessorTime())}.\n\n${tables}`;
    process.stdout.write(`\n${section}\n`);
    if (args.write) {
      const document = path.join(repository, 'docs/performance.md');
      writeFileSync(document, replaceSection(readFileSync(document, 'utf8'), scenario.name, section));
    }
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
