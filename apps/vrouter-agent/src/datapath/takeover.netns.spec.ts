/** Invariant 4: programs of another layout take live connections over, up and down. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createKernelDatapath, type KernelDatapath } from './kernel-datapath';
import { tableNames } from '../oper/desired-tables';
import type { Datapath, Table } from './port';
import { Lab, missingForLab, type Node, type Pod } from './testing/lab';
import type { NetnsPeer } from './testing/netns-peer';

const missing = missingForLab();
const describeKernel = missing === undefined ? describe : describe.skip;
const service = '203.0.113.10';
const hostPort = 8081;

jest.setTimeout(300_000);

interface Connection {
  readonly name: string;
  readonly peer: NetnsPeer;
  readonly id: number;
}

function copyTable<K, V>(from: Table<K, V>, to: Table<K, V>): void {
  to.upsert(from.dump());
}

/** What an agent derives from its desired state. */
function copyTables(from: Datapath, to: Datapath): void {
  for (const name of tableNames) {
    const source: Table<unknown, unknown> = from[name] as Table<unknown, unknown>;
    copyTable(source, to[name] as Table<unknown, unknown>);
  }
}

describeKernel(`4. changed layouts${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let lab: Lab;
  let one: Node;
  let client: Pod;
  let local: Pod;
  let remote: Pod;
  let generation = 1;
  const failures: unknown[] = [];
  const datapaths: KernelDatapath[] = [];
  const connections: Connection[] = [];
  let grownObject: string;

  const current = (): KernelDatapath => datapaths.at(-1) ?? one.datapath;
  const pinFolders = (): string[] => readdirSync(join(lab.bpffs, one.name));

  beforeAll(async () => {
    lab = await Lab.create();
    const folder = join(lab.folder, 'grown');
    mkdirSync(folder);
    execFileSync(join(__dirname, '../../bpf/build.sh'), [folder, '-DTEST_LAYOUT_GROWN']);
    grownObject = join(folder, 'vrouter.bpf.o');
    const [first, second] = lab.nodes;
    const [a, b] = first?.pods ?? [];
    const [c] = second?.pods ?? [];
    if (!first || !second || !a || !b || !c || !lab.outside) throw new Error('the lab is not complete');
    [one, client, local, remote] = [first, a, b, c];
    await lab.outside.serveTcp(9100, 'outside');
    for (const pod of [local, remote]) await pod.peer.serveTcp(8080, pod.name);
    for (const node of [first, second]) {
      node.setService(service, 80, [{ address: remote.address, port: 8080 }]);
      node.setService(one.address, hostPort, [{ address: local.address, port: 8080 }], { id: 2, hostPort: true });
    }
  });

  afterAll(async () => {
    for (const datapath of datapaths) await datapath.close();
    await lab.destroy();
  });

  async function open(name: string, peer: NetnsPeer | undefined, address: string, port: number): Promise<void> {
    if (!peer) throw new Error('there is no peer');
    const answer = await peer.openTcp(address, port);
    expect({ name, error: answer.error }).toEqual({ name, error: undefined });
    connections.push({ name, peer, id: answer.id });
  }

  async function openAll(): Promise<void> {
    await open('pod to pod', client.peer, local.address, 8080);
    await open('pod to pod of the other node', client.peer, remote.address, 8080);
    await open('pod to service', client.peer, service, 80);
    await open('pod to outside', client.peer, '192.0.2.100', 9100);
    await open('node to pod', one.peer, local.address, 8080);
    await open('outside to hostPort', lab.outside, one.address, hostPort);
  }

  async function exchangeAll(): Promise<void> {
    const answers = await Promise.all(
      connections.map(async ({ name, peer, id }) => ({ name, error: (await peer.exchangeTcp(id, { size: 20_000, timeoutMs: 3000 })).error })),
    );
    expect(answers).toEqual(connections.map(({ name }) => ({ name, error: undefined })));
  }

  /** A new agent with another object file; `meanwhile` runs at each step of its start. */
  async function change(objectFile: string, meanwhile: () => Promise<void>): Promise<KernelDatapath> {
    const before = current();
    const next = await one.in(() =>
      createKernelDatapath({
        objectFile,
        pinPath: join(lab.bpffs, one.name),
        flowCapacity: 4096,
        onFailure: (error) => failures.push(error),
      }),
    );
    copyTables(before, next);
    generation += 1;
    next.setGlobals({ ...one.globals, generation });
    await meanwhile();
    datapaths.push(next);
    const { uplinkIfindex, tunnelIfindex, hostIfindex } = one.globals;
    one.in(() => {
      next.attach(uplinkIfindex, 'uplink');
      next.attach(1, 'loopback');
      next.attach(tunnelIfindex, 'tunnel');
    });
    await meanwhile();
    one.in(() => next.attach(hostIfindex, 'host'));
    await meanwhile();
    for (const { ifindex } of one.pods) {
      one.in(() => next.attach(ifindex, 'pod'));
      await meanwhile();
    }
    return next;
  }

  test.each(['up', 'down', 'up again', 'restart'])('%s: no connection breaks at any step, and new ones work', async (direction) => {
    await openAll();
    await exchangeAll();
    const objectFile = direction === 'down' ? lab.objectFile : grownObject;
    const next = await change(objectFile, async () => {
      await exchangeAll();
      await openAll();
    });
    expect(pinFolders()).toHaveLength(direction === 'restart' ? 1 : 2);
    next.retireOtherLayouts();
    await next.takenOver();
    await exchangeAll();
    expect(pinFolders()).toEqual([`layout-${next.layoutVersion.toString(16).padStart(8, '0')}`]);
    expect(failures).toEqual([]);
    expect(connections.length).toBeGreaterThan(25);
  });

  test('a record that no packet touched moves, too, with its counters', async () => {
    const countOf = async (datapath: KernelDatapath): Promise<bigint> => {
      let packets = 0n;
      for await (const batch of datapath.flows()) {
        for (const flow of batch) packets += flow.packetsOut + flow.packetsIn;
      }
      return packets;
    };
    const idle = await change(lab.objectFile, () => Promise.resolve());
    await idle.takenOver();
    const before = await countOf(idle);
    expect(before).toBeGreaterThan(1000n);
    const grown = await change(grownObject, () => Promise.resolve());
    await grown.takenOver();
    const back = await change(lab.objectFile, () => Promise.resolve());
    await back.takenOver();
    expect(await countOf(back)).toBe(before);
    await exchangeAll();
  });

  test('SNAT ports of flows that have not moved are not given away', async () => {
    const next = await change(grownObject, () => Promise.resolve());
    const opened = await Promise.all(Array.from({ length: 50 }, () => client.peer.openTcp('192.0.2.100', 9100)));
    expect(opened.map(({ error }) => error)).toEqual(opened.map(() => undefined));
    await exchangeAll();
    await next.takenOver();
    await exchangeAll();
    expect(existsSync(lab.bpffs)).toBe(true);
  });
});
