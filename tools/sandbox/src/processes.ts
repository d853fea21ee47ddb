import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { SandboxFailure } from './failure';

/** A process that the sandbox started: a reused pid has another start time. */
export interface ProcessRecord {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat, in clock ticks since boot. */
  readonly startTime: string;
}

export interface LaunchOptions {
  /** Name of the record and of the log, e.g. `node1/kubelet`. */
  readonly component: string;
  /** Program and arguments; the program replaces all its launchers, so that the pid is its own. */
  readonly command: readonly string[];
  /** cgroup folder to join first. */
  readonly group: string;
  readonly environment?: NodeJS.ProcessEnv;
}

/**
 * @returns field 22 of a /proc/PID/stat line; the command name in field 2 may hold spaces and
 * parentheses.
 */
export function parseStartTime(stat: string): string | undefined {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

/** A zombie counts as gone: it holds nothing and its parent reaps it. */
export async function readStartTime(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return undefined;
  return /\) [ZX] /.test(stat) ? undefined : parseStartTime(stat);
}

export async function isAlive(record: ProcessRecord): Promise<boolean> {
  return (await readStartTime(record.pid)) === record.startTime;
}

/**
 * Starts daemons of one sandbox and remembers them in files, so that another command can find and
 * end them.
 */
export class ProcessTable {
  constructor(
    private readonly recordFolder: string,
    private readonly logFolder: string,
  ) {}

  /** Starts a daemon that outlives this command. Its output goes to its log. */
  async launch(options: LaunchOptions): Promise<ProcessRecord> {
    const logFile = this.logFile(options.component);
    await mkdir(path.dirname(logFile), { recursive: true });
    const log = openSync(logFile, 'a');
    const script = 'echo $$ > "$0/cgroup.procs" && exec "$@"';
    const child = spawn('sh', ['-c', script, options.group, ...options.command], {
      detached: true,
      stdio: ['ignore', log, log],
      env: options.environment ?? process.env,
      cwd: '/',
    });
    closeSync(log);
    const pid = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('spawn', () => {
        resolve(child.pid ?? 0);
      });
    });
    child.unref();
    const startTime = await readStartTime(pid);
    if (startTime === undefined)
      throw new SandboxFailure(`${options.component}: ended at once; see ${logFile}`);
    const record = { pid, startTime };
    const file = path.join(this.recordFolder, `${options.component}.json`);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, JSON.stringify(record));
    return record;
  }

  async find(component: string): Promise<ProcessRecord | undefined> {
    const text = await readFile(path.join(this.recordFolder, `${component}.json`), 'utf8').catch(
      () => undefined,
    );
    if (text === undefined || text === '') return undefined;
    return parseRecord(text);
  }

  /** Every recorded component, sorted by name. */
  async list(): Promise<{ readonly component: string; readonly record: ProcessRecord }[]> {
    const entries = await readdir(this.recordFolder, { recursive: true }).catch((): string[] => []);
    const found: { component: string; record: ProcessRecord }[] = [];
    for (const entry of entries.filter((name) => name.endsWith('.json')).sort()) {
      const component = entry.slice(0, -'.json'.length);
      const record = await this.find(component);
      if (record !== undefined) found.push({ component, record });
    }
    return found;
  }

  logFile(component: string): string {
    return path.join(this.logFolder, `${component}.log`);
  }
}

/**
 * A record that was cut off by an interruption counts as none; its process is found by its cgroup.
 */
function parseRecord(text: string): ProcessRecord | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('pid' in value) || !('startTime' in value))
      return undefined;
    return typeof value.pid === 'number' && typeof value.startTime === 'string'
      ? { pid: value.pid, startTime: value.startTime }
      : undefined;
  } catch {
    return undefined;
  }
}
