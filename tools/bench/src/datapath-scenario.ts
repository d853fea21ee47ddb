import { barePair } from './rigs/bare-pair';
import { withDatapathRigs } from './rigs/datapath-rigs';
import type { Scenario, ScenarioContext } from './scenario';
import { measureTraffic, trafficTables } from './traffic';

/** The vRouter alone, without a cluster: between the bare pair, and the limit. */
export const datapathScenario: Scenario = {
  name: 'datapath',
  title: 'the forwarding plane in namespaces, against a bare veth pair and the 60-line program',
  run: runDatapath,
};

async function runDatapath(context: ScenarioContext): Promise<string> {
  const { quick, rounds = quick ? 5 : 20, tests, progress, signal } = context;
  const options = { rounds, milliseconds: quick ? 150 : 250, ...(tests && { tests }), progress, signal };
  return withDatapathRigs(context, async (load, paths) => {
    const results = await measureTraffic(load, paths, options);
    const how = `${options.rounds} interleaved rounds of ${options.milliseconds} ms; ratios are medians over the rounds, with quartiles.`;
    return `${how}\n\n${trafficTables(results, paths, barePair)}`;
  });
}
