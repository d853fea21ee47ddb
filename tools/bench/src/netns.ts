/** Network namespaces of a measurement, removed together at its end. */
import { execFileSync } from 'node:child_process';

export const run = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { stdio: ['ignore', 'pipe', 'inherit'] }).toString();

export const ip = (...args: string[]): string => run('ip', ...args);

export class Namespaces {
  readonly #names: string[] = [];

  /** @param prefix what distinguishes the namespaces of this run. */
  constructor(private readonly prefix: string) {}

  /** Makes one whose lo is up. @returns its full name, for `ip -n`. */
  add(name: string): string {
    const full = `${this.prefix}-${name}`;
    ip('netns', 'add', full);
    this.#names.push(full);
    ip('-n', full, 'link', 'set', 'lo', 'up');
    return full;
  }

  /** Path of one that `add` made. */
  pathOf(name: string): string {
    return netnsPath(`${this.prefix}-${name}`);
  }

  removeAll(): void {
    for (const name of this.#names.splice(0).reverse()) ip('netns', 'del', name);
  }
}

export const netnsPath = (name: string): string => `/run/netns/${name}`;
