import type { Command } from 'commander';
import { ContrailError } from '@contrail/errors';
import { kubeKinds } from '@contrail/kube';
import type { KubeClient } from '@contrail/kube';
import type { ControlServiceClient } from '@contrail/proto-gen/control/v1/control_service';
import { callUnary } from '@contrail/rpc';
import { metaOf } from '@contrail/resource-model';
import { listAll } from '../config-api/list-all';
import { withKubernetes } from '../kubernetes-connection';
import { toFormat, toTable } from '../output/print';
import { withConfigApi, withControl } from '../session';
import type { Session } from '../session';
import { compareCell } from './compare-cells';
import type { Difference } from './compare-cells';
import { calledEnds, expectCells, missingBackends } from './expected-cells';
import type { CalledEnd, ProberCells } from './expected-cells';
import { createWorld, removeLeftovers, removeWorld } from './probe-world';
import type { ProbeWorld } from './probe-world';
import { runDials } from './run-dials';
import { waitFor } from './wait-for';

const [isAsExpected, isDifferent, isNotKnown] = [0, 1, 2];
const settledMs = 120_000;
const nodesMax = 16;

interface SelftestOptions {
  readonly nodes: number;
}

/** Adds `selftest`. */
export function addSelftestCommand(program: Command, open: () => Session): void {
  program
    .command('selftest')
    .description('compares what reach says with real packets between pods of its own; exit status 0 equal, 1 different, 2 could not tell')
    .option('--nodes <n>', 'on so many nodes', toCount, 2)
    .action((options: SelftestOptions) => selftest(open(), options));
}

function toCount(text: string): number {
  const count = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > nodesMax) throw new ContrailError('INVALID_ARGUMENT', `--nodes: is "${text}"; write 1 to ${nodesMax}`);
  return count;
}

async function selftest(session: Session, { nodes }: SelftestOptions): Promise<void> {
  session.exit(isNotKnown);
  const run = Math.random().toString(36).slice(2, 8);
  const result = await withKubernetes(session, async (kubernetes) => {
    const leftovers = await removeLeftovers(kubernetes, Date.now());
    try {
      const findNetwork = (namespace: string, name: string): Promise<string | undefined> => networkOf(session, namespace, name);
      const world = await createWorld({ kubernetes, run, nodeCount: nodes, signal: session.signal, findNetwork });
      return { ...(await compareWorld(session, kubernetes, world)), leftovers };
    } finally {
      // Whoever interrupts does not want to wait: what was asked to go goes by itself.
      await removeWorld(kubernetes, run, !session.signal.aborted);
    }
  });
  session.write(toFormat(session.options.output, result, () => selftestText(result)));
  session.exit(result.differences.length === 0 ? isAsExpected : isDifferent);
}

export interface SelftestResult {
  readonly nodes: readonly string[];
  /** Ways that were tried. */
  readonly tried: number;
  /** Of those, how many the model says are open. */
  readonly open: number;
  readonly differences: readonly Difference[];
  /** What the cluster does not have. */
  readonly notTried: readonly string[];
  /** Namespaces that earlier runs left, and that are being deleted. */
  readonly leftovers: readonly string[];
}

/** A lost packet is no difference: what differs is tried again. But what must not pass and did is one at once. */
async function compareWorld(session: Session, kubernetes: KubeClient, world: ProbeWorld): Promise<Omit<SelftestResult, 'leftovers'>> {
  const ends = calledEnds(world, await readEssential(kubernetes));
  const rows = await withControl(session, (client) => settledCells(session, client, world, ends));
  const first = await dialRows(session, kubernetes, world, rows, 'first');
  const passed = first.filter(({ difference, cell }) => difference !== undefined && !cell.expected.reachable);
  const failed = first.filter(({ difference, cell }) => difference !== undefined && cell.expected.reachable);
  const again = failed.length === 0 ? [] : await dialRows(session, kubernetes, world, onlyThese(rows, failed), 'again');
  const cells = rows.flatMap((row) => row.cells);
  return {
    nodes: world.nodes,
    notTried: world.notTried,
    tried: cells.length,
    open: cells.filter(({ expected }) => expected.reachable).length,
    differences: [...passed, ...again].flatMap(({ difference }) => difference ?? []),
  };
}

interface Tried {
  readonly cell: ProberCells['cells'][number];
  readonly difference: Difference | undefined;
}

async function dialRows({ signal }: Session, kubernetes: KubeClient, { image }: ProbeWorld, rows: readonly ProberCells[], round: string): Promise<Tried[]> {
  const dialled = rows.map(async ({ prober, cells }) => {
    const answers = await runDials(prober, cells.map(({ target }) => target), { kubernetes, image, round, signal });
    return cells.map((cell, i): Tried => ({ cell, difference: compareCell(cell, answers[i] ?? '!no answer') }));
  });
  return (await Promise.all(dialled)).flat();
}

function onlyThese(rows: readonly ProberCells[], tried: readonly Tried[]): ProberCells[] {
  const wanted = new Set(tried.map(({ cell }) => cell));
  return rows.map(({ prober, cells }) => ({ prober, cells: cells.filter((cell) => wanted.has(cell)) })).filter(({ cells }) => cells.length > 0);
}

/** What control says, once services have their backends and every node has programmed what it was said of. */
async function settledCells(session: Session, client: ControlServiceClient, world: ProbeWorld, ends: readonly CalledEnd[]): Promise<readonly ProberCells[]> {
  const probe = async (): Promise<readonly ProberCells[]> => {
    const { rows, revision } = await expectCells(client, world.probers, ends);
    const [missing] = missingBackends(rows, ends, world.nodes.length);
    if (missing !== undefined) throw new ContrailError('UNAVAILABLE', missing);
    await checkProgress(session, world.nodes, revision);
    return rows;
  };
  return await waitFor('the nodes have what control says', probe, { timeoutMs: settledMs, signal: session.signal });
}

async function checkProgress(session: Session, nodes: readonly string[], revision: bigint): Promise<void> {
  const progress = await withConfigApi(session, (client) => callUnary(client, 'getProgress', {}));
  for (const name of nodes) {
    const found = progress.nodes.find(({ node }) => node === name);
    if (found === undefined) throw new ContrailError('UNAVAILABLE', `node ${name} reports no progress; see contrailctl progress`);
    if (found.revision < revision) throw new ContrailError('UNAVAILABLE', `node ${name} has revision ${found.revision}, not ${revision}; see contrailctl progress`);
  }
}

/** Name of the VirtualNetwork that kube-manager made of a definition. */
async function networkOf(session: Session, namespace: string, name: string): Promise<string | undefined> {
  const annotations = { kind: 'NetworkAttachmentDefinition', namespace, name };
  const [network] = await withConfigApi(session, (client) => listAll(client, 'virtual-network', { annotations }));
  return network && metaOf(network).fqName.join(':');
}

/** Services that every network reaches: the API server and the cluster's DNS, as far as there is one. */
async function readEssential(kubernetes: KubeClient): Promise<{ api: string; dns: string }> {
  const clusterIp = async (namespace: string, name: string): Promise<string> => {
    try {
      return (await kubernetes.get(kubeKinds.services, { namespace, name })).spec?.clusterIP ?? '';
    } catch (error) {
      if (error instanceof ContrailError && error.code === 'NOT_FOUND') return '';
      throw error;
    }
  };
  const [api, dns] = await Promise.all([clusterIp('default', 'kubernetes'), clusterIp('kube-system', 'kube-dns')]);
  return { api, dns };
}

export function selftestText({ nodes, tried, open, differences, leftovers, notTried }: SelftestResult): string {
  const rows = differences.map(({ from, to, traffic, expected, found }) => [from, to, traffic, expected, found]);
  return [
    ...leftovers.map((name) => `Removed namespace ${name}, which an earlier run left.\n`),
    ...notTried.map((text) => `Not tried: ${text}.\n`),
    rows.length === 0 ? '' : toTable(['FROM', 'TO', 'TRAFFIC', 'EXPECTED', 'FOUND'], rows),
    `${differences.length} differences; tried ${tried} ways on ${nodes.join(', ')}: ${open} are open and ${tried - open} are not\n`,
  ].join('');
}
