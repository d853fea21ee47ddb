import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { planAddresses, sandboxIndexMax, type AddressPlan, type NodePlan } from './address-plan';
import { networks, type Network } from './arguments';
import { SandboxFailure } from './failure';
import { withLock } from './lock';
import { ProcessTable } from './processes';
import type { Settings } from './settings';

/**
 * `starting`: half made; `cluster`: nodes run, our services are not rolled out yet; `running`: all
 * is there.
 */
export type Phase = 'starting' | 'cluster' | 'running';

/** What is written down about a sandbox: enough to find everything that belongs to it. */
export interface SandboxRecord {
  readonly name: string;
  readonly index: number;
  readonly workers: number;
  readonly network: Network;
  readonly phase: Phase;
}

/** One sandbox: its record, its plan of names and addresses, and its files. */
export class Sandbox {
  readonly plan: AddressPlan;
  readonly folder: string;
  readonly processes: ProcessTable;

  constructor(
    readonly settings: Settings,
    readonly record: SandboxRecord,
  ) {
    this.plan = planAddresses(record.name, record.index, record.workers);
    this.folder = sandboxFolder(settings, record.name);
    this.processes = new ProcessTable(this.file('processes'), this.file('logs'));
  }

  /** A path below the sandbox's state folder. */
  file(...parts: readonly string[]): string {
    return path.join(this.folder, ...parts);
  }

  /** A path below a node's own part of the state folder. */
  nodeFile(node: NodePlan, ...parts: readonly string[]): string {
    return this.file('nodes', node.name, ...parts);
  }

  /** On the file system of the cache, because images are hard-linked into it. */
  containerdRoot(node: NodePlan): string {
    return path.join(containerdRoots(this.settings, this.record.name), node.name);
  }

  get adminKubeconfig(): string {
    return this.file('kubeconfig', 'admin.conf');
  }

  get isOurs(): boolean {
    return this.record.network === 'ours';
  }

  async setPhase(phase: Phase): Promise<Sandbox> {
    const next = new Sandbox(this.settings, { ...this.record, phase });
    await writeRecord(this.settings, next.record);
    return next;
  }
}

export function sandboxFolder(settings: Settings, name: string): string {
  return path.join(settings.stateRoot, name);
}

export function containerdRoots(settings: Settings, name: string): string {
  return path.join(settings.cache, 'containerd', 'running', name);
}

/**
 * @returns undefined when there is no such sandbox, or only a start that was interrupted before its
 * record.
 */
export async function findSandbox(settings: Settings, name: string): Promise<Sandbox | undefined> {
  const text = await readFile(recordFile(settings, name), 'utf8').catch(() => undefined);
  const record = text === undefined ? undefined : parseRecord(text);
  return record === undefined ? undefined : new Sandbox(settings, record);
}

/** @throws SandboxFailure that names the command that starts it. */
export async function getSandbox(settings: Settings, name: string): Promise<Sandbox> {
  const sandbox = await findSandbox(settings, name);
  if (sandbox === undefined) {
    throw new SandboxFailure(
      `sandbox "${name}": does not run; start it with "sandbox --name ${name} up"`,
    );
  }
  return sandbox;
}

/** Records a new sandbox with a free index. */
export async function createSandbox(
  settings: Settings,
  wanted: { readonly name: string; readonly workers: number; readonly network: Network },
): Promise<Sandbox> {
  return withLock(
    path.join(settings.cache, 'lock', 'allocation.lock'),
    'choosing an underlay',
    async () => {
      const taken = new Set((await listSandboxes(settings)).map((sandbox) => sandbox.record.index));
      const index = Array.from({ length: sandboxIndexMax }, (_, i) => i + 1).find(
        (candidate) => !taken.has(candidate) && !existsSync(`/sys/class/net/sandbox${candidate}`),
      );
      if (index === undefined)
        throw new SandboxFailure(`${settings.stateRoot}: holds ${sandboxIndexMax} sandboxes`);
      const record: SandboxRecord = { ...wanted, index, phase: 'starting' };
      await writeRecord(settings, record);
      return new Sandbox(settings, record);
    },
  );
}

export async function listSandboxes(settings: Settings): Promise<Sandbox[]> {
  const names = await readdir(settings.stateRoot).catch((): string[] => []);
  const found = await Promise.all(names.map((name) => findSandbox(settings, name)));
  return found.filter((sandbox) => sandbox !== undefined);
}

/** The last step of `down`: afterwards nothing refers to the sandbox. */
export async function forgetSandbox(sandbox: Sandbox): Promise<void> {
  await rm(containerdRoots(sandbox.settings, sandbox.record.name), {
    recursive: true,
    force: true,
  });
  const record = recordFile(sandbox.settings, sandbox.record.name);
  for (const entry of await readdir(sandbox.folder)) {
    if (entry !== path.basename(record))
      await rm(sandbox.file(entry), { recursive: true, force: true });
  }
  // The record goes last: an interrupted removal can be repeated.
  await rm(sandbox.folder, { recursive: true, force: true });
}

function recordFile(settings: Settings, name: string): string {
  return path.join(sandboxFolder(settings, name), 'sandbox.json');
}

async function writeRecord(settings: Settings, record: SandboxRecord): Promise<void> {
  const file = recordFile(settings, record.name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(`${file}.new`, JSON.stringify(record, undefined, 2));
  await rename(`${file}.new`, file);
}

function parseRecord(text: string): SandboxRecord | undefined {
  const value = JSON.parse(text) as Partial<SandboxRecord>;
  const network = networks.find((known) => known === value.network);
  const { name, index, workers, phase } = value;
  if (name === undefined || index === undefined || workers === undefined) return undefined;
  if (phase === undefined || network === undefined) return undefined;
  return { name, index, workers, network, phase };
}
