import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import * as path from 'node:path';
import type { LayerEntry } from '../../sandbox/src/image-archive';
import { contentOf, fingerprint } from './fingerprint';
import { ImageFailure } from './failure';
import type { Layer } from './layer';

/** Where node finds packages from every /opt/contrail/APP/main.js. */
const target = '/opt/contrail/node_modules';

/** Parts of packages that CommonJS programs never load: types, source maps, texts, and OpenTelemetry's other builds. */
const unusedFile = /\.(map|ts|mts|cts|md|markdown)$/;
const unusedFolder = /(^|\/)build\/(esm|esnext)(\/|$)/;

interface LockedPackage {
  readonly dev?: boolean;
  readonly optional?: boolean;
}

/**
 * The npm packages that our programs need at run time, as package-lock.json names them and `npm ci` installed them.
 *
 * @throws ImageFailure when a package is not installed.
 */
export function productionModulesLayer(repository: string): Layer {
  const lockFile = path.join(repository, 'package-lock.json');
  const lock = JSON.parse(readFileSync(lockFile, 'utf8')) as { packages: Record<string, LockedPackage> };
  const wanted = Object.entries(lock.packages).filter(([folder, found]) => folder !== '' && found.dev !== true);
  const present = wanted.filter(([folder, found]) => {
    const isPresent = existsSync(path.join(repository, folder));
    if (!isPresent && found.optional !== true) throw new ImageFailure(`${folder}: is not installed; run "npm ci"`);
    return isPresent;
  });
  const folders = present.map(([folder]) => folder).sort();
  const installed = path.join(repository, 'node_modules/.package-lock.json');
  return {
    key: fingerprint(target, unusedFile.source, unusedFolder.source, folders, contentOf([lockFile, installed])),
    get entries() {
      return folders.flatMap((folder) => packageEntries(repository, folder));
    },
  };
}

/** The files of one package, without the packages nested in it. */
function packageEntries(repository: string, folder: string): LayerEntry[] {
  const inImage = path.join(target, path.relative('node_modules', folder));
  const walk = (below: string): LayerEntry[] =>
    readdirSync(path.join(repository, folder, below), { withFileTypes: true }).flatMap((entry): LayerEntry[] => {
      const inside = path.join(below, entry.name);
      const source = path.join(repository, folder, inside);
      if (entry.isDirectory()) {
        return entry.name === 'node_modules' || unusedFolder.test(inside) ? [] : walk(inside);
      }
      if (unusedFile.test(entry.name)) return [];
      const place = path.join(inImage, inside);
      return [entry.isSymbolicLink() ? { link: readlinkSync(source), target: place } : { source, target: place }];
    });
  return walk('');
}
