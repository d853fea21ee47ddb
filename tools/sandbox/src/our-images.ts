import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { importIntoNode } from './containerd';
import { archiveIdentity } from './image-cache';
import { say, step } from './progress';
import { run } from './run';
import type { Sandbox } from './sandbox';
import type { Settings } from './settings';

/** An image as our manifests name it, and the tag that was just built. */
export interface BuiltImage {
  readonly name: string;
  readonly tag: string;
}

/** Archives that tools/images can build: all our apps, or Jaeger. */
export type OurArchive = 'contrail' | 'jaeger';

/** @returns the paths of the archives, in the order of the names; empty when this checkout has no tools/images. */
export async function buildOurImages(
  settings: Settings,
  names: readonly OurArchive[],
): Promise<string[]> {
  const program = path.join(settings.repository, 'tools/images/build');
  if (!existsSync(program)) {
    say(`${program}: is missing; going on without our images`);
    return [];
  }
  const output = await step(`building images: ${names.join(', ')}`, () =>
    run(program, names, { cwd: settings.repository, showErrors: true }),
  );
  return output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('/'));
}

/** Reads the names that archives give to their images. */
export async function readTags(archives: readonly string[]): Promise<BuiltImage[]> {
  const images: BuiltImage[] = [];
  for (const archive of archives) {
    const manifest = JSON.parse(await run('tar', ['-xOf', archive, 'manifest.json'])) as {
      RepoTags?: string[];
    }[];
    for (const reference of manifest.flatMap((image) => image.RepoTags ?? [])) {
      const colon = reference.lastIndexOf(':');
      images.push({ name: reference.slice(0, colon), tag: reference.slice(colon + 1) });
    }
  }
  return images;
}

/** Remembers what the nodes were started with. */
export async function recordImports(sandbox: Sandbox, archives: readonly string[]): Promise<void> {
  const known = await readImports(sandbox);
  for (const archive of archives) known.add(await archiveIdentity(archive));
  await writeFile(importsFile(sandbox), JSON.stringify([...known]));
}

/** Imports into every running node the archives that it does not have yet. */
export async function importMissing(
  sandbox: Sandbox,
  archives: readonly string[],
  containerd: string,
): Promise<void> {
  const known = await readImports(sandbox);
  for (const archive of archives) {
    if (known.has(await archiveIdentity(archive))) continue;
    await step(`importing ${path.basename(archive)}`, () =>
      Promise.all(
        sandbox.plan.nodes.map((node) => importIntoNode(sandbox, node, containerd, archive)),
      ),
    );
    await recordImports(sandbox, [archive]);
  }
}

async function readImports(sandbox: Sandbox): Promise<Set<string>> {
  const text = await readFile(importsFile(sandbox), 'utf8').catch(() => '[]');
  return new Set(JSON.parse(text) as string[]);
}

function importsFile(sandbox: Sandbox): string {
  return sandbox.file('imported-images.json');
}
