import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { ContrailError, errorText } from '@contrail/errors';
import type { KubeClient } from '@contrail/kube';
import { listAll } from '../config-api/list-all';
import { withKubernetes } from '../kubernetes-connection';
import { toJson, toTable } from '../output/print';
import { withConfigApi, withIpam } from '../session';
import type { Session } from '../session';
import { compareObjects } from './compare-objects';
import type { NodeFacts } from './compare-objects';
import { exitStatusOf } from './drift';
import type { ClusterDrift, Verification } from './drift';
import { readWorld } from './read-world';
import { verifyNodes } from './verify-nodes';
import type { NodeTarget, VerifiedNodes } from './verify-nodes';

/** What is on its way is there after this time; what differs twice is a drift. */
const settleMs = 3000;

interface VerifyOptions {
  readonly repair?: boolean;
  readonly local?: boolean;
}

export function addVerifyCommand(program: Command, open: () => Session): void {
  program
    .command('verify')
    .description('compares what should be with what is, on every node and between the objects; exit status 0 none, 1 drift, 2 could not check')
    .option('--repair', 'have each agent mend what it finds')
    .option('--local', "only this node's agent, by its socket")
    .action((options: VerifyOptions) => verify(open(), options));
}

async function verify(session: Session, { repair = false, local = false }: VerifyOptions): Promise<void> {
  const result = await (local || session.options.node !== undefined ? verifyOne(session, repair) : verifyAll(session, repair));
  const { drifts, checked, notChecked } = result;
  if (session.options.output === 'json') session.write(toJson({ drifts, checked: Object.fromEntries(checked), notChecked }));
  else session.write(verificationText(result));
  session.exit(exitStatusOf(result));
}

async function verifyOne(session: Session, repair: boolean): Promise<Verification> {
  const { node } = session.options;
  return await verifyNodes(session, [{ name: node ?? 'of this socket', address: node }], repair);
}

async function verifyAll(session: Session, repair: boolean): Promise<Verification> {
  let targets: NodeTarget[] = [];
  try {
    targets = await readTargets(session);
  } catch (error) {
    return { drifts: [], checked: new Map(), notChecked: [`nodes: ${textOf(error)}`] };
  }
  const nodes = await verifyNodes(session, targets, repair);
  const objects = await verifyObjects(session, targets, nodes);
  return {
    drifts: [...nodes.drifts, ...objects.drifts],
    checked: new Map([...nodes.checked, ...objects.checked]),
    notChecked: [...nodes.notChecked, ...objects.notChecked],
  };
}

async function readTargets(session: Session): Promise<NodeTarget[]> {
  const routers = await withConfigApi(session, (client) => listAll(client, 'virtual-router'));
  return routers.flatMap(({ kind }) =>
    kind?.$case === 'virtualRouter' && kind.value.virtualRouterIpAddress !== ''
      ? [{ name: kind.value.meta?.fqName.at(-1) ?? '', address: kind.value.virtualRouterIpAddress }]
      : [],
  );
}

/** Objects change while they are read, so a difference counts when a second look finds it, too. */
async function verifyObjects(session: Session, targets: readonly NodeTarget[], nodes: VerifiedNodes): Promise<Verification> {
  try {
    return await withKubernetes(session, async (kubernetes) => {
      const first = await compareOnce(session, kubernetes, nodes.facts);
      if (first.drifts.length === 0) return first;
      await sleep(settleMs);
      const again = await verifyNodes(session, targets, false);
      const second = await compareOnce(session, kubernetes, again.facts);
      const before = new Set(first.drifts.map(keyOf));
      return { ...second, drifts: second.drifts.filter((drift) => before.has(keyOf(drift))) };
    });
  } catch (error) {
    return { drifts: [], checked: new Map(), notChecked: [`objects: ${textOf(error)}`] };
  }
}

async function compareOnce(session: Session, kubernetes: KubeClient, nodes: readonly NodeFacts[]): Promise<Verification> {
  const world = await withConfigApi(session, (configApi) => withIpam(session, (ipam) => readWorld({ kubernetes, configApi, ipam }, nodes)));
  const count = world.pods.length + world.machines.length + world.interfaces.length + world.instanceIps.length + world.allocations.length;
  return { drifts: compareObjects(world), checked: new Map([['object', count]]), notChecked: [] };
}

function keyOf({ node, object, expected, found }: ClusterDrift): string {
  return [node, object, expected, found].join('|');
}

function textOf(error: unknown): string {
  return error instanceof ContrailError ? error.message : errorText(error);
}

export function verificationText({ drifts, checked, notChecked }: Verification): string {
  const counts = [...checked].map(([kind, count]) => `${count} ${kind}`).join(', ');
  const mended = drifts.filter((drift) => drift.mended).length;
  const table = toTable(
    ['NODE', 'KIND', 'OBJECT', 'EXPECTED', 'FOUND', 'STATE', 'REMEDY'],
    drifts.map((drift) => [drift.node, drift.kind, drift.object, drift.expected, drift.found, drift.mended ? 'mended' : 'drift', drift.remedy]),
  );
  return [
    drifts.length > 0 ? table : '',
    ...notChecked.map((text) => `Not checked: ${text}\n`),
    `${drifts.length} differences, ${mended} mended; looked at ${counts === '' ? 'nothing' : counts}\n`,
  ].join('');
}
