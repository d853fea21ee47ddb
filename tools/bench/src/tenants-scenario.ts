import { interleave } from './interleave';
import { LoadGenerator } from './load';
import type { TrafficTest } from './load';
import { measureProgramCosts } from './program-costs';
import type { Scenario, ScenarioContext } from './scenario';
import { median, pairedRatios, quantile, spreadOf } from './statistics';
import { markdownTable } from './table';
import { questionsAmong, wrongAnswers } from './tenants/reachability';
import type { TenantPod } from './tenants/reachability';
import { TenantsRig } from './tenants/tenants-rig';

/** What many tenants with the same addresses cost, and that nobody hears another. */
export const tenantsScenario: Scenario = {
  name: 'tenants',
  title: 'many networks with equal subnets, against one network',
  run: runTenants,
};

const interfaces = 10;
const tests = ['rr', 'udp', 'crr'] as const satisfies readonly TrafficTest[];
/** Wrong answers that an error tells; the rest is counted. */
const toldMax = 10;

/** The same pair of pods in a cluster of one network, and in one of many. */
interface Pair {
  readonly where: string;
  readonly test: TrafficTest;
}

async function runTenants(context: ScenarioContext): Promise<string> {
  const { quick, rounds = quick ? 5 : 20, programs, progress, signal } = context;
  const networks = quick ? 20 : 200;
  const load = new LoadGenerator(programs.netload());
  const rigs: TenantsRig[] = [];
  try {
    for (const count of [1, networks]) {
      signal.throwIfAborted();
      progress(`tenants: ${count} networks of ${interfaces} pods`);
      rigs.push(await TenantsRig.create(programs, { networks: count, interfaces }));
    }
    const [one, many] = rigs as [TenantsRig, TenantsRig];
    const answered: string[] = [];
    for (const rig of rigs) answered.push(await checkReachability(rig));
    const last = many.pods.slice(-interfaces);
    const clusters = [
      { rig: one, pods: one.pods },
      { rig: many, pods: last },
    ];
    for (const { rig, pods } of clusters) for (const pod of serversAmong(pods)) await load.serve(rig.netnsOf(pod));
    const costs = await measureCosts(context, { load, clusters, rounds });
    const adds = rigs.map(({ addTimes }) => `${median(addTimes).toFixed(1)} ms, p99 ${quantile(addTimes, 0.99).toFixed(1)} ms`);
    const table = markdownTable(
      ['', 'one network', `${networks} networks`],
      [
        ['pods, on two nodes', String(one.pods.length), String(many.pods.length)],
        ['right answers', ...answered],
        ['CNI ADD, 8 at once on a node, median', ...adds],
      ],
    );
    return `${table}\n\n${costs}`;
  } finally {
    load.stop();
    for (const rig of rigs.reverse()) await rig.close();
  }
}

/** @returns how many were right. @throws Error when one was not. */
async function checkReachability(rig: TenantsRig): Promise<string> {
  const questions = questionsAmong(rig.pods, rig.service);
  const wrong = wrongAnswers(questions, await rig.ask(questions));
  if (wrong.length > 0) throw new Error(`${wrong.length} of ${questions.length} answers are wrong: ${wrong.slice(0, toldMax).join('; ')}`);
  return `${questions.length.toLocaleString('en')} of ${questions.length.toLocaleString('en')}`;
}

/** The client's neighbour on its node, and the first pod of the other node. */
function serversAmong(pods: readonly TenantPod[]): TenantPod[] {
  const [client, near] = pods;
  const far = pods.find(({ node }) => node !== client?.node);
  return [near, far].filter((pod) => pod !== undefined);
}

interface Comparison {
  readonly load: LoadGenerator;
  readonly clusters: ReadonlyArray<{ rig: TenantsRig; pods: readonly TenantPod[] }>;
  readonly rounds: number;
}

/** Interleaved runs, so that what disturbs the machine disturbs both. */
async function measureCosts({ quick, progress, signal }: ScenarioContext, { load, clusters, rounds }: Comparison): Promise<string> {
  const milliseconds = quick ? 200 : 500;
  const rows: string[][] = [];
  for (const [place, where] of ['same node', 'across nodes'].entries()) {
    for (const test of tests) {
      progress(`tenants: ${test}, ${where}`);
      const samples = clusters.map((): number[] => []);
      for (const { subject } of interleave([...clusters.keys()], rounds)) {
        signal.throwIfAborted();
        const cluster = clusters[subject];
        const client = cluster?.pods[0];
        const server = cluster && serversAmong(cluster.pods)[place];
        if (!cluster || !client || !server) throw new Error('a cluster has too few pods');
        const target = { clientNetns: cluster.rig.netnsOf(client), address: server.address };
        const { result, costs } = await measureProgramCosts(() => load.run(test, target, milliseconds), cluster.rig.programs);
        const nanoseconds = costs.reduce((sum, cost) => sum + cost.nanoseconds, 0);
        samples[subject]?.push(nanoseconds / result.operations);
      }
      rows.push(costRow({ where, test }, samples));
    }
  }
  const how = `Time in eBPF programs by the kernel's count, for one exchange (rr, udp) or connection (crr): medians of ${rounds} interleaved runs of ${milliseconds} ms with quartiles. The goal is 3 % more at most.`;
  return `${how}\n\n${markdownTable(['test', 'way', 'one network, ns', 'many networks, ns', 'ratio'], rows)}`;
}

function costRow({ where, test }: Pair, samples: readonly number[][]): string[] {
  const [one = [], many = []] = samples;
  const text = (values: readonly number[], digits: number): string => {
    const { median: middle, low, high } = spreadOf(values);
    return `${middle.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
  };
  return [test, where, text(one, 0), text(many, 0), text(pairedRatios(many, one), 3)];
}
