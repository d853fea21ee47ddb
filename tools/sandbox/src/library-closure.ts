import { execFileSync } from 'node:child_process';
import { lstatSync, readlinkSync, realpathSync } from 'node:fs';
import * as path from 'node:path';
import type { LayerEntry } from './image-archive';

/**
 * Debian's merged /usr: a layer that holds files of the machine needs these links, once for each
 * image.
 */
export const mergedUsrLinks: readonly LayerEntry[] = ['bin', 'lib', 'lib64', 'sbin'].map(
  (name) => ({
    link: `usr/${name}`,
    target: `/${name}`,
  }),
);

/**
 * The shared libraries that programs need, the loader included.
 *
 * @param binaries paths of programs or of libraries that are opened at run time; static programs
 *   need nothing.
 * @returns sorted absolute paths below /usr: for each library the name that is looked up and, where
 *   that is a link, the files behind it. The programs themselves are not among them.
 */
export function libraryClosure(binaries: readonly string[]): string[] {
  const closure = new Set<string>();
  for (const binary of binaries) {
    for (const line of readLibraries(binary).split('\n')) {
      const found = /(?:=> )?(\/\S+) \(0x/.exec(line)?.[1];
      if (found !== undefined) addWithLinks(found, closure);
    }
  }
  return [...closure].sort();
}

/** The entries that put files of the machine at the same paths into a layer; links stay links. */
export function machineFiles(files: readonly string[]): LayerEntry[] {
  return files.map((file): LayerEntry => {
    const target = canonical(file);
    return lstatSync(target).isSymbolicLink()
      ? { link: readlinkSync(target), target }
      : { source: target, target };
  });
}

function readLibraries(binary: string): string {
  try {
    return execFileSync('ldd', [binary], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    // ldd fails for static programs and scripts.
    return '';
  }
}

function addWithLinks(file: string, closure: Set<string>): void {
  const target = canonical(file);
  if (closure.has(target)) return;
  closure.add(target);
  if (lstatSync(target).isSymbolicLink()) {
    addWithLinks(path.resolve(path.dirname(target), readlinkSync(target)), closure);
  }
}

/** The same name in its real folder: /lib/x is /usr/lib/x. */
function canonical(file: string): string {
  return path.join(realpathSync(path.dirname(file)), path.basename(file));
}
