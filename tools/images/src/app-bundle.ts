import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, utimesSync } from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { ImageFailure } from './failure';
import { contentOf, fingerprint } from './fingerprint';

const execute = promisify(execFile);
/** Bundles of one app that are kept, so that switching between branches builds nothing. */
const keptBundles = 4;

/** Where sources are and where results are kept. */
export interface Places {
  readonly repository: string;
  /** `<cache>/images`. */
  readonly folder: string;
  /** Further options of the compiler for the eBPF programs; tests make images of another layout with them. */
  readonly bpfFlags: readonly string[];
}

/**
 * Builds what an app's image holds of our own, unless its sources are those of an earlier build.
 *
 * @param sources files and folders, relative to the repository, that decide the result.
 * @param build writes the result into dist/apps/<app>.
 * @returns a folder in the cache with the result.
 */
export async function ensureBuilt(
  places: Places,
  app: string,
  sources: readonly string[],
  build: () => Promise<void>,
): Promise<string> {
  const absolute = sources.map((source) => path.join(places.repository, source));
  const key = fingerprint(contentOf(absolute, isSource)).slice(0, 16);
  const bundles = path.join(places.folder, 'bundles', app);
  const folder = path.join(bundles, key);
  if (existsSync(folder)) {
    utimesSync(folder, new Date(), new Date());
    return folder;
  }
  await build();
  const partial = `${folder}.${process.pid}`;
  mkdirSync(bundles, { recursive: true });
  cpSync(path.join(places.repository, 'dist/apps', app), partial, { recursive: true });
  renameSync(partial, folder);
  await removeOlder(bundles);
  return folder;
}

/** Bundles apps/<app>/src/main.ts with our libraries. */
export function ensureBundle(places: Places, app: string): Promise<string> {
  const sources = [`apps/${app}/src`, 'libs', 'tools/build-app.mjs', 'tools/bundle.mjs', 'tsconfig.base.json'];
  return ensureBuilt(places, app, sources, async () => {
    if (!existsSync(path.join(places.repository, `apps/${app}/src/main.ts`))) {
      throw new ImageFailure(`apps/${app}/src/main.ts: does not exist`);
    }
    await runInRepository(places, process.execPath, ['tools/build-app.mjs', app]);
  });
}

/** Runs a build script. @throws ImageFailure with what it said. */
export async function runInRepository(places: Places, program: string, args: readonly string[]): Promise<void> {
  try {
    await execute(program, [...args], { cwd: places.repository });
  } catch (thrown: unknown) {
    const said = thrown instanceof Error && 'stderr' in thrown ? String(thrown.stderr).trim() : String(thrown);
    throw new ImageFailure(`${[program, ...args].join(' ')}\n${said}`, 1, { cause: thrown });
  }
}

function isSource(file: string): boolean {
  return !/\.spec\.ts$|\/testdata\/|\/node_modules\//.test(file);
}

async function removeOlder(bundles: string): Promise<void> {
  const names = readdirSync(bundles);
  if (names.length <= keptBundles) return;
  const { stdout } = await execute('ls', ['-t', bundles]);
  for (const name of stdout.trim().split('\n').slice(keptBundles)) {
    rmSync(path.join(bundles, name), { recursive: true, force: true });
  }
}
