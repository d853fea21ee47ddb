import { chown, mkdir, readFile, rm } from 'node:fs/promises';
import * as path from 'node:path';
import { SandboxFailure } from './failure';
import { startForwarder, type ForwardedPorts } from './forward';
import { nodeFolder, nodeGroup } from './node-namespace';
import { isAlive } from './processes';
import { waitUntil } from './progress';
import type { Sandbox } from './sandbox';

const component = 'rest-forwarder';
/** These belong to the sandbox of `npm start`. */
const mainSandbox = 'contrail';
const mainPorts: ForwardedPorts = { rest: 8082, identity: 35357 };
/** User and group in k8s/base/config-api.yaml. */
const apiUser = 65532;
const startTimeoutMs = 20_000;

/** Folder of the control-plane node in which config-api makes its socket; see k8s/overlays/sandbox. */
function socketFolder(sandbox: Sandbox): string {
  return path.join(nodeFolder(sandbox, sandbox.plan.controlPlane, '/var/lib/contrail'), 'rest');
}

function portsFile(sandbox: Sandbox): string {
  return sandbox.file('rest-ports.json');
}

/** config-api runs without privileges and could not make a file in a folder that belongs to root. */
export async function makeSocketFolder(sandbox: Sandbox): Promise<void> {
  await mkdir(socketFolder(sandbox), { recursive: true });
  await chown(socketFolder(sandbox), apiUser, apiUser);
}

/** Makes the REST API reachable at the machine's loopback, without TLS. */
export async function ensureForwarder(sandbox: Sandbox): Promise<void> {
  const known = await sandbox.processes.find(component);
  if (known !== undefined && (await isAlive(known))) return;
  await rm(portsFile(sandbox), { force: true });
  const wanted = sandbox.record.name === mainSandbox ? mainPorts : { rest: 0, identity: 0 };
  await sandbox.processes.launch({
    component,
    group: await nodeGroup(sandbox.plan.controlPlane),
    command: [
      ...[process.execPath, process.argv[1] ?? '', 'forward'],
      ...[path.join(socketFolder(sandbox), 'api.sock'), portsFile(sandbox)],
      ...[String(wanted.rest), String(wanted.identity)],
    ],
  });
  const isReady = async (): Promise<boolean> => (await findPorts(sandbox)) !== undefined;
  if (!(await waitUntil(isReady, startTimeoutMs, 20)))
    throw new SandboxFailure(`${component}: does not listen; see ${sandbox.processes.logFile(component)}`);
}

/** undefined while nothing is forwarded. */
export async function findPorts(sandbox: Sandbox): Promise<ForwardedPorts | undefined> {
  const text = await readFile(portsFile(sandbox), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as ForwardedPorts);
}

/** The forwarder's own process: runs until it is ended. */
export async function runForwarder(
  socket: string,
  file: string,
  wanted: ForwardedPorts,
): Promise<number> {
  const { ports } = await startForwarder({ socket, wanted, portsFile: file });
  process.stdout.write(`listening on 127.0.0.1:${ports.rest} and 127.0.0.1:${ports.identity}\n`);
  return new Promise(() => undefined);
}
