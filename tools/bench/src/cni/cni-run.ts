/** Runs CNI plugins in fresh namespaces by load/cnirun.c. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

export interface Attachment {
  readonly containerId: string;
  readonly netns: string;
  /** CNI_ARGS; "none" where the plugin needs none. */
  readonly args: string;
}

/** A plugin's name and the file with its configuration. */
export interface PluginCall {
  readonly plugin: string;
  readonly configFile: string;
}

/** Where plugins run, and how they are called. */
export interface Runner {
  readonly cnirun: string;
  readonly nodeNetns: string;
  /** Folder of the plugins. */
  readonly folder: string;
  readonly calls: readonly PluginCall[];
  readonly env: Readonly<Record<string, string>>;
}

/** @throws Error when a plugin failed, or the text is not what cnirun prints. */
export function parseTimes(output: string): number[] {
  const lines = output.split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const [, ms, status] = /^(\d+\.\d+) (\d+)$/.exec(line) ?? [];
    if (ms === undefined) throw new Error(`cnirun: "${line}" is no time and status`);
    if (status !== '0') throw new Error(`cnirun: a plugin ended with ${status}; see above`);
    return Number(ms);
  });
}

/** @returns milliseconds of each attachment. */
export async function runCni(
  runner: Runner,
  command: 'ADD' | 'DEL',
  attachments: readonly Attachment[],
  parallel: number,
): Promise<number[]> {
  const { cnirun, nodeNetns, folder, env } = runner;
  const calls = command === 'ADD' ? runner.calls : [...runner.calls].reverse();
  const plugins = calls.flatMap(({ plugin, configFile }) => [plugin, configFile]);
  const child = spawn('nsenter', [`--net=${nodeNetns}`, cnirun, String(parallel), folder, ...plugins], {
    env: { PATH: process.env['PATH'], ...env, CNI_COMMAND: command },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(attachments.map(({ containerId, netns, args }) => `${containerId} ${netns} ${args}\n`).join(''));
  const [output] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return parseTimes(output);
}
