import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { sandboxCommand } from './cluster';

/** What an isolated namespace's `opencontrail.org/isolation-status` says. */
export interface IsolationStatusText {
  readonly state?: string;
  readonly to?: string;
  readonly services?: string;
}

interface Seen {
  readonly atMs: number;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The annotations of a namespace as Kubernetes announces them, with the time at which each change came. */
export class NamespaceWatch {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #seen: Seen[] = [];
  #listeners: (() => void)[] = [];

  constructor(namespace: string) {
    const [command, args] = sandboxCommand(['kubectl', 'get', 'namespace', namespace, '--watch', '-o', 'jsonpath={.metadata.annotations}{"\\n"}']);
    this.#child = spawn(command, args);
    this.#child.stderr.resume();
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.#seen.push({ atMs: Date.now(), annotations: JSON.parse(line || '{}') as Record<string, string> });
      for (const listener of this.#listeners) listener();
    });
  }

  /** Everything that comes from now on is new. */
  forget(): void {
    this.#seen.length = 0;
  }

  /** When the first announcement came that fits. */
  async until(isMeant: (annotations: Readonly<Record<string, string>>) => boolean, timeoutMs = 60_000): Promise<number> {
    const found = (): number | undefined => this.#seen.find(({ annotations }) => isMeant(annotations))?.atMs;
    return found() ?? new Promise<number>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`not within ${timeoutMs} ms; last: ${JSON.stringify(this.#seen.at(-1)?.annotations)}`));
      }, timeoutMs);
      this.#listeners.push(() => {
        const atMs = found();
        if (atMs === undefined) return;
        clearTimeout(timer);
        this.#listeners = [];
        resolve(atMs);
      });
    });
  }

  stop(): void {
    this.#child.kill('SIGTERM');
  }
}

export function isolationStatusOf(annotations: Readonly<Record<string, string>>): IsolationStatusText {
  return JSON.parse(annotations['opencontrail.org/isolation-status'] ?? '{}') as IsolationStatusText;
}
