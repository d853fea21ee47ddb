import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { withLock } from './lock';
import type { Settings } from './settings';

/**
 * Makes the folders of the machine on which nodes mount their own ones, and writes down which were
 * missing, so that the last sandbox can remove them. Only the empty folders ever appear on the
 * machine.
 */
export async function claimMountPoints(
  settings: Settings,
  targets: readonly string[],
): Promise<void> {
  await withLock(lockFile(settings), 'making mount points', async () => {
    const missing = targets.flatMap((target) => missingFolders(target));
    if (missing.length === 0) return;
    // Written first: an interruption in between leaves a list that is too long, which is harmless.
    const known = await readClaims(settings);
    await mkdir(settings.stateRoot, { recursive: true });
    await writeFile(claimsFile(settings), JSON.stringify([...new Set([...known, ...missing])]));
    for (const target of targets) await mkdir(target, { recursive: true });
  });
}

/**
 * Removes the folders that sandboxes made, where they are empty. Only the last sandbox may call
 * this.
 */
export async function releaseMountPoints(settings: Settings): Promise<void> {
  await withLock(lockFile(settings), 'removing mount points', async () => {
    const claims = [...(await readClaims(settings))].sort((a, b) => b.length - a.length);
    for (const folder of claims) await rmdir(folder).catch(() => undefined);
    await rm(claimsFile(settings), { force: true });
  });
}

/** The folder and its ancestors that do not exist. */
function missingFolders(target: string): string[] {
  if (existsSync(target)) return [];
  return [...missingFolders(path.dirname(target)), target];
}

async function readClaims(settings: Settings): Promise<string[]> {
  const text = await readFile(claimsFile(settings), 'utf8').catch(() => '[]');
  return JSON.parse(text) as string[];
}

function claimsFile(settings: Settings): string {
  return path.join(settings.stateRoot, 'mount-points.json');
}

function lockFile(settings: Settings): string {
  return path.join(settings.cache, 'lock', 'mount-points.lock');
}
