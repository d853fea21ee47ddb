import { existsSync } from 'node:fs';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { contrailObjects } from './contrail-settings';
import { kubectl } from './control-plane';
import { ensureGroups, isBuilt } from './go-build';
import { waitForWorkloads } from './health';
import { nodeFolder } from './node-namespace';
import {
  buildOurImages,
  importMissing,
  readTags,
  type BuiltImage,
  type OurArchive,
} from './our-images';
import { say, step } from './progress';
import { ensureForwarder, makeSocketFolder } from './rest-endpoint';
import { run } from './run';
import type { Sandbox } from './sandbox';
import type { Settings } from './settings';

const rolloutTimeoutMs = 300_000;
/** User and group in k8s/base/redis.yaml. */
const redisUser = 65532;

/** Manifests to apply: a folder with a kustomization, and what belongs to this cluster only. */
interface Rollout {
  readonly name: OurArchive;
  readonly manifests: string;
  readonly objects: readonly object[];
}

/** Archives of our images, by what they are for. `stable` ones change seldom. */
export interface OurArchives {
  readonly stable: readonly string[];
  readonly apps: readonly string[];
}

/** Whether a roll-out may end before Jaeger, where that had to be compiled first. */
interface JaegerWish {
  readonly isJaegerLater?: boolean;
}

/** Builds what the first roll-out needs. Jaeger only when it needs no compiling: that can wait. */
export async function buildFirstImages(settings: Settings): Promise<OurArchives> {
  if (!(await isBuilt(settings, 'jaeger'))) {
    return { stable: [], apps: await buildOurImages(settings, ['contrail']) };
  }
  const [jaeger, ...apps] = await buildOurImages(settings, ['jaeger', 'contrail']);
  return { stable: jaeger === undefined ? [] : [jaeger], apps };
}

/**
 * Rolls our services and Jaeger out on a running cluster: images, settings, manifests; then waits
 * until all is available. Can be repeated: what is there already stays as it is.
 *
 * @returns false when this checkout has no manifests yet.
 */
export async function deployOurs(sandbox: Sandbox, wish: JaegerWish = {}): Promise<boolean> {
  const archives = await buildFirstImages(sandbox.settings);
  return (await applyOurs(sandbox, archives)) && finishRollout(sandbox, wish);
}

/**
 * Applies our manifests with the tags of these archives, and imports these where a running node lacks
 * them. The nodes need not have registered: their pods follow them.
 *
 * @returns false when this checkout has no manifests yet.
 */
export async function applyOurs(sandbox: Sandbox, archives: OurArchives): Promise<boolean> {
  const overlay = manifestsOf(sandbox, 'overlays/sandbox');
  if (!existsSync(path.join(overlay, 'kustomization.yaml'))) {
    say(`${overlay}: has no kustomization.yaml; the nodes stay NotReady without our network`);
    return false;
  }
  const objects = await contrailObjects(sandbox);
  await makeRedisFolder(sandbox);
  await makeSocketFolder(sandbox);
  await apply(sandbox, { name: 'contrail', manifests: overlay, objects }, archives.apps);
  if (archives.stable.length > 0) await apply(sandbox, jaegerOf(sandbox), archives.stable);
  return true;
}

/** Waits until all that was applied is available; then adds Jaeger where it had to be compiled first. */
export async function finishRollout(sandbox: Sandbox, wish: JaegerWish = {}): Promise<boolean> {
  const { settings } = sandbox;
  const { kubernetes } = await ensureGroups(settings, ['kubernetes']);
  // Not whether it is built: another process may just have finished that.
  const isJaegerApplied = existsSync(kustomizationFolder(sandbox, 'jaeger'));
  await ensureForwarder(sandbox);
  await waitForWorkloads(sandbox, kubernetes, rolloutTimeoutMs);
  if (isJaegerApplied || wish.isJaegerLater === true) return true;
  say('the cluster is ready; Jaeger follows');
  await ensureGroups(settings, ['jaeger']);
  await apply(sandbox, jaegerOf(sandbox), await buildOurImages(settings, ['jaeger']));
  await waitForWorkloads(sandbox, kubernetes, rolloutTimeoutMs);
  return true;
}

/** Redis runs without privileges and could not take a folder that belongs to root. */
async function makeRedisFolder(sandbox: Sandbox): Promise<void> {
  const folder = nodeFolder(sandbox, sandbox.plan.controlPlane, '/var/lib/contrail');
  await mkdir(path.join(folder, 'redis'), { recursive: true });
  await chown(path.join(folder, 'redis'), redisUser, redisUser);
}

function jaegerOf(sandbox: Sandbox): Rollout {
  return { name: 'jaeger', manifests: manifestsOf(sandbox, 'jaeger'), objects: [] };
}

function kustomizationFolder(sandbox: Sandbox, name: OurArchive): string {
  return sandbox.file('deploy', name);
}

function manifestsOf(sandbox: Sandbox, folder: string): string {
  return path.join(sandbox.settings.repository, 'k8s', folder);
}

async function apply(
  sandbox: Sandbox,
  rollout: Rollout,
  archives: readonly string[],
): Promise<void> {
  const { kubernetes, containerd } = await ensureGroups(sandbox.settings, [
    'kubernetes',
    'containerd',
  ]);
  await importMissing(sandbox, archives, containerd);
  const folder = await writeKustomization(sandbox, rollout, await readTags(archives));
  const flags = ['--server-side', '--force-conflicts', '--field-manager=sandbox'];
  const words = kubectl(sandbox, kubernetes, ['apply', ...flags, '-k', folder]);
  await step(`applying the manifests of ${rollout.name}`, () => run(...words));
}

/**
 * Writes the kustomization of this cluster: the manifests, what belongs to this cluster only, and the
 * tags that were built, so that a rebuilt image changes its pods.
 */
async function writeKustomization(
  sandbox: Sandbox,
  rollout: Rollout,
  images: readonly BuiltImage[],
): Promise<string> {
  const folder = kustomizationFolder(sandbox, rollout.name);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const objects = { apiVersion: 'v1', kind: 'List', items: rollout.objects };
  const objectsFile = path.join(folder, 'cluster.json');
  await writeFile(objectsFile, JSON.stringify(objects, undefined, 2), { mode: 0o600 });
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [
      // kustomize refuses absolute paths.
      path.relative(folder, rollout.manifests),
      ...(rollout.objects.length > 0 ? [path.basename(objectsFile)] : []),
    ],
    images: images.map((image) => ({ name: image.name, newTag: image.tag })),
  };
  const file = path.join(folder, 'kustomization.yaml');
  await writeFile(file, JSON.stringify(kustomization, undefined, 2));
  return folder;
}
