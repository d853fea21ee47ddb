import * as path from 'node:path';
import type { Network } from './arguments';
import { createNodeGroup, readHierarchies } from './cgroups';
import { createClusterPki } from './cluster-pki';
import { startContainerd } from './containerd';
import { isApiServerReady, kubectl, startApiServer, startControllers } from './control-plane';
import { buildFirstImages, deployOurs, type OurArchives } from './deploy-ours';
import { stopSandbox } from './down';
import { ensureGroups } from './go-build';
import { waitForNodes, waitForWorkloads } from './health';
import { copyRoot, preparedRoot } from './image-cache';
import { startKubelet } from './kubelet';
import { withLock } from './lock';
import { startBridgeNetwork } from './network-bridge';
import { createNodeNamespace } from './node-namespace';
import { recordImports } from './our-images';
import { isAlive } from './processes';
import { say, step } from './progress';
import { run } from './run';
import { createSandbox, findSandbox, type Sandbox } from './sandbox';
import type { Settings } from './settings';
import { ensureCoreDnsImage, ensureTestImages } from './test-images';
import { createUnderlay } from './underlay';

const registrationTimeoutMs = 60_000;
const bridgeTimeoutMs = 120_000;

export interface Wanted {
  readonly name: string;
  readonly workers?: number;
  readonly network?: Network;
}

interface Binaries {
  readonly kubernetes: string;
  readonly containerd: string;
  readonly cni: string;
}

/**
 * Brings the sandbox to the wanted state from any other: a healthy one is left alone, one whose
 * roll-out was interrupted goes on, anything else is removed and made anew.
 */
export async function startSandbox(settings: Settings, wanted: Wanted): Promise<void> {
  const existing = await findSandbox(settings, wanted.name);
  if (existing !== undefined && (await isUsable(existing, wanted))) {
    if (existing.record.phase === 'running') {
      say(`sandbox "${wanted.name}" runs already`);
      return;
    }
    say(`sandbox "${wanted.name}" has its cluster; going on with the roll-out`);
    if (await deployOurs(existing)) await existing.setPhase('running');
    return;
  }
  if (existing !== undefined) {
    await step(`removing what is left of sandbox "${wanted.name}"`, () => stopSandbox(existing));
  }
  const { workers = 2, network = 'ours' } = existing?.record ?? {};
  await build(settings, { workers, network, ...wanted });
}

/** One command at a time may change a sandbox. */
export function withSandboxLock<T>(
  settings: Settings,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  return withLock(
    path.join(settings.cache, 'lock', `sandbox-${name}.lock`),
    `sandbox "${name}"`,
    work,
  );
}

/** True when the cluster is whole and is the wanted one. */
async function isUsable(sandbox: Sandbox, wanted: Wanted): Promise<boolean> {
  const { record } = sandbox;
  // Only our roll-out can be repeated; the bridge network is made once.
  const isWhole = record.phase === 'running' || (record.phase === 'cluster' && sandbox.isOurs);
  if (!isWhole) return false;
  if ((wanted.workers ?? record.workers) !== record.workers) return false;
  if ((wanted.network ?? record.network) !== record.network) return false;
  for (const { component, record: process } of await sandbox.processes.list()) {
    if (await isAlive(process)) continue;
    say(`${component}: does not run any more`);
    return false;
  }
  const { kubernetes } = await ensureGroups(sandbox.settings, ['kubernetes']);
  return isApiServerReady(sandbox, kubernetes);
}

async function build(
  settings: Settings,
  wanted: { readonly name: string; readonly workers: number; readonly network: Network },
): Promise<void> {
  const binaries = await ensureGroups(settings, ['kubernetes', 'containerd', 'cni']);
  const testImages = await ensureTestImages(settings);
  const isOurs = wanted.network === 'ours';
  const images: OurArchives = isOurs
    ? await buildFirstImages(settings)
    : { stable: [], apps: [await ensureCoreDnsImage(settings)] };
  // In two stages: a change of our apps imports their images only.
  const stable = [...testImages, ...images.stable];
  const archives = [...stable, ...images.apps];
  await preparedRoot(settings, stable, binaries.containerd);
  const prepared = await preparedRoot(settings, archives, binaries.containerd);
  let sandbox = await createSandbox(settings, wanted);
  await recordImports(sandbox, archives);
  await startCluster(sandbox, binaries, prepared);
  sandbox = await sandbox.setPhase('cluster');
  if (isOurs) {
    if (!(await deployOurs(sandbox, images))) return;
  } else {
    await step('starting the bridge network', () => startBridgeNetwork(sandbox, binaries));
    await waitForWorkloads(sandbox, binaries.kubernetes, bridgeTimeoutMs);
  }
  await sandbox.setPhase('running');
}

/** Starts nodes and control plane; afterwards every node has registered. */
async function startCluster(sandbox: Sandbox, binaries: Binaries, prepared: string): Promise<void> {
  const { plan } = sandbox;
  say(`making ${plan.nodes.length} nodes on ${plan.underlay}`);
  const hierarchies = await readHierarchies();
  for (const node of plan.nodes) await createNodeGroup(hierarchies, node.cgroup);
  const [pki] = await Promise.all([
    createClusterPki(sandbox),
    createUnderlay(plan).then(async () => {
      for (const node of plan.nodes) {
        await copyRoot(prepared, sandbox.containerdRoot(node));
        await createNodeNamespace(sandbox, node);
      }
    }),
  ]);
  say('starting Kubernetes');
  await Promise.all([
    startApiServer(sandbox, pki, binaries.kubernetes),
    ...plan.nodes.map((node) => startContainerd(sandbox, node, binaries.containerd)),
  ]);
  await startControllers(sandbox, pki, binaries.kubernetes);
  for (const node of plan.nodes) await startKubelet(sandbox, node, pki, binaries.kubernetes);
  say('waiting for the nodes to register');
  await waitForNodes(sandbox, binaries.kubernetes, registrationTimeoutMs);
  // A kubelet may not give itself this label.
  const label = [
    'label',
    'node',
    plan.controlPlane.name,
    'node-role.kubernetes.io/control-plane=',
    '--overwrite',
  ];
  await run(...kubectl(sandbox, binaries.kubernetes, label));
}
