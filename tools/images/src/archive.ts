import { existsSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import * as path from 'node:path';
import { writeImagesArchive } from '../../sandbox/src/image-archive';
import type { Places } from './app-bundle';
import type { ArchivePlan, Image } from './catalog';
import { fingerprint } from './fingerprint';

/** Archives of one name that are kept: somebody may be importing the one before. */
const keptArchives = 3;
const layerDaysMax = 7;

/**
 * The tag is a hash of all that decides the image's content, so `imagePullPolicy: IfNotPresent` always picks the right one
 * and a rebuild that changes nothing rolls nothing.
 */
export function tagOf(image: Image): string {
  return fingerprint(image.layers.map((layer) => layer.key), image.config).slice(0, 16);
}

/**
 * Packs the images of a plan into one docker-archive, unless an earlier run did. Its name holds a hash of the tags, so a
 * path always means the same images, also while another build goes on.
 *
 * @returns the path of the archive, and whether it was written.
 */
export function packArchive(places: Places, plan: ArchivePlan): { readonly file: string; readonly isNew: boolean } {
  const images = plan.images.map((image) => ({ ...image, tag: `${image.name}:${tagOf(image)}` }));
  const key = fingerprint(images.map((image) => image.tag)).slice(0, 16);
  const file = path.join(places.folder, `${plan.name}-${key}.tar`);
  if (existsSync(file)) {
    utimesSync(file, new Date(), new Date());
    return { file, isNew: false };
  }
  const layerCache = path.join(path.dirname(places.folder), 'layers');
  writeImagesArchive(images, { out: file, layerCache });
  removeOldArchives(places.folder, plan.name);
  removeOldLayers(layerCache);
  return { file, isNew: true };
}

function removeOldArchives(folder: string, name: string): void {
  const archives = readdirSync(folder)
    .filter((file) => new RegExp(`^${name}-[0-9a-f]{16}\\.tar$`).test(file))
    .map((file) => ({ file, usedAtMs: statSync(path.join(folder, file)).mtimeMs }))
    .sort((a, b) => b.usedAtMs - a.usedAtMs);
  for (const { file } of archives.slice(keptArchives)) {
    for (const suffix of ['', '.key']) rmSync(path.join(folder, `${file}${suffix}`), { force: true });
  }
}

/** Every rebuild of an app leaves a layer behind. One that is still needed is made again in a second. */
function removeOldLayers(layerCache: string): void {
  const oldest = Date.now() - layerDaysMax * 86_400_000;
  for (const name of readdirSync(layerCache)) {
    const file = path.join(layerCache, name);
    const found = statSync(file, { throwIfNoEntry: false });
    if (found?.isFile() === true && found.mtimeMs < oldest) rmSync(file, { force: true });
  }
}
