/**
 * Time of single packets through the `pod` program, new connections and established ones, with the CPU's caches as the
 * runs leave them and emptied before each: how long a packet takes that meets a busy CPU lies between. Run from the repository:
 * node tools/bundle-program.mjs apps/vrouter-agent/dev/first-packets.ts dist/first-packets.js && node dist/first-packets.js
 */
import path from 'node:path';
import { runOnPacket } from '../src/datapath/bpf/test-run';
import { Lab, type Node, type Pod } from '../src/datapath/testing/lab';
import { buildFrame, tcpFlags } from '../src/datapath/testing/packet';

const clusterIp = '203.0.113.10';
const port = 80;
/** As the agent's default. */
const flowCapacity = 262_144;
const redirected = 7;
/** More than a core's caches, and most of what cores share. */
const trash = Buffer.alloc(24 << 20);
const runsWarm = 3000;
const runsCold = 400;

let nextSourcePort = 1024;

function emptyCaches(): void {
  for (let offset = 0; offset < trash.length; offset += 64) trash[offset] = ((trash[offset] ?? 0) + 1) & 0xff;
}

interface Case {
  readonly name: string;
  readonly destination: string;
  readonly isNew: boolean;
  readonly isCold: boolean;
}

/** Nanoseconds of each run, sorted. */
function measure(node: Node, client: Pod, { destination, isNew, isCold }: Case): number[] {
  const program = node.datapath.programFd('pod');
  const send = (sourcePort: number, flags: number): number => {
    const { mac: sourceMac, address: source, ifindex } = client;
    const frame = buildFrame({ sourceMac, source, destination, protocol: 'tcp', sourcePort, destinationPort: port, flags });
    const { verdict, durationNs } = runOnPacket(program, frame, { ifindex });
    if (verdict !== redirected) throw new Error(`the packet to ${destination} was not forwarded: ${verdict}`);
    return durationNs;
  };
  const established = nextSourcePort++;
  if (!isNew) send(established, tcpFlags.syn);
  const times = Array.from({ length: isCold ? runsCold : runsWarm }, () => {
    if (isCold) emptyCaches();
    return isNew ? send(nextSourcePort++, tcpFlags.syn) : send(established, tcpFlags.ack);
  });
  return times.sort((a, b) => a - b);
}

async function main(): Promise<void> {
  const lab = await Lab.create({ flowCapacity, programFolder: path.resolve('apps/vrouter-agent/bpf') });
  try {
    const [one, two] = lab.nodes;
    const [client, near] = one?.pods ?? [];
    const far = two?.pods[0];
    if (!one || !client || !near || !far) throw new Error('the lab has too few pods');
    one.setService(clusterIp, port, [{ address: near.address, port }]);
    const destinations = [['same node', near.address], ['cluster IP', clusterIp], ['across nodes', far.address]] as const;
    for (const isCold of [false, true]) {
      for (const isNew of [true, false]) {
        for (const [name, destination] of destinations) {
          const times = one.in(() => measure(one, client, { name, destination, isNew, isCold }));
          const quartiles = [0.25, 0.5, 0.75].map((part) => times[Math.floor(times.length * part)] ?? 0);
          const title = `${isNew ? 'new' : 'established'}, ${name}, caches ${isCold ? 'emptied' : 'warm'}`;
          process.stdout.write(`${title.padEnd(46)} ${quartiles.join(' / ')} ns (quartiles)\n`);
        }
      }
    }
  } finally {
    await lab.destroy();
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`first-packets: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
});
