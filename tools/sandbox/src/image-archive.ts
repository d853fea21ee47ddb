import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import * as path from 'node:path';

/**
 * One entry of a layer. `target` is absolute inside the image; folders above it appear by
 * themselves, mode 755.
 */
export type LayerEntry =
  /** A copy of a file; without `mode`, 755 when its owner may execute it, else 644. */
  | { readonly source: string; readonly target: string; readonly mode?: number }
  | { readonly content: string; readonly target: string; readonly mode?: number }
  | { readonly link: string; readonly target: string }
  | { readonly folder: true; readonly target: string; readonly mode?: number };

/** A layer: entries, or a prepared folder that is taken as it is (owners become root). */
export type LayerSpec = ({ readonly entries: readonly LayerEntry[] } | { readonly folder: string }) & {
  /** Identifies the content, where the caller knows how: files are then read only to build the layer. */
  readonly key?: string;
};

/** As in Docker's image configuration. */
export interface ImageConfig {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  /** `NAME=value`. */
  readonly Env?: readonly string[];
  readonly WorkingDir?: string;
  /** Name or number, optionally with a group: `65532:65532`. */
  readonly User?: string;
}

export interface ImageSpec {
  /** With registry and version: `example/name:1.0`. */
  readonly tag: string;
  /** Bottom first. Images that share a layer share its bytes in the archive. */
  readonly layers: readonly LayerSpec[];
  readonly config: ImageConfig;
}

export interface ArchiveOptions {
  /** The file to write. An archive of the same content is left untouched. */
  readonly out: string;
  /** Keeps built layers; default `$CONTRAIL_CACHE/layers`, else `/var/cache/contrail/layers`. */
  readonly layerCache?: string;
}

interface Layer {
  readonly file: string;
  readonly digest: string;
}

/**
 * Writes one image as a docker-archive. Equal input gives an equal file: no time stamps, sorted
 * names, owner root.
 *
 * @returns true when the file was written, false when it was already there.
 */
export function writeImageArchive(image: ImageSpec & ArchiveOptions): boolean {
  return writeImagesArchive([image], image);
}

/**
 * Like {@link writeImageArchive} for several images in one file; layers that they share are stored
 * once.
 */
export function writeImagesArchive(images: readonly ImageSpec[], options: ArchiveOptions): boolean {
  const cache =
    options.layerCache ?? path.join(process.env.CONTRAIL_CACHE ?? '/var/cache/contrail', 'layers');
  const files = new Map<string, Buffer | Layer>();
  const manifest = images.map((image) => {
    const layers = image.layers.map((layer) => buildLayer(layer, cache));
    for (const layer of layers) files.set(`${layer.digest}/layer.tar`, layer);
    const config = Buffer.from(JSON.stringify(imageConfig(image, layers)));
    const configName = `${sha256(config)}.json`;
    files.set(configName, config);
    return {
      Config: configName,
      RepoTags: [image.tag],
      Layers: layers.map((layer) => `${layer.digest}/layer.tar`),
    };
  });
  const text = JSON.stringify(manifest);
  const keyFile = `${options.out}.key`;
  if (existsSync(options.out) && existsSync(keyFile) && readFileSync(keyFile, 'utf8') === text)
    return false;
  const stage = makeStage(cache);
  try {
    for (const [name, content] of files) placeFile(path.join(stage, name), content);
    writeFileSync(path.join(stage, 'manifest.json'), text);
    mkdirSync(path.dirname(options.out), { recursive: true });
    rmSync(keyFile, { force: true });
    tar(stage, `${options.out}.partial`);
    renameSync(`${options.out}.partial`, options.out);
    writeFileSync(keyFile, text);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
  return true;
}

function imageConfig(image: ImageSpec, layers: readonly Layer[]): object {
  return {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    config: image.config,
    created: '1970-01-01T00:00:00Z',
    history: layers.map(() => ({ created: '1970-01-01T00:00:00Z' })),
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => `sha256:${layer.digest}`) },
  };
}

/** Finds the layer in the cache by the content of all its files, or builds it. */
function buildLayer(spec: LayerSpec, cache: string): Layer {
  const listEntries = (): readonly LayerEntry[] =>
    'folder' in spec ? folderEntries(spec.folder) : spec.entries;
  const key = spec.key ?? sha256(JSON.stringify(listEntries().map(describeEntry)));
  const record = path.join(cache, `${key}.digest`);
  if (existsSync(record)) {
    const digest = readFileSync(record, 'utf8');
    const file = path.join(cache, `${digest}.tar`);
    if (existsSync(file)) return { file, digest };
  }
  const stage = makeStage(cache);
  try {
    for (const entry of listEntries()) placeEntry(stage, entry);
    const partial = `${stage}.tar`;
    tar(stage, partial);
    const digest = hashFile(partial);
    const file = path.join(cache, `${digest}.tar`);
    renameSync(partial, file);
    writeFileSync(`${record}.${process.pid}`, digest);
    renameSync(`${record}.${process.pid}`, record);
    return { file, digest };
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/** What decides an entry's bytes in the layer. */
function describeEntry(entry: LayerEntry): unknown {
  if (!('source' in entry)) return entry;
  return {
    target: entry.target,
    mode: entry.mode ?? modeOf(entry.source),
    content: hashFile(entry.source),
  };
}

function folderEntries(folder: string): LayerEntry[] {
  const found = readdirSync(folder, { withFileTypes: true, recursive: true });
  return found.map((file): LayerEntry => {
    const source = path.join(file.parentPath, file.name);
    const target = `/${path.relative(folder, source)}`;
    if (file.isSymbolicLink()) return { link: readlinkSync(source), target };
    return file.isDirectory() ? { folder: true, target } : { source, target };
  });
}

function placeEntry(stage: string, entry: LayerEntry): void {
  const file = path.join(stage, entry.target);
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o755 });
  if ('link' in entry) {
    rmSync(file, { force: true });
    symlinkSync(entry.link, file);
    return;
  }
  if ('folder' in entry) {
    mkdirSync(file, { recursive: true });
    chmodSync(file, entry.mode ?? 0o755);
    return;
  }
  if ('source' in entry) copyFileSync(entry.source, file);
  else writeFileSync(file, entry.content);
  chmodSync(file, entry.mode ?? ('source' in entry ? modeOf(entry.source) : 0o644));
}

function modeOf(file: string): number {
  return (statSync(file).mode & 0o100) === 0 ? 0o644 : 0o755;
}

function placeFile(file: string, content: Buffer | Layer): void {
  mkdirSync(path.dirname(file), { recursive: true });
  if (Buffer.isBuffer(content)) writeFileSync(file, content);
  else linkSync(content.file, file);
}

/** A fresh folder beside the cached layers, so that they can be linked into it. */
function makeStage(cache: string): string {
  const stage = path.join(cache, `stage-${randomUUID()}`);
  mkdirSync(stage, { recursive: true, mode: 0o755 });
  return stage;
}

function tar(folder: string, out: string): void {
  const names = readdirSync(folder).sort();
  const owner = ['--owner=0', '--group=0', '--numeric-owner'];
  const options = ['--sort=name', '--mtime=@0', ...owner, '--format=gnu', '--hard-dereference'];
  execFileSync('tar', [
    ...options,
    '-C',
    folder,
    '-cf',
    out,
    '--',
    ...(names.length > 0 ? names : ['.']),
  ]);
}

function hashFile(file: string): string {
  return sha256(readFileSync(file));
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
