/** What programs remember of the tables for packets from the tunnel is forgotten when these change. */
import { execFileSync } from 'node:child_process';
import { parseAddress } from '@contrail/net';
import type { PolicyKey } from './port';
import { allowAll, Lab, missingForLab, type Node, type Pod, podIdentity, podVrf } from './testing/lab';

const missing = missingForLab();
const describeLab = missing === undefined ? describe : describe.skip;
const label = 1000 * podVrf + podIdentity;

describeLab(`packets from the tunnel after a change${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let lab: Lab;
  let two: Node;
  let client: Pod;
  let first: Pod;
  let second: Pod;

  const ask = async (timeoutMs = 5000, localPort = 5000): Promise<string> => {
    const answer = await client.peer.sendUdp(first.address, 8080, { localPort, timeoutMs });
    return answer.greeting?.split(' ')[0] ?? answer.error ?? '';
  };
  let nextPort = 6000;
  /** From a port of its own: a new connection. */
  const askAnew = (timeoutMs?: number): Promise<string> => ask(timeoutMs, nextPort++);

  beforeAll(async () => {
    lab = await Lab.create();
    const [one] = lab.nodes as [Node, Node];
    two = lab.nodes[1] as Node;
    [client] = one.pods as [Pod];
    [first, second] = two.pods as [Pod, Pod];
    execFileSync('nsenter', [`--net=${second.netns}`, 'ip', 'addr', 'add', `${first.address}/32`, 'dev', 'eth0']);
    const prefix = { address: parseAddress(first.address), length: 32 };
    two.datapath.sources.upsert([[{ ifindex: second.ifindex, vlan: 0, prefix }, true]]);
    await first.peer.serveUdp(8080, first.name);
    // Its answers have the address that was asked, not its first one.
    await second.peer.serveUdp(8080, second.name, first.address);
  }, 240_000);

  afterAll(() => lab.destroy(), 60_000);

  test('a live flow follows the route of its destination to another interface', async () => {
    expect(await ask()).toBe(first.name);
    expect(await ask()).toBe(first.name);
    two.setRoute(first.address, second.nextHop);
    expect(await ask()).toBe(second.name);
    two.setRoute(first.address, first.nextHop);
    expect(await ask()).toBe(first.name);
  }, 60_000);

  test('and a next hop that leads elsewhere', async () => {
    const { nextHops } = two.datapath;
    const hops = [first, second].map((pod) => nextHops.get(pod.nextHop));
    const [own, other] = hops;
    if (!own || !other) throw new Error('the next hops of the pods are not there');
    nextHops.upsert([[first.nextHop, other]]);
    expect(await ask()).toBe(second.name);
    nextHops.upsert([[first.nextHop, own]]);
    expect(await ask()).toBe(first.name);
  }, 60_000);

  test('a new connection meets the policy, the route and the interface of today', async () => {
    const { policies, vifs } = two.datapath;
    const ingress: PolicyKey = { policy: allowAll, direction: 'ingress', peerIdentity: 0, protocol: 0, port: 0, portLength: 0 };
    const key = { ifindex: first.ifindex, vlan: 0 };
    const vif = vifs.get(key);
    if (!vif) throw new Error('the interface of the pod is not there');
    for (let i = 0; i < 4; i++) expect(await askAnew()).toBe(first.name);
    policies.upsert([[ingress, { verdict: 'deny', rule: 2 }]]);
    expect(await askAnew(300)).toBe('TIMEOUT');
    policies.upsert([[ingress, { verdict: 'pass', rule: 1 }]]);
    for (let i = 0; i < 4; i++) expect(await askAnew()).toBe(first.name);
    two.setRoute(first.address, second.nextHop);
    for (let i = 0; i < 4; i++) expect(await askAnew()).toBe(second.name);
    two.setRoute(first.address, first.nextHop);
    for (let i = 0; i < 4; i++) expect(await askAnew()).toBe(first.name);
    vifs.upsert([[key, { ...vif, policy: 0 }]]);
    expect(await askAnew(300)).toBe('TIMEOUT');
    vifs.upsert([[key, vif]]);
    expect(await askAnew()).toBe(first.name);
  }, 60_000);

  test('under a label that was taken away nothing comes in any more', async () => {
    expect(await ask()).toBe(first.name);
    const value = two.datapath.labelsIn.get(label);
    two.datapath.labelsIn.remove([label]);
    expect(await ask(300)).toBe('TIMEOUT');
    expect(two.dropCount('unknown-label')).toBeGreaterThan(0);
    expect(await askAnew(300)).toBe('TIMEOUT');
    if (value) two.datapath.labelsIn.upsert([[label, value]]);
    expect(await ask()).toBe(first.name);
  }, 60_000);
});
