/** Rules between networks, as control compiles them, through the loaded programs: single packets, one node. */
import { any, compileConnections } from '@contrail/policy';
import type { ConnectionRow, NetworkPart, NetworkRule } from '@contrail/policy';
import type { DropEvent, PolicyDirection, PolicyKey, PolicyValue } from './port';
import { missingForLab } from './testing/lab';
import { tcpFlags } from './testing/packet';
import { verdicts, Walk, type WalkPod } from './testing/walk';

const missing = missingForLab();
const describeWalk = missing === undefined ? describe : describe.skip;
const [redVrf, blueVrf] = [1, 7];
const [redIdentity, blueIdentity] = [10, 20];
const [redPolicy, bluePolicy] = [2, 3];
const clusterIp = '203.0.113.10';
/** Numbers of rules of the receiver begin here. */
const receiverRules = 1000;

type Row = readonly [PolicyKey, PolicyValue];

describeWalk(`policies between networks${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let walk: Walk;
  let red: WalkPod;
  let blue: WalkPod;
  let rows: readonly Row[] = [];
  const drops: DropEvent[] = [];
  const raiseGeneration = (): void => walk.setGlobals({ generation: walk.globals.generation + 1 });
  const passes = (from: WalkPod, to: string, port: number, protocol: 'tcp' | 'udp' = 'tcp', flags: number = tcpFlags.syn): boolean =>
    walk.send(from, to, { protocol, flags, destinationPort: port, sourcePort: 30_000 + port }).verdict === verdicts.redirect;

  /** The tables of both networks when one policy of theirs has these rules. */
  const setRules = (...rules: NetworkRule[]): void => {
    const partOf = (name: string): NetworkPart => ({ network: { name, policies: [{ name: 'web', rules }] }, prefixes: [] });
    const [ofRed, ofBlue] = [partOf('red'), partOf('blue')];
    const [out, back] = [compileConnections(ofRed, ofBlue), compileConnections(ofBlue, ofRed)];
    walk.datapath.policies.remove(rows.map(([key]) => key));
    rows = [
      ...toRows({ policy: redPolicy, direction: 'egress', peerIdentity: blueIdentity }, out),
      ...toRows({ policy: redPolicy, direction: 'ingress', peerIdentity: blueIdentity }, back, receiverRules),
      ...toRows({ policy: bluePolicy, direction: 'egress', peerIdentity: redIdentity }, back),
      ...toRows({ policy: bluePolicy, direction: 'ingress', peerIdentity: redIdentity }, out, receiverRules),
    ];
    walk.datapath.policies.upsert(rows);
    raiseGeneration();
  };

  beforeAll(async () => {
    walk = await Walk.create({ flowCapacity: 1024 });
    walk.datapath.onDrop((event) => drops.push(event));
    walk.setPolicy({ policy: redPolicy }, 'pass');
    walk.setPolicy({ policy: bluePolicy }, 'pass');
    red = walk.addPod(1, { address: '198.51.100.11', vrf: redVrf, identity: redIdentity, policy: redPolicy });
    blue = walk.addPod(2, { address: '192.0.2.130', vrf: blueVrf, identity: blueIdentity, policy: bluePolicy });
    walk.setRoute(redVrf, blue.address, blue.nextHop, blueIdentity);
    walk.setRoute(blueVrf, red.address, red.nextHop, redIdentity);
  }, 90_000);

  beforeEach(() => setRules(rule({ protocol: 6, ports: [{ first: 80, last: 81 }] })));

  afterEach(() => walk.clear(red.ifindex, blue.ifindex));

  afterAll(() => walk.destroy(), 30_000);

  test('let exactly the named ports through, one way; answers need no rule', () => {
    expect([79, 80, 81, 82].filter((port) => passes(red, blue.address, port))).toEqual([80, 81]);
    expect(passes(red, blue.address, 80, 'udp')).toBe(false);
    const answer = walk.send(blue, red.address, { flags: tcpFlags.syn | tcpFlags.ack, sourcePort: 80, destinationPort: 30_080 });
    expect(answer.verdict).toBe(verdicts.redirect);
    expect(passes(blue, red.address, 80)).toBe(false);
  });

  test('count what they drop, and say which rule did', async () => {
    const before = walk.dropCount('policy-egress', redVrf);
    expect(passes(red, blue.address, 443)).toBe(false);
    expect(walk.dropCount('policy-egress', redVrf)).toBe(before + 1);
    await new Promise((resolve) => setTimeout(resolve, 250));
    const event = drops.find(({ destinationPort }) => destinationPort === 443);
    // The first row: what no rule names.
    expect(event).toMatchObject({ reasonName: 'policy-egress', rule: 1 });
  });

  test('are enforced by the receiver, too', () => {
    walk.datapath.policies.remove(rows.filter(([{ policy }]) => policy === redPolicy).map(([key]) => key));
    const before = walk.dropCount('policy-ingress');
    expect(passes(red, blue.address, 443)).toBe(false);
    expect(walk.dropCount('policy-ingress')).toBe(before + 1);
    expect(passes(red, blue.address, 80)).toBe(true);
  });

  test('reach live connections: one that is denied now is cut, both ways, the other stays', () => {
    expect([80, 81].map((port) => passes(red, blue.address, port))).toEqual([true, true]);
    setRules(rule({ protocol: 6, ports: [{ first: 81, last: 81 }] }));
    const [ack, answer] = [tcpFlags.ack, { flags: tcpFlags.ack, sourcePort: 80, destinationPort: 30_080 }];
    expect([80, 81].map((port) => passes(red, blue.address, port, 'tcp', ack))).toEqual([false, true]);
    expect(walk.send(blue, red.address, answer).verdict).toBe(verdicts.drop);
  });

  describe('a service into the other network', () => {
    const ingress = (): Row[] => toRows({ policy: bluePolicy, direction: 'ingress', peerIdentity: redIdentity }, [passRow]);
    const toService = (): Row[] => toRows({ policy: redPolicy, direction: 'egress-to-service', peerIdentity: 0 }, [passRow]);
    const ack = tcpFlags.ack;

    beforeEach(() => {
      walk.setService(redVrf, clusterIp, 443, { id: 10 }, [{ address: blue.address, port: 8443, vrf: blueVrf }]);
      // As control says it: the receiver accepts networks from which services lead to it.
      walk.datapath.policies.remove(rows.filter(([{ policy, direction }]) => policy === bluePolicy && direction === 'ingress').map(([key]) => key));
      walk.datapath.policies.upsert(ingress());
    });

    afterEach(() => {
      walk.datapath.policies.remove([...ingress(), ...toService()].map(([key]) => key));
    });

    test('is called past the rules between the networks, and its pods are not', () => {
      walk.datapath.policies.upsert(toService());
      expect(passes(red, clusterIp, 443)).toBe(true);
      expect(passes(red, blue.address, 8443)).toBe(false);
      raiseGeneration();
      expect(passes(red, clusterIp, 443, 'tcp', ack)).toBe(true);
    });

    test('is judged as egress where the table says nothing of services', () => {
      expect(passes(red, clusterIp, 443)).toBe(false);
      walk.datapath.policies.upsert(toService());
      expect(passes(red, clusterIp, 443)).toBe(true);
      walk.datapath.policies.remove(toService().map(([key]) => key));
      raiseGeneration();
      expect(passes(red, clusterIp, 443, 'tcp', ack)).toBe(false);
    });
  });
});

/** From red to blue. */
function rule(change: Pick<NetworkRule, 'protocol' | 'ports'>): NetworkRule {
  return {
    name: 'web rule 1',
    isBothWays: false,
    sources: [{ networks: { kind: 'network', name: 'red' }, prefixes: [] }],
    destinations: [{ networks: { kind: 'network', name: 'blue' }, prefixes: [] }],
    sourcePorts: undefined,
    verdict: 'pass',
    ...change,
  };
}

const passRow: ConnectionRow = { protocol: any, ports: { port: 0, length: 0 }, verdict: 'pass', name: '' };

function toRows(
  key: { readonly policy: number; readonly direction: PolicyDirection; readonly peerIdentity: number },
  connections: readonly ConnectionRow[],
  firstRule = 0,
): Row[] {
  return connections.map(({ protocol, ports, verdict }, i) => [
    { ...key, protocol, port: ports.port, portLength: ports.length },
    { verdict, rule: firstRule + i + 1 },
  ]);
}
