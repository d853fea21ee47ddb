import { Cluster } from './cluster/cluster';
import type { Network, Pod } from './cluster/cluster';
import type { EffectTimes } from './cluster/effective';
import { measureEffects, serviceObject, untilReachable } from './cluster/effective';
import { LoadGenerator } from './load';
import { residentBytes } from './process-usage';
import { barePair, createBarePair } from './rigs/bare-pair';
import type { Rig } from './rigs/rig';
import type { Scenario, ScenarioContext } from './scenario';
import { quantile, spreadOf } from './statistics';
import { markdownTable } from './table';
import type { TrafficPath } from './traffic';
import { measureTraffic, trafficTables } from './traffic';

/** Real clusters side by side: ours, and bridge plugin with kube-proxy. */
export const clusterScenario: Scenario = {
  name: 'cluster',
  title: 'clusters: traffic, pods in a burst, Services, memory',
  run: runCluster,
};

const titles: Readonly<Record<Network, string>> = {
  ours: 'ours',
  bridge: 'bridge + kube-proxy nftables',
  'bridge-iptables': 'bridge + kube-proxy iptables',
};
const burstSize = 50;

interface Measured {
  readonly cluster: Cluster;
  readonly client: Pod;
  readonly near: Pod;
  readonly far: Pod;
}

/** Pods on two nodes, and a Service for each server. */
async function prepare(cluster: Cluster): Promise<Measured> {
  const client = await cluster.createPod('client', 'node1', {});
  const near = await cluster.createPod('near', 'node1', { bench: 'server', place: 'near' });
  const far = await cluster.createPod('far', 'node2', { place: 'far' });
  for (const [index, place] of ['near', 'far'].entries()) {
    await cluster.api.call('POST', '/api/v1/namespaces/default/services', serviceObject(place, nearFarAddress(index), { place }));
  }
  return { cluster, client, near, far };
}

const nearFarAddress = (index: number): string => `10.96.201.${index + 1}`;

function pathsOf({ cluster, client, near, far }: Measured): TrafficPath[] {
  const title = titles[cluster.network];
  const clientNetns = client.netns;
  return [
    { name: `${title}, same node`, clientNetns, address: near.address },
    { name: `${title}, cluster IP on the same node`, clientNetns, address: nearFarAddress(0), limit: `${title}, same node` },
    { name: `${title}, across nodes`, clientNetns, address: far.address },
    { name: `${title}, cluster IP across nodes`, clientNetns, address: nearFarAddress(1), limit: `${title}, across nodes` },
  ];
}

async function runCluster(context: ScenarioContext): Promise<string> {
  const { programs, quick, progress, signal } = context;
  const networks: readonly Network[] = quick ? ['ours'] : ['ours', 'bridge', 'bridge-iptables'];
  const load = new LoadGenerator(programs.netload());
  const clusters: Cluster[] = [];
  const bare: Rig = createBarePair(`bench${process.pid}`);
  try {
    const measured: Measured[] = [];
    for (const network of networks) {
      signal.throwIfAborted();
      progress(`starting a cluster: ${titles[network]}`);
      const cluster = await Cluster.start(process.cwd(), network);
      clusters.push(cluster);
      measured.push(await prepare(cluster));
    }
    const servers = measured.flatMap(({ near, far }) => [near.netns, far.netns]);
    for (const netns of [...bare.serverNetns, ...servers]) await load.serve(netns);
    const paths = [...bare.paths, ...measured.flatMap(pathsOf)];
    for (const { clientNetns, address } of paths) await untilReachable(programs.reach(), clientNetns, address);
    const parts = [
      await trafficPart(context, load, paths),
      await controlPart(context, measured),
      memoryPart(measured),
    ];
    return parts.filter((part) => part !== '').join('\n\n');
  } finally {
    load.stop();
    await bare.close();
    for (const cluster of clusters.reverse()) await cluster.stop();
  }
}

async function trafficPart(context: ScenarioContext, load: LoadGenerator, paths: readonly TrafficPath[]): Promise<string> {
  const { quick, rounds, tests, progress, signal } = context;
  const options = { rounds: rounds ?? (quick ? 5 : 20), milliseconds: quick ? 150 : 250, ...(tests && { tests }), progress, signal };
  return trafficTables(await measureTraffic(load, paths, options), paths, barePair);
}

async function controlPart({ programs, quick, progress, signal }: ScenarioContext, measured: readonly Measured[]): Promise<string> {
  const rows: string[][] = [];
  for (const { cluster, client, near } of measured) {
    const title = titles[cluster.network];
    progress(`changes and bursts: ${title}`);
    const effects = await measureEffects(cluster, programs.reach(), { client, server: near }, { count: quick ? 10 : 40, signal });
    rows.push(...effectRows(title, effects));
    const bursts: number[] = [];
    for (let n = 0; n < (quick ? 1 : 3); n += 1) bursts.push(await cluster.burst(`burst-${n}`, burstSize));
    const { median, low, high } = spreadOf(bursts);
    rows.push([`${title}: ${burstSize} pods created → all Ready`, `${median.toFixed(1)} s`, `${low.toFixed(1)}–${high.toFixed(1)} s`, String(bursts.length)]);
    if (cluster.network === 'ours') rows.push(...(await customNetworkRows(cluster, { count: quick ? 8 : 20, signal })));
  }
  return markdownTable(['from the API server\'s answer', 'p50', 'p99 (burst: quartiles)', 'count'], rows);
}

/** Starts of pods in turn on the cluster's network and on one of their own, which gives them two addresses. */
async function customNetworkRows(cluster: Cluster, { count, signal }: { count: number; signal: AbortSignal }): Promise<string[][]> {
  const custom = await cluster.createNetwork('bench', '198.51.100.0/24');
  await cluster.startOnce('start-first', custom);
  const [onCluster, onCustom]: [number[], number[]] = [[], []];
  for (let n = 0; n < count; n += 1) {
    signal.throwIfAborted();
    onCluster.push(await cluster.startOnce(`start-cluster-${n}`, {}));
    onCustom.push(await cluster.startOnce(`start-custom-${n}`, custom));
  }
  const row = (where: string, times: readonly number[]): string[] => [
    `${titles.ours}: a pod on ${where} created → Ready`,
    `${quantile(times, 0.5).toFixed(0)} ms`,
    `${quantile(times, 0.99).toFixed(0)} ms`,
    String(times.length),
  ];
  const burst = await cluster.burst('burst-custom', burstSize, custom);
  return [
    row("the cluster's network", onCluster),
    row('a network of its own', onCustom),
    [`${titles.ours}: ${burstSize} pods on a network of their own created → all Ready`, `${burst.toFixed(1)} s`, '', '1'],
  ];
}

function effectRows(title: string, { created, deleted, labelled }: EffectTimes): string[][] {
  const row = (what: string, times: readonly number[]): string[] => [
    `${title}: ${what}`,
    `${quantile(times, 0.5).toFixed(1)} ms`,
    `${quantile(times, 0.99).toFixed(1)} ms`,
    String(times.length),
  ];
  return [
    row('Service over a ready pod created → works', created),
    row('Service deleted → first connection not served', deleted),
    row('pod gets the label of a Service → serves', labelled),
  ];
}

/** Ours only: the others have no process that does the same. */
function memoryPart(measured: readonly Measured[]): string {
  const ours = measured.find(({ cluster }) => cluster.network === 'ours');
  if (ours === undefined) return '';
  const rows = [...ours.cluster.servicePids()]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([service, pids]) => [service, pids.map((pid) => `${(residentBytes(pid) / 1e6).toFixed(0)} MB`).join(', ')]);
  return markdownTable(['process', 'resident, each instance'], rows);
}
