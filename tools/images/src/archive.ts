import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { writeImagesArchive } from '../../sandbox/src/image-archive';
import type { Places } from './app-bundle';
import type { ArchivePlan, Image } from './catalog';
import { fingerprint } from './fingerprint';

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
  writeImagesArchive(images, { out: file, layerCache: path.join(path.dirname(places.folder), 'layers') });
  writeFileSync(record, text);
  return { file, isNew: true };
}
