import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { deployOurs } from './deploy-ours';
import { SandboxFailure } from './failure';
import { ensureGroup, ensureGroups } from './go-build';
import { groupNames, selectGroups } from './go-groups';
import { enterNode } from './node-namespace';
import { importMissing } from './our-images';
import { passThrough } from './run';
import type { Sandbox } from './sandbox';
import type { Settings } from './settings';

/** kubectl of the cluster's own version, on the machine. */
export async function runKubectl(sandbox: Sandbox, args: readonly string[]): Promise<number> {
  const { kubernetes } = await ensureGroups(sandbox.settings, ['kubernetes']);
  return passThrough(path.join(kubernetes, 'kubectl'), args, {
    ...process.env,
    KUBECONFIG: sandbox.adminKubeconfig,
  });
}

/** A command on a node, with the sandbox's programs in its search path. */
export async function execute(
  sandbox: Sandbox,
  nodeName: string,
  args: readonly string[],
): Promise<number> {
  const { kubernetes, containerd, cni } = await ensureGroups(sandbox.settings, [
    'kubernetes',
    'containerd',
    'cni',
  ]);
  const environment = {
    ...process.env,
    KUBECONFIG: sandbox.adminKubeconfig,
    PATH: [kubernetes, containerd, cni, process.env.PATH ?? ''].join(':'),
  };
  const [program = 'nsenter', ...words] = await enter(sandbox, nodeName);
  return passThrough(program, [...words, ...args], environment);
}

export async function loadImage(sandbox: Sandbox, file: string): Promise<number> {
  const archive = path.resolve(file);
  if (!existsSync(archive)) throw new SandboxFailure(`${archive}: does not exist`);
  const { containerd } = await ensureGroups(sandbox.settings, ['containerd']);
  await importMissing(sandbox, [archive], containerd);
  return 0;
}

/** Without a component: the names of all that have a log. */
export async function printLogs(
  sandbox: Sandbox,
  component: string | undefined,
  args: readonly string[],
): Promise<number> {
  const known = (await sandbox.processes.list()).map((entry) => entry.component);
  if (component === undefined) {
    process.stdout.write(known.map((name) => `${name}\n`).join(''));
    return 0;
  }
  const file = sandbox.processes.logFile(component);
  if (!existsSync(file)) {
    throw new SandboxFailure(
      `logs: "${component}" is no component; write one of ${known.join(', ')}`,
      2,
    );
  }
  return passThrough('tail', [...(args.length > 0 ? args : ['-n', '+1']), file], process.env);
}

export async function buildGroups(settings: Settings, words: readonly string[]): Promise<number> {
  const names = selectGroups(words);
  if (!Array.isArray(names)) {
    throw new SandboxFailure(
      `build: "${names.unknown}" is no group; write any of ${groupNames.join(', ')}`,
      2,
    );
  }
  for (const name of names) process.stdout.write(`${await ensureGroup(settings, name)}\n`);
  return 0;
}

/** Rolls out our services as they are in the checkout now. */
export async function deploy(sandbox: Sandbox): Promise<number> {
  if (!sandbox.isOurs) {
    throw new SandboxFailure(
      `deploy: sandbox "${sandbox.record.name}" has network ${sandbox.record.network}`,
    );
  }
  if (await deployOurs(sandbox)) await sandbox.setPhase('running');
  return 0;
}

async function enter(sandbox: Sandbox, name: string): Promise<string[]> {
  const { plan } = sandbox;
  if (name === plan.outside.name) return ['nsenter', `--net=/run/netns/${plan.outside.netns}`];
  const node = plan.nodes.find((candidate) => candidate.name === name);
  if (node === undefined) {
    const known = [...plan.nodes, plan.outside].map((candidate) => candidate.name);
    throw new SandboxFailure(`exec: "${name}" is no node here; write one of ${known.join(', ')}`, 2);
  }
  return enterNode(sandbox, node);
}
