import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { containerdConfig, containerdEnvironment } from './containerd';
import { SandboxFailure } from './failure';
import { withLock } from './lock';
import { step, waitUntil } from './progress';
import { run, succeeds } from './run';
import type { Settings } from './settings';

/** Prepared roots that are kept; older ones hold outdated images. */
const keptRoots = 5;
const markerFile = 'imported.json';

/**
 * Makes a containerd root that holds exactly the given images, unpacked, and no container. A node
 * starts from a copy by hard links: content and layers are never written in place, and the database
 * is copied. So nodes start without importing, and nothing that a node leaves behind can harm the
 * next start.
 *
 * @returns a folder in the cache that must not be written to.
 */
export async function preparedRoot(
  settings: Settings,
  archives: readonly string[],
  binaries: string,
): Promise<string> {
  const images = new Map<string, string>();
  for (const archive of archives) images.set(await archiveIdentity(archive), archive);
  const ids = [...images.keys()].sort();
  const key = createHash('sha256')
    .update(ids.join())
    .update(path.basename(binaries))
    .digest('hex')
    .slice(0, 16);
  const folder = path.join(settings.cache, 'containerd', `images-${key}`);
  const use = async (): Promise<string> => {
    await utimes(folder, new Date(), new Date());
    return folder;
  };
  if (existsSync(folder)) return use();
  return withLock(
    path.join(settings.cache, 'lock', 'images.lock'),
    'importing images',
    async () => {
      if (existsSync(folder)) return use();
      await step(`importing ${archives.length} image archives`, () =>
        prepare(settings, folder, images, binaries),
      );
      await removeOlderRoots(settings);
      return folder;
    },
  );
}

/** Copies a prepared root to a node's own folder, which is empty or does not exist yet. */
export async function copyRoot(prepared: string, target: string): Promise<void> {
  await mkdir(target, { recursive: true });
  await run('cp', ['-al', `${prepared}/.`, target]);
  // Databases are written in place.
  for (const name of await databases(prepared)) {
    await rm(path.join(target, name));
    await run('cp', ['-a', path.join(prepared, name), path.join(target, name)]);
  }
}

/** Identifies the images of an archive: its manifest names them by the hashes of their contents. */
export async function archiveIdentity(archive: string): Promise<string> {
  const manifest = await run('tar', ['-xOf', archive, 'manifest.json']);
  return createHash('sha256').update(manifest).digest('hex');
}

async function prepare(
  settings: Settings,
  folder: string,
  images: ReadonlyMap<string, string>,
  binaries: string,
): Promise<void> {
  const work = `${folder}.${randomUUID().slice(0, 8)}`;
  const base = await bestBase(settings, new Set(images.keys()));
  const root = path.join(work, 'root');
  await mkdir(work, { recursive: true });
  try {
    if (base !== undefined) await copyRoot(base.folder, root);
    await withContainerd(work, root, binaries, async (ctr) => {
      for (const [id, archive] of images) {
        if (base?.ids.has(id) !== true) await run(...ctr(['images', 'import', '--local', archive]));
      }
    });
    await rm(path.join(root, markerFile), { force: true });
    await writeFile(path.join(root, markerFile), JSON.stringify([...images.keys()]));
    await rename(root, folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * The prepared root that saves most imports; only one whose images are all wanted, so that nothing
 * must be removed.
 */
async function bestBase(
  settings: Settings,
  wanted: ReadonlySet<string>,
): Promise<{ readonly folder: string; readonly ids: ReadonlySet<string> } | undefined> {
  let best: { folder: string; ids: ReadonlySet<string> } | undefined;
  for (const folder of await listRoots(settings)) {
    const text = await readFile(path.join(folder, markerFile), 'utf8').catch(() => '[""]');
    const ids = new Set(JSON.parse(text) as string[]);
    const isSubset = [...ids].every((id) => wanted.has(id));
    if (isSubset && ids.size > (best?.ids.size ?? 0)) best = { folder, ids };
  }
  return best;
}

/** Runs a containerd that serves `work` only; its mounts are its own and vanish with it. */
async function withContainerd(
  work: string,
  root: string,
  binaries: string,
  use: (ctr: (args: readonly string[]) => [string, string[]]) => Promise<void>,
): Promise<void> {
  const state = path.join(work, 'state');
  const socket = path.join(work, 'containerd.sock');
  const config = path.join(work, 'containerd.toml');
  await writeFile(config, containerdConfig({ root, state, socket }, false));
  // It must not outlive this process, however that ends.
  const launcher = ['--pdeathsig', 'KILL', 'unshare', '--mount', '--propagation', 'private'];
  const daemon = spawn(
    'setpriv',
    [...launcher, path.join(binaries, 'containerd'), '--config', config],
    {
      stdio: 'ignore',
      env: containerdEnvironment(binaries),
    },
  );
  const ended = new Promise<void>((resolve) => {
    daemon.once('close', () => {
      resolve();
    });
  });
  // Importing unpacks layers by mounting them, which the client does in the daemon's namespace.
  const ctr = (args: readonly string[]): [string, string[]] => [
    'nsenter',
    [
      `--target=${daemon.pid ?? 0}`,
      '--mount',
      path.join(binaries, 'ctr'),
      '--address',
      socket,
      '-n',
      'k8s.io',
      ...args,
    ],
  ];
  try {
    if (!(await waitUntil(() => succeeds(...ctr(['version'])), 30_000))) {
      throw new SandboxFailure('containerd for the image cache does not answer');
    }
    await use(ctr);
  } finally {
    daemon.kill('SIGTERM');
    await ended;
  }
}

/** containerd's databases lie in its plugins' folders; deeper ones would be files of images. */
async function databases(root: string): Promise<string[]> {
  const found: string[] = [];
  for (const plugin of await readdir(root, { withFileTypes: true })) {
    if (!plugin.isDirectory()) continue;
    const names = await readdir(path.join(root, plugin.name));
    found.push(
      ...names.filter((name) => name.endsWith('.db')).map((name) => path.join(plugin.name, name)),
    );
  }
  return found;
}

async function listRoots(settings: Settings): Promise<string[]> {
  const parent = path.join(settings.cache, 'containerd');
  const names = await readdir(parent).catch((): string[] => []);
  return names
    .filter((name) => /^images-[0-9a-f]{16}$/.test(name))
    .map((name) => path.join(parent, name));
}

/** Also removes what an interrupted import left. */
async function removeOlderRoots(settings: Settings): Promise<void> {
  const parent = path.join(settings.cache, 'containerd');
  for (const name of await readdir(parent)) {
    if (/^images-[0-9a-f]{16}\./.test(name))
      await rm(path.join(parent, name), { recursive: true, force: true });
  }
  const roots = (await run('ls', ['-td', ...(await listRoots(settings))])).trim().split('\n');
  for (const folder of roots.slice(keptRoots)) await rm(folder, { recursive: true, force: true });
}
