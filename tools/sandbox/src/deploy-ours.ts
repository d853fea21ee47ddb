import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { contrailObjects } from './contrail-settings';
import { kubectl } from './control-plane';
import { ensureGroups } from './go-build';
import { waitForWorkloads } from './health';
import { buildOurImages, importMissing, readTags, type BuiltImage } from './our-images';
import { say, step } from './progress';
import { run } from './run';
import type { Sandbox } from './sandbox';

const rolloutTimeoutMs = 300_000;

/**
 * Rolls our services out on a running cluster: images, settings, manifests; then waits until all is
 * available. Can be repeated: what is there already stays as it is.
 *
 * @param archives images that were built just now; built here when absent.
 * @returns false when this checkout has no manifests yet.
 */
export async function deployOurs(sandbox: Sandbox, archives?: readonly string[]): Promise<boolean> {
  const { settings } = sandbox;
  const overlay = path.join(settings.repository, 'k8s/overlays/sandbox');
  if (!existsSync(path.join(overlay, 'kustomization.yaml'))) {
    say(`${overlay}: has no kustomization.yaml; the nodes stay NotReady without our network`);
    return false;
  }
  const { kubernetes, containerd } = await ensureGroups(settings, ['kubernetes', 'containerd']);
  const images = archives ?? (await buildOurImages(settings));
  await importMissing(sandbox, images, containerd);
  const folder = await writeKustomization(sandbox, overlay, await readTags(images));
  const flags = ['--server-side', '--force-conflicts', '--field-manager=sandbox'];
  await step('applying our manifests', () =>
    run(...kubectl(sandbox, kubernetes, ['apply', ...flags, '-k', folder])),
  );
  await waitForWorkloads(sandbox, kubernetes, rolloutTimeoutMs);
  return true;
}

/**
 * Writes the kustomization of this cluster: the overlay, what belongs to this cluster only, and the
 * tags that were built, so that a rebuilt image changes its pods.
 */
async function writeKustomization(
  sandbox: Sandbox,
  overlay: string,
  images: readonly BuiltImage[],
): Promise<string> {
  const folder = sandbox.file('deploy');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const objects = { apiVersion: 'v1', kind: 'List', items: await contrailObjects(sandbox) };
  await writeFile(path.join(folder, 'cluster.json'), JSON.stringify(objects, undefined, 2), {
    mode: 0o600,
  });
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    // kustomize refuses absolute paths.
    resources: [path.relative(folder, overlay), 'cluster.json'],
    images: images.map((image) => ({ name: image.name, newTag: image.tag })),
  };
  await writeFile(
    path.join(folder, 'kustomization.yaml'),
    JSON.stringify(kustomization, undefined, 2),
  );
  return folder;
}
