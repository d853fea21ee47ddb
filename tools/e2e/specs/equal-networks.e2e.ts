import { apply, eventually, kubectl, kubectlJson, podExec, temporaryNamespace } from '../src/cluster';
import type { KubeObject } from '../src/cluster';
import { makeNetwork, removeNetwork, tenantPod, twoNodes, uuidOf, waitReadyOrTell } from '../src/custom-network';
import { restClient } from '../src/rest-client';
import type { RestClient } from '../src/rest-client';
import { sized } from '../src/seeded';

/** Networks with one and the same subnet, with four pods each. */
const networkCount = sized('EQUAL_NETWORKS', 3);
const podsOfEach = 4;
const subnet = '192.168.50.0/24';
const statusKey = 'k8s.v1.cni.cncf.io/network-status';
const readyS = 600;
const atOnce = 8;

jest.setTimeout(900_000);

interface Member {
  readonly pod: string;
  readonly network: string;
  readonly tenant: string;
  readonly alias: string;
}

let administrator: RestClient;
let space: Awaited<ReturnType<typeof temporaryNamespace>>;
const networks = Array.from({ length: networkCount }, (_, i) => `equal-${i}`);

/** Addresses as kube-manager says them on the pods. */
async function readMembers(): Promise<Member[]> {
  const { items } = await kubectlJson<{ items: KubeObject[] }>(['-n', space.name, 'get', 'pods']);
  return items.map(({ metadata }) => {
    const [status] = JSON.parse(metadata.annotations?.[statusKey] ?? '[]') as { ips: string[] }[];
    const [tenant = 'none', alias = 'none'] = status?.ips ?? [];
    return { pod: metadata.name, network: metadata.name.replace(/-\d+$/, ''), tenant, alias };
  });
}

/** Who answers the pod at each of the addresses; "-": nobody. */
async function askAll(pod: string, addresses: readonly string[], seconds: number): Promise<string[]> {
  const script = `for a in ${addresses.join(' ')}; do curl -s --max-time ${seconds} http://$a:8080/hostname || printf -- -; echo; done`;
  const { stdout } = await podExec(space.name, pod, ['sh', '-c', script]);
  return stdout.trimEnd().split('\n');
}

async function forEach(members: readonly Member[], work: (member: Member) => Promise<void>): Promise<void> {
  const queue = [...members];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await work(next);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

describe('networks with one subnet', () => {
  beforeAll(async () => {
    administrator = await restClient('admin');
    const nodes = await twoNodes();
    space = await temporaryNamespace('equal');
    const project = `k8s-${space.name}`;
    await eventually(`project ${project}`, () => uuidOf(administrator, 'project', ['default-domain', project]));
    for (const network of networks) await makeNetwork(administrator, project, network, subnet);
    const pods = networks.flatMap((network) =>
      Array.from({ length: podsOfEach }, (_, i) => tenantPod(`${network}-${i}`, space.name, { node: nodes[i % 2] ?? nodes[0], network: `default-domain:${project}:${network}` })),
    );
    await apply(pods);
    await waitReadyOrTell(space.name, networks.flatMap((network) => Array.from({ length: podsOfEach }, (_, i) => `${network}-${i}`)), readyS);
  });
  afterAll(async () => {
    await kubectl(['-n', space.name, 'delete', 'pods', '--all', '--wait=false']);
    for (const network of networks) await removeNetwork(administrator, `k8s-${space.name}`, network);
    await space.remove();
  });

  it('have pods with the same addresses', async () => {
    const members = await readMembers();
    expect(members).toHaveLength(networkCount * podsOfEach);
    const addressesOf = (network: string): string[] => members.filter((member) => member.network === network).map(({ tenant }) => tenant).sort();
    expect(networks.map(addressesOf)).toEqual(networks.map(() => ['192.168.50.249', '192.168.50.250', '192.168.50.251', '192.168.50.252']));
    expect(new Set(members.map(({ alias }) => alias)).size).toBe(members.length);
  });

  it('every pod reaches exactly the pods of its network by tenant address, and no other by alias', async () => {
    const members = await readMembers();
    const wrong: string[] = [];
    await forEach(members, async ({ pod, network }) => {
      const own = members.filter((member) => member.network === network);
      const answers = await askAll(pod, own.map(({ tenant }) => tenant), 10);
      for (const [i, { pod: owner, tenant }] of own.entries()) if (answers[i] !== owner) wrong.push(`${pod} asks ${tenant} of ${owner}: ${answers[i] ?? 'no answer'}`);
      const next = networks[(networks.indexOf(network) + 1) % networks.length];
      const others = members.filter((member) => member.network === next && next !== network).slice(0, 2);
      const strangers = others.length === 0 ? [] : await askAll(pod, others.map(({ alias }) => alias), 2);
      for (const [i, answer] of strangers.entries()) if (answer !== '-') wrong.push(`${pod} reaches ${others[i]?.pod ?? ''} of ${next ?? ''}: ${answer}`);
    });
    expect(wrong).toEqual([]);
  });
});
