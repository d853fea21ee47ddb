import { rm } from 'node:fs/promises';
import * as path from 'node:path';
import type { Network } from './arguments';
import { createNodeGroup, readHierarchies } from './cgroups';
import { createClusterPki, type ClusterPki } from './cluster-pki';
import { startContainerd } from './containerd';
import {
  isApiServerReady,
  kubectl,
  startApiServer,
  startControllers,
  waitForApiServer,
} from './control-plane';
import {
  applyOurs,
  buildFirstImages,
  deployOurs,
  finishRollout,
  type OurArchives,
} from './deploy-ours';
import { stopSandbox } from './down';
import { ensureGroups } from './go-build';
import { firstGroups } from './go-groups';
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
  /** Where Jaeger had to be compiled first, do without it; the next roll-out adds it. */
  readonly isJaegerLater?: boolean;
}

interface PreparedImages extends OurArchives {
  /** A containerd root that holds all of them. */
  readonly root: string;
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
    if (await deployOurs(existing, wanted)) await existing.setPhase('running');
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
  return isApiServerReady(sandbox);
}

/**
 * Makes the sandbox. What does not need one another is done at the same time: the API server starts
 * while images are built and imported, and our manifests are applied while the nodes start.
 */
async function build(
  settings: Settings,
  wanted: Wanted & { readonly workers: number; readonly network: Network },
): Promise<void> {
  // Compiling takes minutes and all processors: first, and alone.
  const binaries = await ensureGroups(settings, firstGroups);
  if (wanted.network !== 'ours') await ensureGroups(settings, ['kube-proxy', 'coredns']);
  const created = await createSandbox(settings, wanted);
  const pki = await createNodes(created);
  const images = buildImages(created, binaries);
  const api = startControlPlane(created, pki, binaries);
  const both = together([images, api]);
  const applied = both.then(async ([archives]) => {
    return created.isOurs && (await applyOurs(created, archives));
  });
  const registered = startNodes(created, { pki, binaries, images, api });
  const [isApplied] = await together([applied, registered]);
  const sandbox = await created.setPhase('cluster');
  if (!sandbox.isOurs) {
    await step('starting the bridge network', () => startBridgeNetwork(sandbox, binaries));
    await waitForWorkloads(sandbox, binaries.kubernetes, bridgeTimeoutMs);
  } else if (!isApplied || !(await finishRollout(sandbox, wanted))) return;
  await sandbox.setPhase('running');
}

/** Groups, keys, cables and namespaces of all nodes. */
async function createNodes(sandbox: Sandbox): Promise<ClusterPki> {
  const { plan } = sandbox;
  say(`making ${plan.nodes.length} nodes on ${plan.underlay}`);
  const hierarchies = await readHierarchies();
  for (const node of plan.nodes) {
    await createNodeGroup(hierarchies, node.cgroup);
    await rm(sandbox.containerdRoot(node), { recursive: true, force: true });
  }
  const [pki] = await together([
    createClusterPki(sandbox),
    createUnderlay(plan).then(() =>
      together(plan.nodes.map((node) => createNodeNamespace(sandbox, node))),
    ),
  ]);
  return pki;
}

async function buildImages(sandbox: Sandbox, binaries: Binaries): Promise<PreparedImages> {
  const { settings } = sandbox;
  const ours = sandbox.isOurs ? buildFirstImages(settings) : bridgeImages(settings);
  const [images, testImages] = await together([ours, ensureTestImages(settings)]);
  // In two stages: a change of our apps imports their images only.
  const stable = [...testImages, ...images.stable];
  const archives = [...stable, ...images.apps];
  await preparedRoot(settings, stable, binaries.containerd);
  const root = await preparedRoot(settings, archives, binaries.containerd);
  await recordImports(sandbox, archives);
  return { ...images, root };
}

async function bridgeImages(settings: Settings): Promise<OurArchives> {
  return { stable: [], apps: [await ensureCoreDnsImage(settings)] };
}

/** Afterwards the API is served, and controller manager and scheduler are on their way. */
async function startControlPlane(
  sandbox: Sandbox,
  pki: ClusterPki,
  binaries: Binaries,
): Promise<void> {
  say('starting Kubernetes');
  await startApiServer(sandbox, pki, binaries.kubernetes);
  await waitForApiServer(sandbox);
  await startControllers(sandbox, pki, binaries.kubernetes);
}

interface Start {
  readonly pki: ClusterPki;
  readonly binaries: Binaries;
  readonly images: Promise<PreparedImages>;
  /** The API server answers. */
  readonly api: Promise<void>;
}

/** Starts all nodes; afterwards every one has registered. */
async function startNodes(sandbox: Sandbox, start: Start): Promise<void> {
  const { binaries } = start;
  const { root } = await start.images;
  await together(
    sandbox.plan.nodes.map(async (node) => {
      await copyRoot(root, sandbox.containerdRoot(node));
      await startContainerd(sandbox, node, binaries.containerd);
      await start.api;
      await startKubelet(sandbox, node, start.pki, binaries.kubernetes);
    }),
  );
  say('waiting for the nodes to register');
  await waitForNodes(sandbox, registrationTimeoutMs);
  // A kubelet may not give itself this label.
  const role = 'node-role.kubernetes.io/control-plane=';
  const label = ['label', 'node', sandbox.plan.controlPlane.name, role, '--overwrite'];
  await run(...kubectl(sandbox, binaries.kubernetes, label));
}

/**
 * Like Promise.all, but also after a failure nothing goes on in the background.
 *
 * @throws what the first of them threw.
 */
async function together<const T extends readonly Promise<unknown>[]>(
  work: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(work);
  return Promise.all(work);
}
