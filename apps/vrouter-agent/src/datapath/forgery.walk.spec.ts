/** A pod that pretends to be another tenant's: every attempt is a drop with a reason, and nobody else notices. */
import { parseAddress } from '@contrail/net';
import type { Flow } from './port';
import { missingForLab } from './testing/lab';
import { buildArpRequest, buildFrame, type Frame, tcpFlags } from './testing/packet';
import { verdicts, Walk, type WalkPod } from './testing/walk';

const missing = missingForLab();
const describeWalk = missing === undefined ? describe : describe.skip;
const [red, blue, fabric] = [7, 8, 2];
const own = '198.18.50.5';
const peer = '198.18.50.6';
const redAlias = '198.51.100.100';
const blueAlias = '198.51.100.110';
const aliases = '198.51.100.0/24';
const gateway = '198.51.100.1';
const otherNode = '192.0.2.2';
const vxlanPort = 4789;
const gatewayMac = Uint8Array.of(0x00, 0x00, 0x5e, 0x00, 0x01, 0x00);
const arpReply = 2;

describeWalk(`a forging pod${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let walk: Walk;
  let forger: WalkPod;
  let neighbour: WalkPod;
  let victim: WalkPod;
  let victimPeer: WalkPod;

  const addTenantPod = (index: number, address: string, alias: string, vrf: number): WalkPod => {
    const addressesV4 = [address, alias].map(parseAddress);
    const pod = walk.addPod(index, { address, vrf, identity: 20 + vrf, addressesV4 });
    walk.datapath.sources.upsert([[{ ifindex: pod.ifindex, vlan: 0, prefix: { address: parseAddress(alias), length: 32 } }, true]]);
    for (const each of [vrf, fabric]) walk.setRoute(each, alias, pod.nextHop);
    return pod;
  };

  beforeAll(async () => {
    walk = await Walk.create({ flowCapacity: 1024 });
    walk.setPolicy({ policy: 1 }, 'pass', 1);
    forger = addTenantPod(1, own, redAlias, red);
    neighbour = addTenantPod(2, peer, '198.51.100.101', red);
    victim = addTenantPod(3, own, blueAlias, blue);
    victimPeer = addTenantPod(4, peer, '198.51.100.111', blue);
    // The worst case: a policy lets the forger reach every node, SNAT the outside; the cluster's own ranges are discarded there.
    walk.setNextHop(1, { kind: 'receive' });
    walk.setNextHop(2, { kind: 'tunnel', remote: parseAddress(otherNode), vrf: fabric });
    walk.setNextHop(3, { kind: 'fabric', snat: true });
    walk.setNextHop(4, { kind: 'gateway' });
    walk.setRoute(red, '192.0.2.1', 1);
    walk.setRoute(red, otherNode, 2);
    walk.setRoute(red, '0.0.0.0/0', 3);
    walk.setNextHop(5, { kind: 'discard' });
    walk.setRoute(red, aliases, 5);
    walk.setRoute(red, gateway, 4);
    walk.datapath.labelsOut.upsert([[{ vrf: fabric, identity: 20 + red }, 77]]);
    walk.datapath.nodes.upsert([
      [{ address: parseAddress('192.0.2.1') }, { self: true }],
      [{ address: parseAddress(otherNode) }, { self: false }],
    ]);
    walk.send(victim, peer);
    walk.send(victimPeer, own, { flags: tcpFlags.syn | tcpFlags.ack, sourcePort: 80, destinationPort: 40_000 });
    walk.send(victim, peer, { flags: tcpFlags.ack });
  }, 90_000);

  afterAll(() => walk.destroy(), 30_000);

  /** Everything but the time. */
  const victimFlows = async (): Promise<Array<Omit<Flow, 'idleMs'>>> =>
    (await walk.flows())
      .filter(({ zone }) => zone === victim.ifindex || zone === victimPeer.ifindex)
      .map((flow) => ({ ...flow, idleMs: 0 }));

  /** One drop for this reason in the forger's VRF, none for any in the victim's, whose flows stay as they are. */
  const refused = async (reason: string, send: () => number): Promise<void> => {
    const drops = (): number[] => [walk.dropCount(reason, red), walk.datapath.drops().filter(({ vrf }) => vrf === blue).length];
    const before = await victimFlows();
    const [own = 0, others] = drops();
    expect(send()).toBe(verdicts.drop);
    expect(drops()).toEqual([own + 1, others]);
    expect(await victimFlows()).toEqual(before);
    expect(before).toHaveLength(2);
  };
  const send = (frame: Partial<Frame>): number => walk.send(forger, peer, frame).verdict;

  describe('sources', () => {
    test.each<[string, string, Partial<Frame>]>([
      ["the victim's alias", 'source-address-spoofed', { source: blueAlias }],
      ["a neighbour's address", 'source-address-spoofed', { source: peer, destination: own }],
      ["the gateway's address", 'source-address-spoofed', { source: gateway }],
      ["the node's address", 'source-address-spoofed', { source: '192.0.2.1' }],
      ["the victim's MAC", 'source-mac-spoofed', { sourceMac: Uint8Array.of(2, 0, 0, 0, 0, 3) }],
      ["the gateway's MAC", 'source-mac-spoofed', { sourceMac: gatewayMac }],
    ])('%s', (_what, reason, frame) => refused(reason, () => send(frame)));

    test("the victim's own address is the forger's, too: packets with it stay in the forger's VRF", async () => {
      const before = await victimFlows();
      // The very tuple of the victim's connection: a new one of the forger to its own neighbour.
      expect(send({ flags: tcpFlags.syn })).toBe(verdicts.redirect);
      expect(send({ flags: tcpFlags.rst })).toBe(verdicts.redirect);
      expect(await victimFlows()).toEqual(before);
      const made = (await walk.flows()).filter(({ zone, remotePort }) => zone === forger.ifindex && remotePort === 80);
      expect(made.map(({ action }) => action)).toEqual([`encap ${neighbour.ifindex}`]);
    });

    test("the victim's alias as destination leads nowhere, while the outside is reached by SNAT", async () => {
      await refused('discard-route', () => walk.send(forger, blueAlias, { sourcePort: 9 }).verdict);
      expect(walk.send(forger, '203.0.113.9', { sourcePort: 9 }).source).toBe('192.0.2.1');
    });
  });

  describe('tunnel packets of its own, with the label of the victim', () => {
    const vxlan = Buffer.concat([Buffer.from('0800000000000800', 'hex'), Buffer.alloc(60)]);
    test.each([
      ['to another node', otherNode],
      ['to its own node', '192.0.2.1'],
      ['to the outside', '192.0.2.200'],
    ])('%s', (_what, destination) =>
      refused('forged-tunnel', () => walk.send(forger, destination, { protocol: 'udp', destinationPort: vxlanPort, payload: vxlan }).verdict));

    test('through a service that leads to the port', async () => {
      walk.setService(red, '203.0.113.10', 80, { id: 1 }, [{ address: otherNode, port: vxlanPort }]);
      await refused('forged-tunnel', () => walk.send(forger, '203.0.113.10', { protocol: 'udp', payload: vxlan }).verdict);
    });
  });

  describe('ARP', () => {
    const arp = (options: { sender: string; target: string; senderMac?: Uint8Array; operation?: number }): number => {
      const frame = buildArpRequest({ senderMac: forger.mac, ...options });
      if (options.operation !== undefined) frame.writeUInt16BE(options.operation, 20);
      return walk.runRaw('pod', forger.ifindex, frame).verdict;
    };
    test.each<[string, string, Parameters<typeof arp>[0]]>([
      ["a question from the victim's alias", 'source-address-spoofed', { sender: blueAlias, target: gateway }],
      ["an announcement of the victim's alias", 'source-address-spoofed', { sender: blueAlias, target: blueAlias }],
      ["a question with the victim's MAC", 'source-mac-spoofed', { sender: own, target: gateway, senderMac: Uint8Array.of(2, 0, 0, 0, 0, 3) }],
      ['an announcement of its own address', 'arp-ignored', { sender: own, target: own }],
      ['an answer that claims the gateway', 'arp-ignored', { sender: gateway, target: peer, operation: arpReply }],
      ["an answer that claims a neighbour's address", 'arp-ignored', { sender: peer, target: own, operation: arpReply }],
    ])('%s', (_what, reason, options) => refused(reason, () => arp(options)));
  });

  describe('ICMP', () => {
    const redirect = { protocol: 'icmp', type: 5, code: 1 } as const;
    const quote = (frame: Partial<Frame>): Buffer =>
      buildFrame({ sourceMac: forger.mac, source: peer, destination: own, protocol: 'tcp', sourcePort: 80, destinationPort: 40_123, ...frame }).subarray(14, 14 + 28);
    const error = { protocol: 'icmp', type: 3, code: 1 } as const;

    test("a redirect from the gateway's address", () => refused('source-address-spoofed', () => send({ ...redirect, source: gateway, payload: quote({}) })));
    test('a redirect from its own address', () => refused('icmp-type-not-served', () => send({ ...redirect, payload: quote({}) })));
    test('an error about a connection that it does not have', () => refused('icmp-error-unrelated', () => send({ ...error, payload: quote({}) })));
    test("an error about the victim's connection by its alias", () =>
      refused('icmp-error-unrelated', () => send({ ...error, payload: quote({ destination: blueAlias }) })));
    test('a router advertisement', () => refused('icmp-type-not-served', () => send({ protocol: 'icmp', type: 9, code: 0 })));
  });
});
