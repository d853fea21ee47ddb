/** Connections that are being opened leave a backend that left its service: by single packets through the loaded programs. */
import { missingForLab } from './testing/lab';
import { tcpFlags } from './testing/packet';
import { type Step, verdicts, Walk, type WalkPod } from './testing/walk';

const missing = missingForLab();
const describeWalk = missing === undefined ? describe : describe.skip;
const service = '203.0.113.40';

describeWalk(`a SYN that nobody answered${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let walk: Walk;
  let client: WalkPod;
  let one: WalkPod;
  let two: WalkPod;

  const serve = (...pods: WalkPod[]): void => {
    walk.setService(1, service, 80, { id: 40 }, pods.map(({ address }) => ({ address, port: 8080 })));
  };
  const syn = (): Step => walk.send(client, service);
  const sourcePorts = async (): Promise<number[]> => (await walk.flows()).map(({ localPort }) => localPort);

  beforeAll(async () => {
    walk = await Walk.create({ flowCapacity: 64 });
    walk.setPolicy({ policy: 1 }, 'pass', 1);
    client = walk.addPod(1, { address: '198.51.100.11', maxFlows: 8 });
    one = walk.addPod(2, { address: '198.51.100.12' });
    two = walk.addPod(3, { address: '198.51.100.13' });
    walk.setNextHop(1, { kind: 'receive' });
    walk.setRoute(2, one.address, one.nextHop);
    walk.setRoute(2, two.address, two.nextHop);
  }, 90_000);

  afterEach(() => walk.clear(client.ifindex, one.ifindex, two.ifindex, walk.globals.hostIfindex, walk.globals.uplinkIfindex));
  afterAll(() => walk.destroy(), 30_000);

  test('goes to another backend when it is repeated after its own left; nothing of the first try stays', async () => {
    serve(one);
    expect(syn()).toMatchObject({ verdict: verdicts.redirect, destination: one.address });
    expect(syn().destination).toBe(one.address);
    serve(two);
    expect(syn()).toMatchObject({ verdict: verdicts.redirect, destination: two.address, checksumsAreRight: true });
    expect(await sourcePorts()).toEqual([40_000, 8080]);
    expect(walk.datapath.vifFlows(client.ifindex, 0)).toBe(2);
  });

  test('keeps its backend while that is in the service, whoever else comes', async () => {
    serve(one, one);
    syn();
    const before = await walk.flows();
    serve(one, one, one);
    expect(syn().destination).toBe(one.address);
    const after = await walk.flows();
    expect(after.map(({ packetsOut }) => packetsOut)).toEqual(before.map(({ packetsOut }, index) => packetsOut + (index === 0 ? 1n : 0n)));
  });

  test('is refused at once when no backend is left', () => {
    serve(one);
    syn();
    serve();
    expect(syn()).toMatchObject({ verdict: verdicts.redirect, source: service, destination: client.address, flags: tcpFlags.rst | tcpFlags.ack });
  });

  test('and one that was answered stays where it is: its ends decide', () => {
    serve(one);
    syn();
    const answer = { sourcePort: 8080, destinationPort: 40_000, flags: tcpFlags.syn | tcpFlags.ack };
    expect(walk.send(one, client.address, answer)).toMatchObject({ verdict: verdicts.redirect, source: service });
    serve(two);
    expect(syn().destination).toBe(one.address);
    expect(walk.send(client, service, { flags: tcpFlags.ack }).destination).toBe(one.address);
  });

  test('of a client of a hostPort, and of the node itself, moves as well', () => {
    const fromUplink = (): Step =>
      walk.run('uplink', walk.globals.uplinkIfindex, {
        ...{ sourceMac: Uint8Array.of(2, 9, 9, 9, 9, 9), source: '192.0.2.77', destination: '192.0.2.1' },
        ...{ protocol: 'tcp', sourcePort: 5000, destinationPort: 30_080 },
      });
    const fromNode = (): Step =>
      walk.run('host', walk.globals.hostIfindex, {
        ...{ sourceMac: Uint8Array.of(2, 0, 0, 0, 0, 99), source: '192.0.2.1', destination: service },
        ...{ protocol: 'tcp', sourcePort: 6000, destinationPort: 80 },
      });
    const publish = ({ address }: WalkPod): void => {
      walk.setService(2, '192.0.2.1', 30_080, { id: 41, hostPort: true }, [{ address, port: 8080 }]);
      walk.setService(2, service, 80, { id: 42 }, [{ address, port: 8080 }]);
    };
    publish(one);
    expect([fromUplink().destination, fromNode().destination]).toEqual([one.address, one.address]);
    publish(two);
    expect([fromUplink().destination, fromNode().destination]).toEqual([two.address, two.address]);
  });
});
