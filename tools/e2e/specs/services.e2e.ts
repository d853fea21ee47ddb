import { apply, eventually, kubectl, kubectlJson, netexecPod, nodeAddresses, nodeExec, podExec, podIp, temporaryNamespace, waitReady } from '../src/cluster';
import type { KubeObject } from '../src/cluster';

describe('services', () => {
  let ns = { name: '', remove: () => Promise.resolve() };
  beforeAll(async () => {
    ns = await temporaryNamespace('services');
    await apply([
      netexecPod('server-1', ns.name, { labels: { role: 'server' }, spec: { nodeName: 'node1' } }),
      netexecPod('server-2', ns.name, { labels: { role: 'server' }, spec: { nodeName: 'node2' } }),
      netexecPod('client', ns.name, { spec: { nodeName: 'node1' } }),
      service('web', ns.name, { role: 'server' }),
      service('nobody', ns.name, { role: 'nobody' }),
      service('self', ns.name, { app: 'client' }),
    ]);
    await waitReady(ns.name, ['server-1', 'server-2', 'client']);
  });
  afterAll(() => ns.remove());

  const clusterIp = async (name: string): Promise<string> => (await kubectl(['-n', ns.name, 'get', 'service', name, '-o', 'jsonpath={.spec.clusterIP}'])).trim();
  const curl = (url: string): Promise<string> => podExec(ns.name, 'client', ['curl', '-sS', '--max-time', '4', url]).then((r) => r.stdout.trim() || r.stderr.trim());

  it('balance TCP over every ready endpoint at the source, without kube-proxy', async () => {
    const address = await clusterIp('web');
    await eventually('both servers answer', async () => {
      const loop = await podExec(ns.name, 'client', ['sh', '-c', `for i in $(seq 24); do curl -sS --max-time 4 http://${address}/hostname; echo; done`]);
      return new Set(loop.stdout.trim().split('\n')).size === 2 ? true : undefined;
    }, 20_000);
    const proxies = await kubectlJson<{ items: KubeObject[] }>(['get', 'pods', '-A', '-l', 'k8s-app=kube-proxy']);
    expect(proxies.items).toEqual([]);
  });

  it('carry UDP', async () => {
    const address = await clusterIp('web');
    const got = await eventually('UDP answers', async () => {
      const r = await podExec(ns.name, 'client', ['sh', '-c', `echo hostname | nc -u -w 1 ${address} 81`]);
      return r.stdout.trim() || undefined;
    }, 20_000);
    expect(['server-1', 'server-2']).toContain(got);
  });

  it('keep the client\'s address behind the cluster IP', async () => {
    const [address, client] = [await clusterIp('web'), await podIp(ns.name, 'client')];
    for (let i = 0; i < 6; i += 1) expect((await curl(`http://${address}/clientip`)).split(':')[0]).toBe(client);
  });

  it('let a pod reach itself through its own service, seen as the gateway', async () => {
    expect((await curl(`http://${await clusterIp('self')}/clientip`)).split(':')[0]).toBe('10.47.255.254');
  });

  it('without endpoints refuse at once, TCP and UDP', async () => {
    const address = await clusterIp('nobody');
    await eventually('refusal', async () => ((await curl(`http://${address}/`)).includes("Couldn't connect") ? true : undefined), 15_000);
    const timed = await podExec(ns.name, 'client', ['curl', '-s', '--max-time', '4', '-w', '%{time_total}', `http://${address}/`]);
    expect(timed.status).toBe(7);
    expect(Number(timed.stdout)).toBeLessThan(1);
    const udp = await podExec(ns.name, 'client', ['/agnhost', 'connect', `${address}:81`, '--protocol=udp', '--timeout=3s', '--udp-data=x']);
    expect(`${udp.stdout}${udp.stderr}`).toMatch(/REFUSED|OTHER/);
  });

  it('of a port that does not exist on the address are dropped, not answered by something else', async () => {
    const got = await podExec(ns.name, 'client', ['curl', '-sS', '--max-time', '2', `http://${await clusterIp('web')}:9999/`]);
    expect(got.status).not.toBe(0);
  });

  it('are reachable from the nodes themselves', async () => {
    const address = await clusterIp('web');
    const nodes = await nodeAddresses();
    for (const node of ['control-plane', 'node1', 'node2']) {
      const got = await nodeExec(node, ['curl', '-sS', '--max-time', '4', `http://${address}/clientip`]);
      expect(`${node} ${got.stdout.split(':')[0] ?? ''}`).toBe(`${node} ${nodes.get(node) ?? ''}`);
    }
  });

  it('reach the API server behind the service `kubernetes` from pods and nodes', async () => {
    const url = 'https://10.96.0.1/healthz';
    for (const run of [() => podExec(ns.name, 'client', ['curl', '-sk', '--max-time', '4', url]), ...['control-plane', 'node1', 'node2'].map((node) => () => nodeExec(node, ['curl', '-sk', '--max-time', '4', url]))]) {
      const got = await run();
      expect(got.stdout).toMatch(/ok|Unauthorized|Forbidden/);
    }
  });

  it('forget a backend that is gone and take a new one', async () => {
    const address = await clusterIp('web');
    await kubectl(['-n', ns.name, 'label', 'pod', 'server-1', 'role=out', '--overwrite']);
    await eventually('only server-2 is left', async () => {
      const loop = await podExec(ns.name, 'client', ['sh', '-c', `for i in $(seq 16); do curl -sS --max-time 4 http://${address}/hostname; echo; done | sort -u`]);
      return loop.stdout.trim() === 'server-2' ? true : undefined;
    }, 20_000);
    await kubectl(['-n', ns.name, 'label', 'pod', 'server-1', 'role=server', '--overwrite']);
    await eventually('server-1 is back', async () => {
      const loop = await podExec(ns.name, 'client', ['sh', '-c', `for i in $(seq 24); do curl -sS --max-time 4 http://${address}/hostname; echo; done | sort -u`]);
      return loop.stdout.trim().split('\n').length === 2 ? true : undefined;
    }, 20_000);
  });
});

describe('pods and the world', () => {
  let ns = { name: '', remove: () => Promise.resolve() };
  beforeAll(async () => {
    ns = await temporaryNamespace('world');
    await apply([
      netexecPod('pod', ns.name, { spec: { nodeName: 'node1' }, container: { ports: [{ containerPort: 8080, hostPort: 30880 }] } }),
      netexecPod('other', ns.name, { spec: { nodeName: 'node2' } }),
    ]);
    await waitReady(ns.name, ['pod', 'other']);
  });
  afterAll(() => ns.remove());

  it('pods reach outside, seen as their node', async () => {
    const outside = (await nodeExec('outside', ['sh', '-c', "ip -4 -o addr show scope global | sed 's/.*inet //; s/\\/.*//' | head -1"])).stdout.trim();
    const listener = nodeExec('outside', ['sh', '-c', 'timeout 8 nc -v -n -l -p 7777 </dev/null 2>&1']);
    await eventually('listener', async () => {
      const connect = await podExec(ns.name, 'pod', ['sh', '-c', `echo hello | nc -n -w 2 ${outside} 7777`]);
      return connect.status === 0 ? true : undefined;
    }, 8_000);
    const heard = (await listener).stdout;
    expect(heard).toContain('hello');
    expect(heard).toContain((await nodeAddresses()).get('node1') ?? 'no address');
  });

  it('every node reaches every pod, and pods reach every node, with their own addresses', async () => {
    const nodes = await nodeAddresses();
    for (const pod of ['pod', 'other']) {
      const address = await podIp(ns.name, pod);
      for (const [node, nodeAddress] of nodes) {
        const toPod = await nodeExec(node, ['curl', '-sS', '--max-time', '4', `http://${address}:8080/clientip`]);
        expect(`${node} -> ${pod}: ${toPod.stdout.split(':')[0] ?? ''}${toPod.stderr}`).toBe(`${node} -> ${pod}: ${nodeAddress}`);
        const toNode = await podExec(ns.name, pod, ['curl', '-sk', '--max-time', '4', `https://${nodeAddress}:10250/healthz`]);
        expect(`${pod} -> ${node}: ${toNode.stdout}`).toMatch(/Unauthorized|Forbidden|ok/);
      }
    }
  });

  it('a hostPort answers outside, on the node itself, and on its 127.0.0.1', async () => {
    const node = (await nodeAddresses()).get('node1') ?? '';
    for (const [from, url] of [['outside', `http://${node}:30880/hostname`], ['node1', `http://${node}:30880/hostname`], ['node1', 'http://127.0.0.1:30880/hostname'], ['node2', `http://${node}:30880/hostname`]] as const) {
      const got = await nodeExec(from, ['curl', '-sS', '--max-time', '4', url]);
      expect(`${from} ${url} ${got.stdout}${got.stderr}`).toBe(`${from} ${url} pod`);
    }
  });

  it('the API server reaches pods (proxy subresource, logs, exec)', async () => {
    expect(await kubectl(['get', '--raw', `/api/v1/namespaces/${ns.name}/pods/other:8080/proxy/hostname`])).toBe('other');
    expect(await kubectl(['-n', ns.name, 'logs', 'other'])).toContain('Started');
  });

  it('a packet with a forged source, or to the tunnel port of a node, is dropped and counted', async () => {
    const counted = async (): Promise<Map<string, number>> => {
      const agent = (await kubectl(['-n', 'contrail', 'get', 'pods', '-l', 'app.kubernetes.io/name=vrouter-agent', '--field-selector', 'spec.nodeName=node1', '-o', 'jsonpath={.items[0].metadata.name}'])).trim();
      const drops = JSON.parse((await podExec('contrail', agent, ['contrailctl', 'drop', '-o', 'json'])).stdout) as Array<{ reasonName: string; packets: string | number }>;
      const sum = new Map<string, number>();
      for (const drop of drops) sum.set(drop.reasonName, (sum.get(drop.reasonName) ?? 0) + Number(drop.packets));
      return sum;
    };
    const before = await counted();
    const node = (await nodeAddresses()).get('node2') ?? '';
    await apply([netexecPod('forger', ns.name, { spec: { nodeName: 'node1' }, container: { securityContext: { privileged: true } } })]);
    await waitReady(ns.name, ['forger']);
    const other = await podIp(ns.name, 'other');
    await podExec(ns.name, 'forger', ['sh', '-c', `ip address add 10.32.99.99/32 dev eth0; ping -n -c 2 -W 1 -I 10.32.99.99 ${other}; echo x | nc -n -u -w 1 ${node} 4789`]);
    const after = await counted();
    const grown = [...after].filter(([name, value]) => value > (before.get(name) ?? 0)).map(([name]) => name);
    expect(grown.join(' ')).toMatch(/spoof|source/i);
    expect(grown.join(' ')).toMatch(/tunnel/i);
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
