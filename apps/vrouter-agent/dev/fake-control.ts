/**
 * Control for a measured agent (tools/bench): fake-control.js LOCAL REMOTE sends LOCAL interfaces of node1 and
 * the routes of REMOTE pods of other nodes, prints its address as JSON, and ends with its standard input.
 */
import type { Entry } from '@contrail/proto-gen/control/v1/messages';
import * as make from '../src/testing/entries';
import { FakeControl } from '../src/testing/fake-control';

const remoteNode = 'node2';

/** The nth address of 10.32.0.0/12, network address left out. */
const podAddress = (n: number): string => `10.${32 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`;

function podEntries(n: number, node: string): Entry[] {
  const routes = [make.podVrf, make.fabricVrf].map((vrf) =>
    make.routeEntry(vrf, `${podAddress(n)}/32`, make.interfacePath(node, n)),
  );
  if (node === remoteNode) return routes;
  const address = { address: make.bytes(podAddress(n)), gateway: make.bytes('10.47.255.254'), prefixLength: 12 };
  const own = make.interfaceEntry(n, { addresses: [{ ...address, alias: false, dnsServer: Buffer.alloc(0) }] });
  return [own, ...routes];
}

async function main(): Promise<void> {
  const [local = 100, remote = 0] = process.argv.slice(2).map(Number);
  const pods = Array.from({ length: local + remote }, (_, index) =>
    podEntries(index + 1, index < local ? 'node1' : remoteNode),
  );
  const control = new FakeControl([
    make.globalEntry(),
    make.nodeEntry('node1', '192.0.2.1'),
    make.nodeEntry(remoteNode, '192.0.2.2'),
    make.vrfEntry(make.fabricVrf),
    make.vrfEntry(make.podVrf, '10.47.255.254'),
    make.labelEntry(70, make.podVrf, 40),
    make.policyEntry(make.policyId),
    make.routeEntry(make.podVrf, '192.0.2.1/32', make.nodePath('node1')),
    make.routeEntry(make.podVrf, '0.0.0.0/0', make.fabricPath()),
    ...pods.flat(),
  ]);
  process.stdout.write(`${JSON.stringify({ address: await control.start() })}\n`);
  process.stdin.resume();
  await new Promise((resolve) => process.stdin.once('end', resolve));
  await control.stop();
  process.exit(0);
}

void main();
