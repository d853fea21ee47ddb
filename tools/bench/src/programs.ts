/** Programs that measurements run, compiled when first asked for. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { arch } from 'node:os';
import path from 'node:path';

const multiarch: Readonly<Record<string, string>> = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };

export class Programs {
  readonly #built = new Map<string, string>();
  readonly #folder: string;

  /** @param repository folder of the workspace. */
  constructor(private readonly repository: string) {
    this.#folder = path.join(repository, 'dist/bench');
    mkdirSync(this.#folder, { recursive: true });
  }

  /** The load generator. */
  netload(): string {
    return this.#once('netload', (file) =>
      this.#run('gcc', '-O2', '-Wall', '-Wextra', '-Werror', '-o', file, 'tools/bench/load/netload.c'),
    );
  }

  /** Tells when an address begins or ceases to answer. */
  reach(): string {
    return this.#once('reach', (file) =>
      this.#run('gcc', '-O2', '-Wall', '-Wextra', '-Werror', '-o', file, 'tools/bench/load/reach.c'),
    );
  }

  /** Tells who answers, in many namespaces. */
  names(): string {
    return this.#once('names', (file) =>
      this.#run('gcc', '-O2', '-Wall', '-Wextra', '-Werror', '-o', file, 'tools/bench/load/names.c'),
    );
  }

  /** Runs CNI plugins and takes the time. */
  cnirun(): string {
    return this.#once('cnirun', (file) =>
      this.#run('gcc', '-O2', '-Wall', '-Wextra', '-Werror', '-pthread', '-o', file, 'tools/bench/load/cnirun.c'),
    );
  }

  /** Folder of what a build script of the workspace makes. */
  script(script: string, folder: string): string {
    return this.#once(folder, (file) => this.#run('bash', script, file));
  }

  /** Folder of programs that the sandbox builds. */
  sandboxGroup(group: string): string {
    return execFileSync('tools/sandbox/sandbox', ['build', group], { cwd: this.repository, stdio: ['ignore', 'pipe', 'inherit'] })
      .toString()
      .trim();
  }

  /** The program of the limit. */
  limitObject(): string {
    return this.#once('limit.bpf.o', (file) => {
      const include = `-I/usr/include/${multiarch[arch()] ?? arch()}`;
      this.#run('clang', '-O2', '-g', '-Wall', '-Werror', '-target', 'bpf', '-mcpu=v3', include, '-c', 'tools/bench/limit/limit.bpf.c', '-o', file);
    });
  }

  /** A program of an app for development, as `npx nx serve` would run it. */
  appProgram(app: string, name: string): string {
    return this.#once(`${app}-${name}.js`, (file) =>
      this.#run('node', 'tools/bundle-program.mjs', `apps/${app}/dev/${name}.ts`, file),
    );
  }

  /** The main program of an app, bundled as in its image. */
  app(app: string): string {
    const file = path.join(this.repository, 'dist/apps', app, 'main.js');
    if (!this.#built.has(app)) this.#run('node', 'tools/build-app.mjs', app);
    this.#built.set(app, file);
    return file;
  }

  #once(name: string, build: (file: string) => void): string {
    const file = this.#built.get(name) ?? path.join(this.#folder, name);
    if (!this.#built.has(name)) build(file);
    this.#built.set(name, file);
    return file;
  }

  #run(command: string, ...args: string[]): void {
    execFileSync(command, args, { cwd: this.repository, stdio: ['ignore', 'inherit', 'inherit'] });
  }
}
