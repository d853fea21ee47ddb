import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Rig } from './rig';
import { limitAcrossNodes, limitSameNode } from './limit-program';

export const vrouterSameNode = 'vRouter, same node';
export const vrouterAcrossNodes = 'vRouter, across nodes';
export const vrouterClusterIp = 'vRouter, cluster IP on the same node';
export const vrouterClusterIpAcross = 'vRouter, cluster IP across nodes';

/** What apps/vrouter-agent/dev/lab.ts prints. */
export interface LabDescription {
  readonly client: string;
  readonly servers: readonly string[];
  readonly sameNode: string;
  readonly acrossNodes: string;
  readonly clusterIp: string;
  readonly clusterIpAcross: string;
}

/**
 * Two nodes with the real vRouter of the agent, in a process of its own, programmed as in default mode.
 * @param program the bundled apps/vrouter-agent/dev/lab.ts
 */
export async function createVrouterLab(program: string, ports: readonly number[]): Promise<Rig> {
  const child = spawn(process.execPath, [program, ...ports.map(String)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([once(lines, 'line'), exited.then(() => undefined)]);
  if (first === undefined) throw new Error('the vRouter did not start; see above');
  const lab = JSON.parse(String(first[0])) as LabDescription;
  const clientNetns = lab.client;
  return {
    paths: [
      { name: vrouterSameNode, clientNetns, address: lab.sameNode, limit: limitSameNode },
      { name: vrouterClusterIp, clientNetns, address: lab.clusterIp, limit: vrouterSameNode },
      { name: vrouterAcrossNodes, clientNetns, address: lab.acrossNodes, limit: limitAcrossNodes },
      { name: vrouterClusterIpAcross, clientNetns, address: lab.clusterIpAcross, limit: vrouterAcrossNodes },
    ],
    serverNetns: lab.servers,
    close: async () => {
      child.stdin.end();
      await exited;
    },
  };
}
