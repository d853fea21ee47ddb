import { callUnary } from '@contrail/rpc';
import { metaOf } from '@contrail/resource-model';
import { ConfigPlane } from './config/config-plane';
import { configTable } from './config/config-table';
import type { ConfigRow } from './config/config-table';
import { baseResources, createOf, interfaceResource } from './config/objects';
import {
  allocations,
  createsInTransactions,
  createsOneByOne,
  createsOverRest,
  fillSubnet,
  measureLists,
  measureThroughput,
  reads,
} from './config/throughput';
import type { ThroughputOptions } from './config/throughput';
import { measureWatchLatency, measureWatcherCost } from './config/watching';
import type { Scenario, ScenarioContext } from './scenario';

/** config-api and ipam with Redis, in processes of their own on this machine. */
export const configScenario: Scenario = {
  name: 'config',
  title: 'config-api and ipam',
  run: runConfig,
};

/** Half of a /12; the short form does with less. */
const addresses = { full: 2 ** 19, quick: 2 ** 15 };

async function runConfig({ programs, quick, rounds, progress, signal }: ScenarioContext): Promise<string> {
  const plane = await ConfigPlane.start(programs);
  try {
    const pids = new Map(['config-api', 'ipam', 'redis'].map((name) => [name, plane.pidOf(name)]));
    pids.set('client', process.pid);
    const options = { rounds: rounds ?? (quick ? 1 : 5), durationMs: quick ? 2000 : 4000, pids, signal };
    const report = (row: ConfigRow): ConfigRow => {
      progress(configTable([row]).split('\n')[2] ?? '');
      return row;
    };
    const rows = [
      ...(await measureConfigApi(plane, options)).map(report),
      ...(await measureIpam(plane, options, quick ? addresses.quick : addresses.full)).map(report),
    ];
    const how = [
      `${options.rounds} rounds of ${options.durationMs / 1000} s; the client is one process on the same machine. TLS everywhere,`,
      'Redis with `appendfsync always`, 1 % of the traces sampled and exported to a collector.',
    ].join('\n');
    return `${how}\n\n${configTable(rows)}`;
  } finally {
    await plane.stop();
  }
}

async function measureConfigApi(plane: ConfigPlane, options: ThroughputOptions): Promise<ConfigRow[]> {
  const client = plane.configClient();
  await callUnary(client, 'transact', { operations: baseResources('10.32.0.0', 12).map(createOf) });
  const known = Array.from({ length: 1000 }, () => interfaceResource());
  await callUnary(client, 'transact', { operations: known.map(createOf) });
  // Short ones first: what the others leave behind makes lists and snapshots longer.
  const latency = await measureWatchLatency(options, client);
  const cost = await measureWatcherCost(options, { writer: client, open: () => plane.configClient() });
  return [
    await measureThroughput(options, createsOneByOne(client)),
    await measureThroughput(options, createsOverRest(plane.restClient())),
    await measureThroughput(options, reads(client, known.map((resource) => metaOf(resource).uuid))),
    await measureThroughput(options, createsInTransactions(client)),
    await measureLists(options, client),
    ...latency,
    cost,
  ];
}

async function measureIpam(plane: ConfigPlane, options: ThroughputOptions, half: number): Promise<ConfigRow[]> {
  const client = plane.ipamClient();
  const empty = await measureThroughput(options, allocations(client, 'the /12 empty'));
  const held = Math.round(empty.samples.reduce((sum, perSecond) => sum + (perSecond * options.durationMs) / 1000, 0));
  await fillSubnet(client, Math.max(0, half - held));
  const full = await measureThroughput(options, allocations(client, `${half.toLocaleString('en')} addresses held`));
  return [empty, full];
}
