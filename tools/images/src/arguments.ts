import { archiveNames, type ArchiveName } from './catalog';
import { ImageFailure } from './failure';

/** What the user asked for. */
export interface Invocation {
  readonly archives: readonly ArchiveName[];
  /** Where to write the tags as a kustomize component. */
  readonly kustomizeFile?: string;
  readonly isHelp: boolean;
}

export const usage = `Usage: tools/images/build [contrail] [jaeger] [--kustomize FILE]

Builds our images as docker-archives without Docker, into $CONTRAIL_CACHE/images, and prints the path of each archive.
  contrail   all our apps and Redis in one archive (the default)
  jaeger     Jaeger all-in-one, as "tools/sandbox/sandbox build jaeger" built it
  --kustomize FILE
             also write a kustomize component with the tags of the images
`;

/** @throws ImageFailure with exit status 2 that names the wrong word and what to write instead. */
export function parseArguments(words: readonly string[]): Invocation {
  const archives: ArchiveName[] = [];
  let kustomizeFile: string | undefined;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (word === '--help' || word === '-h') return { archives, isHelp: true };
    if (word === '--kustomize') {
      kustomizeFile = words[++i];
      if (kustomizeFile === undefined) throw new ImageFailure('--kustomize: needs the path of a file', 2);
      continue;
    }
    const name = archiveNames.find((known) => known === word);
    if (name === undefined) throw new ImageFailure(`"${word}" is no archive; write any of ${archiveNames.join(', ')}`, 2);
    archives.push(name);
  }
  return {
    archives: archives.length > 0 ? archives : ['contrail'],
    ...(kustomizeFile === undefined ? {} : { kustomizeFile }),
    isHelp: false,
  };
}
