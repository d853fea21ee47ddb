import { isApiServerReady } from './control-plane';
import { isReady, listNodes } from './kubernetes-client';
import { isAlive } from './processes';
import { findPorts } from './rest-endpoint';
import type { Sandbox } from './sandbox';

/**
 * Prints what runs, where.
 *
 * @returns 0 when everything that was started still runs and the roll-out was completed, else 1.
 */
export async function printStatus(sandbox: Sandbox): Promise<number> {
  const { record, plan } = sandbox;
  const isServed = await isApiServerReady(sandbox);
  const nodes = isServed ? await listNodes(sandbox) : [];
  const dead: string[] = [];
  for (const { component, record: process } of await sandbox.processes.list()) {
    if (!(await isAlive(process))) dead.push(component);
  }
  const ports = await findPorts(sandbox);
  const lines = [
    `sandbox     ${record.name}: ${record.phase}, network ${record.network}`,
    `API server  https://${plan.controlPlane.address}:6443 ${isServed ? 'ready' : 'not ready'}`,
    ...(ports === undefined
      ? []
      : [
          `REST API    http://127.0.0.1:${ports.rest} (identity at port ${ports.identity}), https://${plan.controlPlane.address}:8082`,
        ]),
    `Jaeger      http://${plan.controlPlane.address}:16686`,
    `kubeconfig  ${sandbox.adminKubeconfig}`,
    ...plan.nodes.map((node) => {
      const found = nodes.find((candidate) => candidate.metadata.name === node.name);
      const state = found === undefined ? 'not registered' : isReady(found) ? 'Ready' : 'NotReady';
      return `node        ${node.name.padEnd(14)} ${node.address.padEnd(15)} ${state}`;
    }),
    `namespace   outside        ${plan.outside.address}`,
    ...dead.map(
      (component) =>
        `ended       ${component}: see "sandbox --name ${record.name} logs ${component}"`,
    ),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return dead.length === 0 && isServed && record.phase === 'running' ? 0 : 1;
}
