import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rmdir, writeFile } from 'node:fs/promises';
import * as path from 'node:path';

/** A mounted cgroup hierarchy of the machine. */
export interface Hierarchy {
  readonly mountPoint: string;
  readonly version: 1 | 2;
  /** v1 controllers, e.g. cpuset; empty for v2 and for named hierarchies. */
  readonly controllers: readonly string[];
}

/** Reads the text of /proc/self/mountinfo. Pure; each mount point once. */
export function parseHierarchies(mountInfo: string): Hierarchy[] {
  const found = new Map<string, Hierarchy>();
  for (const line of mountInfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const mountPoint = before.split(' ')[4];
    const [type, , options = ''] = after.split(' ');
    if (mountPoint === undefined || (type !== 'cgroup' && type !== 'cgroup2')) continue;
    const known = new Set([
      'cpuset',
      'cpu',
      'cpuacct',
      'memory',
      'pids',
      'devices',
      'freezer',
      'blkio',
    ]);
    found.set(mountPoint, {
      mountPoint,
      version: type === 'cgroup2' ? 2 : 1,
      controllers:
        type === 'cgroup2' ? [] : options.split(',').filter((option) => known.has(option)),
    });
  }
  return [...found.values()];
}

export async function readHierarchies(): Promise<Hierarchy[]> {
  return parseHierarchies(await readFile('/proc/self/mountinfo', 'utf8'));
}

/** True when the machine has no v1 hierarchy: kubelet and containerd then use the unified one. */
export function isPureV2(hierarchies: readonly Hierarchy[]): boolean {
  return hierarchies.every((hierarchy) => hierarchy.version === 2);
}

/**
 * The hierarchy whose membership tells which processes belong to a node: every process that the
 * sandbox starts is put there, and children inherit it. v1 `pids` where it exists, else v2.
 */
export function trackingHierarchy(hierarchies: readonly Hierarchy[]): Hierarchy {
  const found =
    hierarchies.find((hierarchy) => hierarchy.controllers.includes('pids')) ??
    hierarchies.find((hierarchy) => hierarchy.version === 2);
  if (found === undefined)
    throw new Error('/proc/self/mountinfo: has neither a v1 pids nor a v2 cgroup hierarchy');
  return found;
}

/**
 * The group of a node's daemons. A leaf, because v2 allows no process in a group that has groups
 * below it.
 */
export function daemonGroup(hierarchy: Hierarchy, cgroup: string): string {
  return path.join(hierarchy.mountPoint, cgroup, 'daemons');
}

/**
 * Makes a node's root group everywhere (kubelet demands that it exists) and the daemons' group for
 * tracking.
 */
export async function createNodeGroup(
  hierarchies: readonly Hierarchy[],
  cgroup: string,
): Promise<void> {
  for (const hierarchy of hierarchies) {
    const folder = path.join(hierarchy.mountPoint, cgroup);
    await mkdir(folder, { recursive: true });
    if (hierarchy.controllers.includes('cpuset')) await copyCpuset(hierarchy.mountPoint, folder);
    if (hierarchy.version === 2 && isPureV2(hierarchies)) {
      await delegateControllers(hierarchy.mountPoint);
      await delegateControllers(folder);
    }
  }
  await mkdir(daemonGroup(trackingHierarchy(hierarchies), cgroup), { recursive: true });
}

/** Process ids in a node's groups, those of pods included, in every hierarchy. */
export async function nodeProcesses(
  hierarchies: readonly Hierarchy[],
  cgroup: string,
): Promise<number[]> {
  const ids = new Set<number>();
  for (const hierarchy of hierarchies) {
    for (const folder of await foldersBelow(path.join(hierarchy.mountPoint, cgroup))) {
      const text = await readFile(path.join(folder, 'cgroup.procs'), 'utf8').catch(() => '');
      for (const line of text.split('\n')) if (line !== '') ids.add(Number(line));
    }
  }
  return [...ids];
}

/**
 * Removes a node's groups, deepest first.
 *
 * @returns the folders that are still there because a process in them lives.
 */
export async function removeNodeGroup(
  hierarchies: readonly Hierarchy[],
  cgroup: string,
): Promise<string[]> {
  const left: string[] = [];
  for (const hierarchy of hierarchies) {
    const folders = await foldersBelow(path.join(hierarchy.mountPoint, cgroup));
    for (const folder of folders.reverse()) {
      await rmdir(folder).catch(() => undefined);
      if (existsSync(folder)) left.push(folder);
    }
  }
  return left;
}

/** A v1 cpuset group without cpus and mems accepts no process. */
async function copyCpuset(parent: string, folder: string): Promise<void> {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    await writeFile(path.join(folder, file), await readFile(path.join(parent, file), 'utf8'));
  }
}

async function delegateControllers(folder: string): Promise<void> {
  const available = (await readFile(path.join(folder, 'cgroup.controllers'), 'utf8'))
    .trim()
    .split(' ');
  for (const controller of available) {
    // One by one: a controller that cannot be delegated must not keep the others away.
    await writeFile(path.join(folder, 'cgroup.subtree_control'), `+${controller}`).catch(
      () => undefined,
    );
  }
}

/** The folder and all folders below it, parents before children; empty when it does not exist. */
async function foldersBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return [];
  const below = [folder];
  for (const entry of entries) {
    if (entry.isDirectory()) below.push(...(await foldersBelow(path.join(folder, entry.name))));
  }
  return below;
}
