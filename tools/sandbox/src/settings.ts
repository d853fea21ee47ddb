import * as path from 'node:path';

/** Where the sandbox finds and keeps its files. All paths are absolute. */
export interface Settings {
  /** The checkout of this repository. */
  readonly repository: string;
  /** Survives `down`: binaries, Go caches, images. */
  readonly cache: string;
  /** One folder for each running sandbox; removed by `down`. */
  readonly stateRoot: string;
}

/** Reads the environment; the launcher sets CONTRAIL_ROOT, users may set CONTRAIL_CACHE. */
export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  return Object.freeze({
    repository: path.resolve(environment.CONTRAIL_ROOT ?? process.cwd()),
    cache: path.resolve(environment.CONTRAIL_CACHE ?? '/var/cache/contrail'),
    stateRoot: '/var/lib/contrail-sandbox',
  });
}
