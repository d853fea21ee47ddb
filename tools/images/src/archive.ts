import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { writeImagesArchive } from '../../sandbox/src/image-archive';
import type { Places } from './app-bundle';
import type { ArchivePlan, Image } from './catalog';
import { fingerprint } from './fingerprint';

const layerDaysMax = 7;

/**
 * The tag is a hash of all that decides the image's content, so `imagePullPolicy: IfNotPresent` always picks the right one
 * and a rebuild that changes nothing rolls nothing.
 */
export function tagOf(image: Image): string {
  return fingerprint(image.layers.map((layer) => layer.key), image.config).slice(0, 16);
}

/**
 * Packs the images of a plan into one docker-archive, unless the archive of an earlier run holds exactly these.
 *
 * @returns the path of the archive, and whether it was written.
 */
export function packArchive(places: Places, plan: ArchivePlan): { readonly file: string; readonly isNew: boolean } {
  const file = path.join(places.folder, plan.file);
  const record = `${file}.tags`;
  const tags = plan.images.map((image) => `${image.name}:${tagOf(image)}`);
  const text = `${tags.join('\n')}\n`;
  if (existsSync(file) && existsSync(record) && readFileSync(record, 'utf8') === text) return { file, isNew: false };
  const images = plan.images.map((image, position) => ({
    tag: tags[position] ?? '',
    layers: image.layers,
    config: image.config,
  }));
  const layerCache = path.join(path.dirname(places.folder), 'layers');
  writeImagesArchive(images, { out: file, layerCache });
  writeFileSync(record, text);
  removeOldLayers(layerCache);
  return { file, isNew: true };
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
