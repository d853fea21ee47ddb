/**
 * Two tenants with equal subnets on the two nodes of a lab. Each has the same addresses, ports and services as
 * the other; an alias address for each pod is what differs.
 */
import { parseAddress } from '@contrail/net';
import { fabricVrf, hostIdentity, podIdentity, podVrf } from './lab-plan';
import { baseNextHop, baseService, Lab, type LabOptions, type Node, type Pod } from './lab';

export const tenantSubnet = '198.18.50.0/24';
export const tenantService = { address: '203.0.113.10', port: 80 };
/** Of the shared VRF, with the first tenant's pods behind it. */
export const sharedService = { address: '203.0.113.20', port: 80 };
/** Ports of every pod's servers, which listen on all its addresses. */
export const serverPort = 8080;

const tcp = 6;
const udp = 17;

export interface Tenant {
  readonly name: string;
  readonly vrf: number;
  readonly identity: number;
  /** On node one: .5 and .6; on node two: .7. */
  readonly a: Pod;
  readonly b: Pod;
  readonly c: Pod;
  /** By the letter of the pod. */
  readonly alias: Readonly<Record<'a' | 'b' | 'c', string>>;
}

const plan = [
  { name: 'red', vrf: 7, identity: 27, macs: 0x70, aliases: 100 },
  { name: 'blue', vrf: 8, identity: 28, macs: 0x80, aliases: 110 },
] as const;

export interface TenantsLab {
  readonly lab: Lab;
  readonly one: Node;
  readonly two: Node;
  readonly red: Tenant;
  readonly blue: Tenant;
}

export async function createTenantsLab(options: LabOptions = {}): Promise<TenantsLab> {
  const lab = await Lab.create(options);
  const [one, two] = lab.nodes as [Node, Node];
  const [red, blue] = (await Promise.all(plan.map((tenant) => addTenant(lab, tenant)))) as [Tenant, Tenant];
  const { address, port } = sharedService;
  for (const node of [one, two]) {
    // Labels of each tenant's senders towards itself, the shared VRF and the nodes, and back.
    for (const { vrf, identity } of plan) {
      setLabel(node, vrf, identity, vrf);
      setLabel(node, podVrf, identity, vrf);
      setLabel(node, vrf, podIdentity, podVrf);
      setLabel(node, fabricVrf, identity, vrf);
      setLabel(node, vrf, hostIdentity, fabricVrf);
    }
    node.setService(address, port, [red.alias.b, red.alias.c].map((each) => ({ address: each, port: serverPort, vrf: red.vrf })), { id: 50 });
  }
  return { lab, one, two, red, blue };
}

/** The VNI under which senders of an identity are looked up in a VRF. */
export const labelOf = (vrf: number, identity: number): number => 10_000 * vrf + identity;

function setLabel({ datapath }: Node, vrf: number, identity: number, senderVrf: number): void {
  const label = labelOf(vrf, identity);
  datapath.labelsOut.upsert([[{ vrf, identity }, label]]);
  datapath.labelsIn.upsert([[label, { vrf, identity, senderVrf, senderSpace: 0 }]]);
}

async function addTenant(lab: Lab, { name, vrf, identity, macs, aliases }: (typeof plan)[number]): Promise<Tenant> {
  const [one, two] = lab.nodes as [Node, Node];
  const aliasOf = (index: number): string => `198.51.100.${aliases + index}`;
  const add = async (node: Node, letter: string, index: number): Promise<Pod> => {
    const pod = await node.addPod(lab, `${name}${letter}`, `198.18.50.${5 + index}`, {
      mac: macs + index,
      vrf,
      identity,
      alias: { address: aliasOf(index), network: tenantSubnet },
    });
    await pod.peer.serveTcp(serverPort, pod.name);
    await pod.peer.serveUdp(serverPort, pod.name);
    return pod;
  };
  const tenant = {
    name,
    vrf,
    identity,
    a: await add(one, 'a', 0),
    b: await add(one, 'b', 1),
    c: await add(two, 'c', 2),
    alias: { a: aliasOf(0), b: aliasOf(1), c: aliasOf(2) },
  };
  for (const node of [one, two]) {
    const tunnel = 200 + vrf;
    const other = node === one ? two : one;
    node.datapath.nextHops.upsert([[tunnel, { ...baseNextHop, kind: 'tunnel', remote: parseAddress(other.address), vrf }]]);
    const far = node === one ? [tenant.c.address, tenant.alias.c] : [tenant.a, tenant.b].map(({ address }) => address).concat(tenant.alias.a, tenant.alias.b);
    for (const address of far) node.setRoute(address, tunnel, address.startsWith('198.18.') ? [vrf] : [vrf, fabricVrf]);
    setTenantService(node, vrf, [tenant.alias.b, tenant.alias.c]);
  }
  return tenant;
}

/** The same address and port in each tenant's VRF, with its own pods. */
function setTenantService({ datapath }: Node, vrf: number, backends: readonly string[]): void {
  const { address, port } = tenantService;
  const id = 100 + vrf;
  const value = { ...baseService, id, slotCount: backends.length };
  datapath.backends.upsert(backends.map((each, slot) => [{ service: id, slot }, { address: parseAddress(each), port: serverPort, vrf }]));
  datapath.services.upsert([tcp, udp].map((protocol) => [{ vrf, address: parseAddress(address), protocol, port }, value]));
}
