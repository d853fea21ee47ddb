import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { apply, eventually, kubectl, netexecPod, nodeAddresses, podExec, podIp, temporaryNamespace, waitReady } from '../src/cluster';
import { runScript, scriptPod } from '../src/script-pod';

/** Faults 12 and 14 of the list in docs/testing.md: connections that are easily taken for one another, and backends that die. */
jest.setTimeout(300_000);

const script = readFileSync(path.join(__dirname, '../src/connection-probe.js'), 'utf8');

describe('connections and their backends', () => {
  let ns = { name: '', remove: () => Promise.resolve() };
  let nodes: string[] = [];

  beforeAll(async () => {
    ns = await temporaryNamespace('connections');
    nodes = [...(await nodeAddresses()).keys()].sort().reverse();
    const [here = '', there = ''] = nodes;
    await apply([
      await scriptPod('client', ns.name, { node: here }),
      netexecPod('near', ns.name, { spec: { nodeName: here } }),
      netexecPod('far', ns.name, { spec: { nodeName: there } }),
      netexecPod('spare', ns.name, { labels: { role: 'spare' }, spec: { nodeName: there } }),
      netexecPod('silent', ns.name, { labels: { role: 'silent' }, spec: { nodeName: there }, container: { securityContext: { privileged: true } } }),
      ...['near', 'far'].flatMap((pod) => [service(`${pod}-1`, ns.name, { app: pod }), service(`${pod}-2`, ns.name, { app: pod })]),
    ]);
    await waitReady(ns.name, ['client', 'near', 'far', 'spare', 'silent']);
  });
  afterAll(() => ns.remove());

  const clusterIp = async (name: string): Promise<string> => (await kubectl(['-n', ns.name, 'get', 'service', name, '-o', 'jsonpath={.spec.clusterIP}'])).trim();
  /** Points the service at another role and waits for nothing. */
  const select = (name: string, role: string): Promise<unknown> =>
    kubectl(['-n', ns.name, 'patch', 'service', name, '-p', JSON.stringify({ spec: { selector: { role } } })]);

  it.each(['near', 'far'])('one client port to two services of one backend and to the backend itself at once (%s)', async (backend) => {
    const targets = [
      { host: await clusterIp(`${backend}-1`), port: 80 },
      { host: await clusterIp(`${backend}-2`), port: 80 },
      { host: await podIp(ns.name, backend), port: 8080 },
    ];
    await eventually('the services', async () => {
      const got = await Promise.all(targets.map(({ host, port }) => runScript<string>(ns.name, 'client', script, { do: 'get', host, port, within: 3000 })));
      return got.every((name) => name === backend) ? true : undefined;
    });
    const answers = await runScript<string[][]>(ns.name, 'client', script, { do: 'sharePort', targets, localPort: 39_001, rounds: 20 });
    expect(answers).toEqual(targets.map(() => Array.from({ length: 20 }, () => backend)));
  });

  it('a client that opens a connection to a backend that does not answer is served as soon as the service has another', async () => {
    const client = await podIp(ns.name, 'client');
    await apply([service('opening', ns.name, { role: 'silent' })]);
    const host = await clusterIp('opening');
    const get = (within: number): Promise<string> => runScript<string>(ns.name, 'client', script, { do: 'get', host, port: 80, within });
    await eventually('the service', async () => ((await get(3000)) === 'silent' ? true : undefined));
    // Its answers go nowhere: a host that died looks like that.
    await podExec(ns.name, 'silent', ['ip', 'route', 'add', 'blackhole', `${client}/32`]);
    const waiting = get(45_000);
    await sleep(2500);
    await select('opening', 'spare');
    expect(await waiting).toBe('spare');
    await podExec(ns.name, 'silent', ['ip', 'route', 'del', 'blackhole', `${client}/32`]);
  });

  it.each([
    ['connected', true],
    ['not connected', false],
  ])('a UDP client (%s) that goes on sending moves to another backend when its own is gone', async (_what, isConnected) => {
    const name = `datagrams-${isConnected ? 'c' : 'u'}`;
    await apply([service(name, ns.name, { role: 'silent' })]);
    const host = await clusterIp(name);
    await eventually('the service', async () => {
      const got = await runScript<string[]>(ns.name, 'client', script, { do: 'datagrams', host, port: 81, isConnected, count: 1 });
      return got.includes('silent') ? true : undefined;
    });
    const names = runScript<string[]>(ns.name, 'client', script, { do: 'datagrams', host, port: 81, isConnected, count: 60 });
    await sleep(4000);
    await select(name, 'spare');
    const got = await names;
    expect([...new Set(got)]).toEqual(['silent', 'spare']);
    expect(got.at(-1)).toBe('spare');
  });
});

function service(name: string, namespace: string, selector: Record<string, string>): unknown {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { selector, ports: [{ name: 'http', port: 80, targetPort: 8080 }, { name: 'udp', port: 81, targetPort: 8081, protocol: 'UDP' }] },
  };
}
