import { LoadGenerator, loadPorts } from './load';
import { createBarePair, barePair } from './rigs/bare-pair';
import { createLimitProgram } from './rigs/limit-program';
import type { Rig } from './rigs/rig';
import { createVrouterLab } from './rigs/vrouter-lab';
import type { Scenario, ScenarioContext } from './scenario';
import { measureTraffic, trafficTables } from './traffic';

/** The vRouter alone, without a cluster: between the bare pair, and the limit. */
export const datapathScenario: Scenario = {
  name: 'datapath',
  title: 'the forwarding plane in namespaces, against a bare veth pair and the 60-line program',
  run: runDatapath,
};

async function runDatapath({ programs, quick, rounds, progress, signal }: ScenarioContext): Promise<string> {
  const prefix = `bench${process.pid}`;
  const rigs: Rig[] = [];
  const load = new LoadGenerator(programs.netload());
  const options = { rounds: rounds ?? (quick ? 5 : 20), milliseconds: quick ? 150 : 250, progress, signal };
  try {
    rigs.push(createBarePair(prefix));
    rigs.push(createLimitProgram(programs.limitObject(), prefix));
    rigs.push(await createVrouterLab(programs.appProgram('vrouter-agent', 'lab'), loadPorts));
    for (const netns of rigs.flatMap(({ serverNetns }) => serverNetns)) await load.serve(netns);
    const paths = rigs.flatMap((rig) => rig.paths);
    const results = await measureTraffic(load, paths, options);
    const how = `${options.rounds} interleaved rounds of ${options.milliseconds} ms; ratios are medians over the rounds, with quartiles.`;
    return `${how}\n\n${trafficTables(results, paths, barePair)}`;
  } finally {
    load.stop();
    for (const rig of rigs.reverse()) await rig.close();
  }
}
