import { existsSync } from 'node:fs';
import { readdir, rmdir } from 'node:fs/promises';
import type { NodePlan } from './address-plan';
import {
  daemonGroup,
  nodeProcesses,
  readHierarchies,
  removeNodeGroup,
  trackingHierarchy,
  type Hierarchy,
} from './cgroups';
import { SandboxFailure } from './failure';
import { releaseMountPoints } from './mount-points';
import { isAlive, readStartTime, type ProcessRecord } from './processes';
import { say, waitUntil } from './progress';
import { succeeds } from './run';
import { forgetSandbox, listSandboxes, type Sandbox } from './sandbox';
import type { Settings } from './settings';
import { stopStages } from './stop-order';
import { removeUnderlay } from './underlay';

const endTimeoutMs = 10_000;

/**
 * Stops a sandbox and removes all of it except for the cache. Processes are found by their records
 * and by the cgroups that only this sandbox's processes join, never by name. Can be repeated after
 * an interruption.
 */
export async function stopSandbox(sandbox: Sandbox): Promise<void> {
  const hierarchies = await readHierarchies();
  const recorded = await sandbox.processes.list();
  const stages = stopStages(recorded.map(({ component }) => component));
  await endRecorded(recorded, stages.kubelets);
  for (const node of sandbox.plan.nodes)
    await endPods(
      hierarchies,
      node,
      recorded.map(({ record }) => record),
    );
  await endRecorded(recorded, stages.runtimes);
  await endRecorded(recorded, stages.others);
  await endRecorded(recorded, stages.holders);
  for (const node of sandbox.plan.nodes) await removeGroups(hierarchies, node);
  await removeUnderlay(sandbox.plan);
  await forgetSandbox(sandbox);
  if ((await listSandboxes(sandbox.settings)).length === 0) await removeShared(sandbox.settings);
}

async function endRecorded(
  recorded: readonly { readonly component: string; readonly record: ProcessRecord }[],
  components: readonly string[],
): Promise<void> {
  const records = recorded
    .filter(({ component }) => components.includes(component))
    .map(({ record }) => record);
  await endProcesses(records);
}

/**
 * Ends what runs in a node's cgroups and is no recorded daemon: first the pods' processes, then
 * their shims.
 */
async function endPods(
  hierarchies: readonly Hierarchy[],
  node: NodePlan,
  daemons: readonly ProcessRecord[],
): Promise<void> {
  const tracking = trackingHierarchy(hierarchies);
  const recorded = new Set(daemons.map((record) => record.pid));
  const shimGroup = daemonGroup(tracking, node.cgroup).slice(tracking.mountPoint.length);
  // Repeated: a process may start another one just before its end.
  for (let round = 0; round < 20; round += 1) {
    const shims = new Set(await nodeProcesses([tracking], shimGroup));
    const pods = (await nodeProcesses(hierarchies, node.cgroup)).filter((pid) => !shims.has(pid));
    const rest = [...pods, ...shims].filter((pid) => !recorded.has(pid));
    if (rest.length === 0) return;
    await endProcesses(await identify(pods));
    await endProcesses(await identify([...shims].filter((pid) => !recorded.has(pid))));
  }
}

async function identify(pids: readonly number[]): Promise<ProcessRecord[]> {
  const found: ProcessRecord[] = [];
  for (const pid of pids) {
    const startTime = await readStartTime(pid);
    if (startTime !== undefined) found.push({ pid, startTime });
  }
  return found;
}

/** All data is thrown away afterwards, so nothing needs time to save its own. */
async function endProcesses(records: readonly ProcessRecord[]): Promise<void> {
  for (const record of records) {
    if (await isAlive(record)) kill(record.pid);
  }
  const areGone = async (): Promise<boolean> => {
    for (const record of records) if (await isAlive(record)) return false;
    return true;
  };
  if (!(await waitUntil(areGone, endTimeoutMs, 10))) {
    throw new SandboxFailure(
      `processes ${records.map((r) => r.pid).join(', ')}: some did not end within 10 s`,
    );
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

/** The kernel needs a moment to let go of a group whose last process ended. */
async function removeGroups(hierarchies: readonly Hierarchy[], node: NodePlan): Promise<void> {
  let left: string[] = [];
  const areGone = async (): Promise<boolean> => {
    left = await removeNodeGroup(hierarchies, node.cgroup);
    return left.length === 0;
  };
  if (!(await waitUntil(areGone, endTimeoutMs, 50))) {
    throw new SandboxFailure(
      `cgroups ${left.join(', ')}: cannot be removed; processes in them are still alive`,
    );
  }
}

/** What sandboxes share goes with the last one. */
async function removeShared(settings: Settings): Promise<void> {
  await releaseMountPoints(settings);
  await rmdir(settings.stateRoot).catch(() => undefined);
  // `ip netns add` mounted it.
  const names = await readdir('/run/netns').catch((): string[] => ['unknown']);
  if (names.length === 0 && (await succeeds('umount', ['/run/netns'])))
    await rmdir('/run/netns').catch(() => undefined);
  if (existsSync(settings.stateRoot)) say(`${settings.stateRoot}: holds files of others and stays`);
}
