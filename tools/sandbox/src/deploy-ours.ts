import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { contrailObjects } from './contrail-settings';
import { kubectl } from './control-plane';
import { ensureGroups, isBuilt } from './go-build';
import { waitForWorkloads } from './health';
import { buildOurImages, importMissing, readTags, type BuiltImage } from './our-images';
import { say, step } from './progress';
import { run } from './run';
import type { Sandbox } from './sandbox';
import type { Settings } from './settings';

const rolloutTimeoutMs = 300_000;

/** Manifests to apply: a folder with a kustomization, and what belongs to this cluster only. */
interface Rollout {
  readonly name: 'contrail' | 'jaeger';
  readonly manifests: string;
  readonly objects: readonly object[];
}

/** Archives of our images, by what they are for. `stable` ones change seldom. */
export interface OurArchives {
  readonly stable: readonly string[];
  readonly apps: readonly string[];
}

/** Builds what the first roll-out needs. Jaeger only when it needs no compiling: that can wait. */
export async function buildFirstImages(settings: Settings): Promise<OurArchives> {
  const isJaegerBuilt = await isBuilt(settings, 'jaeger');
  return {
    stable: isJaegerBuilt ? await buildOurImages(settings, 'jaeger') : [],
    apps: await buildOurImages(settings, 'contrail'),
  };
}

/**
 * Rolls our services and Jaeger out on a running cluster: images, settings, manifests; then waits
 * until all is available. Can be repeated: what is there already stays as it is.
 *
 * @param built archives that were built a moment ago; others are built here.
 * @returns false when this checkout has no manifests yet.
 */
export async function deployOurs(sandbox: Sandbox, built?: OurArchives): Promise<boolean> {
  const { settings } = sandbox;
  const folder = (name: string): string => path.join(settings.repository, 'k8s', name);
  const overlay = folder('overlays/sandbox');
  if (!existsSync(path.join(overlay, 'kustomization.yaml'))) {
    say(`${overlay}: has no kustomization.yaml; the nodes stay NotReady without our network`);
    return false;
  }
  const jaeger: Rollout = { name: 'jaeger', manifests: folder('jaeger'), objects: [] };
  const objects = await contrailObjects(sandbox);
  const contrail: Rollout = { name: 'contrail', manifests: overlay, objects };
  const isJaegerBuilt = await isBuilt(settings, 'jaeger');
  await apply(sandbox, contrail, built?.apps);
  if (isJaegerBuilt) await apply(sandbox, jaeger, built?.stable);
  const { kubernetes } = await ensureGroups(settings, ['kubernetes']);
  await waitForWorkloads(sandbox, kubernetes, rolloutTimeoutMs);
  if (isJaegerBuilt) return true;
  say('the cluster is ready; Jaeger follows');
  await ensureGroups(settings, ['jaeger']);
  await apply(sandbox, jaeger);
  await waitForWorkloads(sandbox, kubernetes, rolloutTimeoutMs);
  return true;
}

async function apply(sandbox: Sandbox, rollout: Rollout, built: readonly string[] = []): Promise<void> {
  const { kubernetes, containerd } = await ensureGroups(sandbox.settings, [
    'kubernetes',
    'containerd',
  ]);
  const archives = built.length > 0 ? built : await buildOurImages(sandbox.settings, rollout.name);
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
  const folder = sandbox.file('deploy', rollout.name);
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
