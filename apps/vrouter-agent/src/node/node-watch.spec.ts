import type { FakeDatapath } from '../datapath/testing/fake-datapath';
import type { ForwardingState } from '../ksync/forwarding-state';
import * as make from '../testing/entries';
import { newDatapath, newState } from '../testing/fixture';
import type { Loss } from './node-sync';
import { NodeWatch } from './node-watch';

const pod = 100;
const guardLooks = 5;
let datapath: FakeDatapath;
let state: ForwardingState;
let watch: NodeWatch;
let losses: Loss[];

beforeEach(() => {
  datapath = newDatapath();
  datapath.devices.ensureGuard();
  state = newState(datapath);
  const request = {
    netnsPath: '/x', containerInterface: 'eth0', hostInterface: 'tap1', mac: new Uint8Array(6), addresses: [],
    gatewayV4: undefined, gatewayV6: undefined, sourceRoutes: [], mtu: 1450,
  };
  datapath.devices.createPodInterface(request);
  state.setDevice(make.vmiUuid(1), { ifindex: pod, mtu: 1450, hostPorts: [] });
  losses = [];
  watch = new NodeWatch(datapath.devices, state, (found) => losses.push(...found));
});

afterEach(() => state.stop());

function sync(): void {
  state.beginSnapshot();
  state.applyBatch(make.batch(1, [make.globalEntry(), make.nodeEntry('node1', '192.0.2.1'), make.interfaceEntry(1)]));
  state.endSnapshot(1n);
}

function look(times: number): void {
  for (let i = 0; i < times; i += 1) watch.look();
}

describe('NodeWatch', () => {
  it('attaches the program of an interface again when the kernel tells that it went', () => {
    sync();
    datapath.detach(pod);
    look(guardLooks);
    expect(datapath.attached.get(pod)).toBeUndefined();
    datapath.devices.disturbed = new Set([pod]);
    expect(losses).toEqual([]);
    look(1);
    expect(datapath.attached.get(pod)).toBe('pod');
    expect(losses).toMatchObject([{ kind: 'program', object: expect.stringContaining(`${pod}`) as string, found: undefined }]);
  });

  it('looks at every interface when the guard stopped a packet', () => {
    sync();
    look(guardLooks);
    datapath.detach(pod);
    datapath.devices.guard = { packets: 1n, bytes: 60n };
    look(guardLooks);
    expect(datapath.attached.get(pod)).toBe('pod');
  });

  it('makes the guard again when somebody removed it', () => {
    sync();
    datapath.devices.guard = undefined;
    look(guardLooks);
    expect(datapath.devices.guardDrops()).toEqual({ packets: 0n, bytes: 0n });
  });

  it('makes a tunnel again that was deleted, and programs it', () => {
    sync();
    datapath.detach(3);
    datapath.devices.tunnelIfindex = 33;
    datapath.devices.disturbed = new Set([3]);
    look(1);
    expect(datapath.attached.get(33)).toBe('tunnel');
    expect(datapath.globals?.tunnelIfindex).toBe(33);
    expect(losses.map(({ kind }) => kind)).toContain('program');
  });

  it('takes a recreated uplink, also when its address comes later', () => {
    jest.useFakeTimers();
    try {
      sync();
      const [uplink] = datapath.devices.uplinks.splice(0);
      datapath.detach(2);
      datapath.devices.disturbed = new Set([2]);
      look(1);
      expect(state.nodeProblem).toContain('none has the address');
      if (uplink) datapath.devices.uplinks.push({ ...uplink, ifindex: 22 });
      jest.advanceTimersByTime(1000);
      expect(state.nodeProblem).toBeUndefined();
      expect(datapath.attached.get(22)).toBe('uplink');
      expect(datapath.globals?.uplinkIfindex).toBe(22);
    } finally {
      jest.useRealTimers();
    }
  });

  it('leaves everything alone before the first InSync: older programs forward', () => {
    datapath.devices.disturbed = 'all';
    look(guardLooks * 2);
    expect(datapath.attached.size).toBe(0);
  });
});
