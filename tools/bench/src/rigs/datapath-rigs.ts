import { LoadGenerator, loadPorts } from '../load';
import type { ScenarioContext } from '../scenario';
import type { TrafficPath } from '../traffic';
import { createBarePair } from './bare-pair';
import { createLimitProgram } from './limit-program';
import type { Rig } from './rig';
import { createVrouterLab } from './vrouter-lab';

/** Makes the bare pair, the limit and the vRouter, each with servers, for as long as `measure` runs. */
export async function withDatapathRigs<T>(
  { programs }: Pick<ScenarioContext, 'programs'>,
  measure: (load: LoadGenerator, paths: readonly TrafficPath[]) => Promise<T>,
): Promise<T> {
  const prefix = `bench${process.pid}`;
  const rigs: Rig[] = [];
  const load = new LoadGenerator(programs.netload());
  try {
    rigs.push(createBarePair(prefix));
    rigs.push(createLimitProgram(programs.limitObject(), prefix));
    rigs.push(await createVrouterLab(programs.appProgram('vrouter-agent', 'lab'), loadPorts));
    for (const netns of rigs.flatMap(({ serverNetns }) => serverNetns)) await load.serve(netns);
    return await measure(load, rigs.flatMap((rig) => rig.paths));
  } finally {
    load.stop();
    for (const rig of rigs.reverse()) await rig.close();
  }
}
