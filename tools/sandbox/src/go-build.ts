import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, readdir, rename, rm } from 'node:fs/promises';
import * as path from 'node:path';
import { groups, type Group, type GroupName, type Program } from './go-groups';
import { withLock } from './lock';
import { say, step } from './progress';
import { run } from './run';
import type { Settings } from './settings';

/**
 * Nobody debugs these programs, and what describes them to a debugger is a fifth of the compiler's
 * work. Kubernetes' own packages, most of them generated, are compiled a quarter faster without
 * inlining; the libraries below them, where the time is spent at run time, keep it.
 */
const compilerFlags = ['all=-dwarf=false', 'k8s.io/...=-dwarf=false -l'];

/**
 * Makes sure that a group's programs are in the cache, and builds what is missing. Processes that
 * ask at the same time wait for one another; a folder appears whole or not at all.
 *
 * @returns the folder with the binaries: `<cache>/bin/<group>-<version>-<hash of everything that
 *   decides the build>`.
 */
export async function ensureGroup(settings: Settings, name: GroupName): Promise<string> {
  const group = groups[name];
  const folder = await groupFolder(settings, group);
  if (existsSync(folder)) return folder;
  const lockFile = path.join(settings.cache, 'lock', `go-${group.module}.lock`);
  return withLock(lockFile, `building ${group.name}`, async () => {
    if (existsSync(folder)) return folder;
    const partial = `${folder}.partial`;
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true });
    for (const programs of together(group.programs)) {
      const names = programs.map((program) => program.binary).join(', ');
      await step(`building ${names} ${group.version}`, () =>
        buildPrograms(settings, group, programs, partial),
      );
    }
    await copyModuleFiles(settings, group, partial);
    await rename(partial, folder);
    await removeOlder(settings, group, folder);
    return folder;
  });
}

/** True when nothing needs to be compiled. */
export async function isBuilt(settings: Settings, name: GroupName): Promise<boolean> {
  return existsSync(await groupFolder(settings, groups[name]));
}

/** Several groups, one after the other: the Go tool uses all cores by itself. */
export async function ensureGroups<Name extends GroupName>(
  settings: Settings,
  names: readonly Name[],
): Promise<Record<Name, string>> {
  const folders: Partial<Record<Name, string>> = {};
  for (const name of names) folders[name] = await ensureGroup(settings, name);
  return folders as Record<Name, string>;
}

async function groupFolder(settings: Settings, group: Group): Promise<string> {
  const module = moduleFolder(settings, group);
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum']) hash.update(await readFile(path.join(module, file)));
  hash.update(JSON.stringify({ ...group, compilerFlags }));
  const key = hash.digest('hex').slice(0, 10);
  return path.join(settings.cache, 'bin', `${group.name}-${group.version}-${key}`);
}

/**
 * Programs that one call of the Go tool can make: while one is linked, others compile. It names a
 * program after its package, so those that shall be called otherwise get a call of their own.
 */
function together(programs: readonly Program[]): (readonly Program[])[] {
  const isPlain = (program: Program) =>
    program.isTest !== true && path.posix.basename(program.package) === program.binary;
  const plain = programs.filter(isPlain);
  const others = programs.filter((program) => !isPlain(program)).map((program) => [program]);
  return plain.length === 0 ? others : [plain, ...others];
}

async function buildPrograms(
  settings: Settings,
  group: Group,
  programs: readonly Program[],
  folder: string,
): Promise<void> {
  const [first] = programs;
  const isTest = first?.isTest === true;
  const output = programs.length === 1 ? path.join(folder, first?.binary ?? '') : `${folder}/`;
  await go(settings, group, [
    ...(isTest ? ['test', '-c', '-vet=off'] : ['build']),
    '-trimpath',
    ...compilerFlags.map((flags) => `-gcflags=${flags}`),
    '-ldflags',
    group.ldflags,
    '-o',
    output,
    ...programs.map((program) => program.package),
  ]);
}

async function copyModuleFiles(settings: Settings, group: Group, folder: string): Promise<void> {
  if (group.files === undefined) return;
  const source = (
    await go(settings, group, ['list', '-f', '{{.Dir}}', group.files.package])
  ).trim();
  for (const name of group.files.names)
    await copyFile(path.join(source, name), path.join(folder, name));
}

function go(settings: Settings, group: Group, args: readonly string[]): Promise<string> {
  const goCache = path.join(settings.cache, 'go');
  return run('go', args, {
    cwd: moduleFolder(settings, group),
    environment: {
      ...process.env,
      CGO_ENABLED: '0',
      GOMODCACHE: path.join(goCache, 'mod'),
      GOCACHE: path.join(goCache, 'build'),
      // modcacherw: the cache folder can be deleted like any other.
      GOFLAGS: '-mod=readonly -buildvcs=false -modcacherw',
      GOTOOLCHAIN: 'local',
      // Compilers are short-lived: they collect only when memory would become scarce.
      GOGC: 'off',
      GOMEMLIMIT: '3GiB',
      GOWORK: 'off',
    },
  });
}

function moduleFolder(settings: Settings, group: Group): string {
  return path.join(settings.repository, 'tools/sandbox/go', group.module);
}

/**
 * Keeps the newest folder of a group; older ones belong to versions that are no longer named here.
 */
async function removeOlder(settings: Settings, group: Group, newest: string): Promise<void> {
  const bin = path.join(settings.cache, 'bin');
  for (const entry of await readdir(bin)) {
    const isOlder = entry.startsWith(`${group.name}-`) && entry !== path.basename(newest);
    if (!isOlder) continue;
    say(`removing ${entry} from the cache`);
    await rm(path.join(bin, entry), { recursive: true, force: true });
  }
}
