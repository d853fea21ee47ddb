/** A pod goes and another tenant's gets its address at once: by single packets through the loaded programs. */
import { parseAddress } from '@contrail/net';
import { missingForLab } from './testing/lab';
import { tcpFlags } from './testing/packet';
import { verdicts, Walk, type WalkPod } from './testing/walk';

const missing = missingForLab();
const describeWalk = missing === undefined ? describe : describe.skip;
const address = '198.51.100.12';
const service = '203.0.113.50';
const podIdentity = 10;
const otherIdentity = 30;
const friendOnly = 5;
const udp = 17;

describeWalk(`an address that is another tenant's now${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let walk: Walk;
  let client: WalkPod;
  let friend: WalkPod;
  const established = { flags: tcpFlags.ack };

  /** As the agent does: closes the interface, ends its flows, and moves route and backend to the new one. */
  const replace = async (old: WalkPod): Promise<WalkPod> => {
    walk.datapath.vifs.remove([{ ifindex: old.ifindex, vlan: 0 }]);
    walk.datapath.removeFlows(old.ifindex, 0);
    const next = walk.addPod(8, { address, identity: otherIdentity, policy: friendOnly });
    walk.setService(1, service, 80, { id: 50 }, [{ address: friend.address, port: 80 }]);
    walk.datapath.removeFlowsToBackend(1, parseAddress(address), 80, udp);
    walk.setGlobals({ generation: walk.globals.generation + 1 });
    await walk.datapath.flowTable.settled();
    return next;
  };

  beforeAll(async () => {
    walk = await Walk.create({ flowCapacity: 256 });
    walk.setPolicy({ policy: 1 }, 'pass', 1);
    // The new owner lets nobody in but those of an identity that none of the old one's peers has.
    walk.setPolicy({ policy: friendOnly, peerIdentity: 77, direction: 'ingress' }, 'pass', 2);
    client = walk.addPod(1, { address: '198.51.100.11', identity: podIdentity });
    friend = walk.addPod(3, { address: '198.51.100.13', identity: podIdentity });
  }, 90_000);

  afterAll(() => walk.destroy(), 30_000);

  test('gets no packet of the old connections, neither directly nor through a service, and sends none', async () => {
    const old = walk.addPod(2, { address, identity: podIdentity });
    walk.setService(1, service, 80, { id: 50 }, [{ address, port: 80 }]);
    const answer = { ...established, sourcePort: 80, destinationPort: 40_000 };
    expect(walk.send(client, address).verdict).toBe(verdicts.redirect);
    expect(walk.send(old, client.address, answer).verdict).toBe(verdicts.redirect);
    expect(walk.send(client, service, { sourcePort: 5 }).destination).toBe(address);
    expect(walk.send(client, service, { sourcePort: 6, protocol: 'udp' }).destination).toBe(address);
    expect(walk.send(client, address, established).verdict).toBe(verdicts.redirect);

    const next = await replace(old);

    expect(walk.send(client, address, established).verdict).toBe(verdicts.drop);
    expect(walk.send(client, address, { sourcePort: 41_000 }).verdict).toBe(verdicts.drop);
    // Connections to the service go on at whom the service has now.
    expect(walk.send(client, service, { sourcePort: 5 }).destination).toBe(friend.address);
    expect(walk.send(client, service, { sourcePort: 6, protocol: 'udp' }).destination).toBe(friend.address);
    // The new owner cannot speak into what the old one had open.
    expect(walk.send(next, client.address, answer).verdict).toBe(verdicts.drop);
    expect(walk.dropCount('policy-ingress', 1)).toBe(2);
    expect((await walk.flows()).filter(({ zone }) => zone === old.ifindex || zone === next.ifindex)).toEqual([]);
  });
});
