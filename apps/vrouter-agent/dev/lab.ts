/**
 * Two nodes with the kernel datapath in network namespaces, for measurements (tools/bench). Run from the
 * repository: lab.js PORT… makes services of these ports, prints one line of JSON that says where to send
 * from and to, and takes everything down when its standard input ends.
 */
import path from 'node:path';
import { Lab } from '../src/datapath/testing/lab';

const clusterIp = '203.0.113.10';
const clusterIpAcross = '203.0.113.11';
/** As the agent's default. */
const flowCapacity = 262_144;

async function main(): Promise<void> {
  const ports = process.argv.slice(2).map(Number);
  const lab = await Lab.create({ flowCapacity, programFolder: path.resolve('apps/vrouter-agent/bpf') });
  const [client, near] = lab.nodes[0]?.pods ?? [];
  const far = lab.nodes[1]?.pods[0];
  if (client === undefined || near === undefined || far === undefined) throw new Error('the lab has too few pods');
  for (const [index, port] of ports.entries()) {
    for (const node of lab.nodes) {
      node.setService(clusterIp, port, [{ address: near.address, port }], { id: 2 * index + 1 });
      node.setService(clusterIpAcross, port, [{ address: far.address, port }], { id: 2 * index + 2 });
    }
  }
  const description = {
    client: client.netns,
    servers: [near.netns, far.netns],
    sameNode: near.address,
    acrossNodes: far.address,
    clusterIp,
    clusterIpAcross,
  };
  process.stdout.write(`${JSON.stringify(description)}\n`);
  process.stdin.resume();
  await new Promise((resolve) => process.stdin.once('end', resolve));
  await lab.destroy();
}

main().catch((error: unknown) => {
  process.stderr.write(`lab: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
});
