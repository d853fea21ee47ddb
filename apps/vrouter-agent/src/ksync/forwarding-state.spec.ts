import fc from 'fast-check';
import type { Entry } from '@contrail/proto-gen/control/v1/messages';
import type { FakeDatapath } from '../datapath/testing/fake-datapath';
import { datapathContent, orphanRows } from '../testing/datapath-content';
import * as make from '../testing/entries';
import { newDatapath, newState } from '../testing/fixture';
import type { ForwardingState } from './forwarding-state';

const device = (ifindex: number) => ({ ifindex, mtu: 1450, hostPorts: [] });

/** A node with two pods, a remote pod, services and ECMP; every kind of entry. */
const world: Entry[] = [
  make.globalEntry(),
  make.nodeEntry('node1', '192.0.2.1'),
  make.nodeEntry('node2', '192.0.2.2'),
  make.vrfEntry(make.fabricVrf),
  make.vrfEntry(make.podVrf, '10.47.255.254'),
  make.labelEntry(70, make.podVrf, 40),
  make.policyEntry(make.policyId, { rules: [make.denyRule(443, 9)] }),
  make.interfaceEntry(1),
  make.interfaceEntry(2, {
    hostPorts: [{ protocol: 6, hostPort: 8080, containerPort: 80, hostAddress: Buffer.alloc(0) }],
  }),
  make.routeEntry(make.podVrf, '10.32.0.1/32', make.interfacePath('node1', 1)),
  make.routeEntry(make.podVrf, '10.32.0.2/32', make.interfacePath('node1', 2)),
  make.routeEntry(make.podVrf, '10.32.0.3/32', make.interfacePath('node2', 3)),
  make.routeEntry(make.podVrf, '0.0.0.0/0', make.fabricPath()),
  make.routeEntry(make.podVrf, '10.40.0.0/16', make.interfacePath('node1', 1), make.interfacePath('node2', 3)),
  make.routeEntry(make.podVrf, '192.0.2.2/32', make.nodePath('node2')),
  make.serviceEntry('10.96.0.1', [make.backend(1), make.backend(2), make.backend(3)]),
  make.serviceEntry('10.96.0.2', []),
];

function synced(entries: Entry[] = world): { datapath: FakeDatapath; state: ForwardingState } {
  const datapath = newDatapath();
  const state = newState(datapath);
  state.beginSnapshot();
  state.applyBatch(make.batch(1, entries));
  state.endSnapshot(1n);
  return { datapath, state };
}

/** Without the rows that mark addresses. */
function serviceCount(datapath: FakeDatapath): number {
  return datapath.services.dump().filter(([{ protocol }]) => protocol !== 0).length;
}

describe('ForwardingState', () => {
  it('writes nothing before the first InSync', () => {
    const datapath = newDatapath();
    const state = newState(datapath);
    state.beginSnapshot();
    state.applyBatch(make.batch(1, world));
    expect(datapathContent(datapath)).toEqual([]);
    expect(state.progress()).toBeUndefined();
    state.endSnapshot(1n);
    expect(datapathContent(datapath).length).toBeGreaterThan(15);
    expect(state.progress()).toEqual({ revision: 1n, sequence: 1n, exceptions: [] });
  });

  it('derives the MTU from the uplink and attaches programs to the devices of the node', () => {
    const { datapath } = synced();
    expect(datapath.devices.tunnelMtu).toBe(1450);
    expect([...datapath.attached]).toEqual([[2, 'uplink'], [1, 'loopback'], [3, 'tunnel'], [4, 'host']]);
    expect(datapath.globals).toMatchObject({ fabricVrf: make.fabricVrf, hostIfindex: 4, uplinkIfindex: 2 });
  });

  it('follows the MTU of the uplink: devices, what is answered as too big, and new pods', () => {
    const { datapath, state } = synced();
    state.setDevice(make.vmiUuid(1), device(100));
    const [uplink] = datapath.devices.uplinks;
    if (!uplink) throw new Error('no uplink');
    state.followUplink();
    expect(datapath.globals).toMatchObject({ uplinkMtu: 1500, tunnelMtu: 1450 });
    datapath.attached.clear();
    uplink.mtu = 9000;
    state.followUplink();
    expect(datapath.devices).toMatchObject({ tunnelMtu: 8950, hostMtu: 8950 });
    expect(datapath.globals).toMatchObject({ uplinkMtu: 9000, tunnelMtu: 8950 });
    expect(state.desired.local.podMtu).toBe(8950);
    // The pod that was there keeps its device as it is.
    expect(datapath.vifs.get({ ifindex: 100, vlan: 0 })?.mtu).toBe(1450);
    expect(datapath.attached.get(100)).toBe('pod');
  });

  it('keeps the devices while the node address is away', () => {
    const { datapath, state } = synced();
    datapath.devices.uplinks.length = 0;
    state.followUplink();
    expect(state.nodeProblem).toBeUndefined();
    expect(datapath.devices.tunnelMtu).toBe(1450);
  });

  it('programs an interface when its device appears and closes it when it goes', () => {
    const { datapath, state } = synced();
    const before = datapathContent(datapath);
    state.setDevice(make.vmiUuid(1), device(100));
    expect(state.holdsInterface(make.vmiUuid(1))).toBe(true);
    expect(datapath.vifs.get({ ifindex: 100, vlan: 0 })).toMatchObject({ vrf: make.podVrf, policy: make.policyId });
    state.removeDevice(make.vmiUuid(1));
    expect(datapathContent(datapath)).toEqual(before);
    expect(orphanRows(datapath)).toEqual([]);
  });

  it('drops everything of an interface whose policy table has not come', () => {
    const { datapath, state } = synced();
    state.applyBatch(make.batch(2, [], [make.keyOf(make.policyEntry(make.policyId))]));
    state.setDevice(make.vmiUuid(1), device(100));
    expect(datapath.vifs.get({ ifindex: 100, vlan: 0 })?.policy).toBe(0);
    state.applyBatch(make.batch(3, [make.policyEntry(make.policyId)]));
    expect(datapath.vifs.get({ ifindex: 100, vlan: 0 })?.policy).toBe(make.policyId);
  });

  it('judges live flows again when a policy in use changes, and only then', () => {
    const { datapath, state } = synced();
    state.setDevice(make.vmiUuid(1), device(100));
    const generation = datapath.globals?.generation;
    state.applyBatch(make.batch(2, [make.policyEntry(77)]));
    expect(datapath.globals?.generation).toBe(generation);
    state.applyBatch(make.batch(3, [make.policyEntry(make.policyId, { rules: [make.denyRule(80, 10)] })]));
    expect(datapath.globals?.generation).toBe((generation ?? 0) + 1);
  });

  it('judges live flows again when an attached interface leaves a VRF, a service goes, or a backend changes its VRF', () => {
    const { datapath, state } = synced();
    const raised = (apply: () => void): boolean => {
      const before = datapath.globals?.generation;
      apply();
      return datapath.globals?.generation !== before;
    };
    const own = make.routeEntry(9, '10.32.0.1/32', make.interfacePath('node1', 1));
    const remote = make.routeEntry(9, '10.32.0.9/32', make.interfacePath('node2', 9));
    const service = (vrf: number) => make.serviceEntry('10.96.0.9', [make.backend(1, { vrf })]);
    state.setDevice(make.vmiUuid(1), device(100));
    expect(raised(() => state.applyBatch(make.batch(2, [own, remote, service(make.podVrf)])))).toBe(false);
    expect(raised(() => state.applyBatch(make.batch(3, [service(9)])))).toBe(true);
    expect(raised(() => state.applyBatch(make.batch(4, [], [make.keyOf(remote)])))).toBe(false);
    expect(raised(() => state.applyBatch(make.batch(5, [], [make.keyOf(own)])))).toBe(true);
    expect(raised(() => state.applyBatch(make.batch(6, [], [make.keyOf(service(9))])))).toBe(true);
  });

  it('judges live flows again when an end on another node leaves a VRF, but not when it is gone', () => {
    const { datapath, state } = synced();
    const route = (vrf: number, n: number) => make.routeEntry(vrf, `10.32.1.${n}/32`, make.interfacePath('node2', n));
    const vrfs = [make.podVrf, make.fabricVrf];
    state.applyBatch(make.batch(2, [8, 9].flatMap((n) => vrfs.map((vrf) => route(vrf, n)))));
    const generation = datapath.globals?.generation ?? 0;
    state.applyBatch(make.batch(3, [], vrfs.map((vrf) => make.keyOf(route(vrf, 9)))));
    expect(datapath.globals?.generation).toBe(generation);
    state.applyBatch(make.batch(4, [], [make.keyOf(route(make.podVrf, 8))]));
    expect(datapath.globals?.generation).toBe(generation + 1);
  });

  it('judges live flows again when the way out of a VRF goes', () => {
    const { datapath, state } = synced();
    const way = make.routeEntry(make.podVrf, '0.0.0.0/0', make.fabricPath());
    state.applyBatch(make.batch(2, [way]));
    const generation = datapath.globals?.generation ?? 0;
    state.applyBatch(make.batch(3, [], [make.keyOf(way)]));
    expect(datapath.globals?.generation).toBe(generation + 1);
  });

  it('forgets what a new snapshot does not mention, when it is complete', () => {
    const { datapath, state } = synced();
    const [removed, ...kept] = [...world].reverse();
    state.beginSnapshot();
    state.applyBatch(make.batch(9, kept.reverse()));
    expect(serviceCount(datapath)).toBe(2);
    expect(state.progress()).toBeUndefined();
    state.endSnapshot(9n);
    expect(removed?.kind?.$case).toBe('service');
    expect(serviceCount(datapath)).toBe(1);
    expect(state.progress()?.revision).toBe(9n);
  });

  it('reports a malformed entry, keeps its last good rows, and programs the others', () => {
    const { datapath, state } = synced();
    const bad = make.serviceEntry('10.96.0.1', [make.backend(1, { address: Buffer.alloc(3) })]);
    state.applyBatch(make.batch(2, [bad, make.routeEntry(make.podVrf, '10.32.0.9/32', make.fabricPath())]));
    expect(state.progress()).toEqual({
      revision: 2n,
      sequence: 2n,
      exceptions: [
        { key: `service/${make.podVrf}/10.96.0.1/6/80`, reason: 'service.backends.address: has 3 bytes; an address has 4 or 16' },
      ],
    });
    expect(serviceCount(datapath)).toBe(2);
    expect(datapath.hostRoutes.dump().some(([key]) => key.address[3] === 9)).toBe(true);
    state.applyBatch(make.batch(3, [world[15] ?? {  kind: undefined }]));
    expect(state.progress()?.exceptions).toEqual([]);
  });

  it('reports rows that do not fit and writes them when there is room', () => {
    const { datapath, state } = synced();
    datapath.labelsIn.capacity = 1;
    state.applyBatch(make.batch(2, [make.labelEntry(71, make.podVrf, 41), make.vrfEntry(8)]));
    expect(state.progress()?.exceptions.map(({ key }) => key)).toEqual(['label/71']);
    expect(datapath.vrfs.get(8)).toBeDefined();
    datapath.labelsIn.capacity = 10;
    state.applyBatch(make.batch(3, []));
    expect(datapath.labelsIn.get(71)).toMatchObject({ identity: 41 });
    expect(state.progress()?.exceptions).toEqual([]);
    state.stop();
  });

  it('removes UDP flows to a backend that left, and no others', () => {
    const udp = { vrf: make.podVrf, address: make.bytes('10.96.0.53'), protocol: 17, port: 53 };
    const { datapath, state } = synced();
    const removed: string[] = [];
    datapath.removeFlowsToBackend = (vrf, address, port, protocol) => {
      removed.push(`${vrf} ${Buffer.from(address).join('.')} ${port} ${protocol}`);
    };
    state.applyBatch(make.batch(2, [make.serviceEntry('10.96.0.53', [make.backend(1), make.backend(2)], { key: udp })]));
    state.applyBatch(make.batch(3, [make.serviceEntry('10.96.0.53', [make.backend(2)], { key: udp })]));
    state.applyBatch(make.batch(4, [make.serviceEntry('10.96.0.1', [make.backend(2)])]));
    expect(removed).toEqual([`${make.podVrf} 10.32.0.1 8080 17`]);
  });
});

describe('restart', () => {
  it('removes nothing before InSync and writes nothing when nothing changed', () => {
    const { datapath, state } = synced();
    state.setDevice(make.vmiUuid(1), device(100));
    state.stop();
    const before = datapathContent(datapath);
    const numbers = datapath.nextHops.dump().map(([id]) => id).sort();
    const tables = [datapath.vifs, datapath.hostRoutes, datapath.prefixRoutes, datapath.nextHops, datapath.composites];
    const more = [datapath.services, datapath.backends, datapath.policies, datapath.sources, datapath.labelsIn];
    for (const table of [...tables, ...more]) table.writeCount = 0;

    const restarted = newState(datapath);
    restarted.beginSnapshot();
    restarted.setDevice(make.vmiUuid(1), device(100));
    restarted.applyBatch(make.batch(5, [...world].reverse()));
    expect(datapathContent(datapath)).toEqual(before);
    restarted.endSnapshot(5n);
    expect(datapathContent(datapath)).toEqual(before);
    expect(datapath.nextHops.dump().map(([id]) => id).sort()).toEqual(numbers);
    expect([...tables, ...more].map((table) => `${table.name} ${table.writeCount}`)).toEqual(
      [...tables, ...more].map((table) => `${table.name} 0`),
    );
  });

  it('sweeps what went while it was away', () => {
    const { datapath, state } = synced();
    state.stop();
    const restarted = newState(datapath);
    restarted.beginSnapshot();
    restarted.applyBatch(make.batch(5, world.slice(0, 7)));
    restarted.endSnapshot(5n);
    expect(datapathContent(datapath)).toEqual(datapathContent(synced(world.slice(0, 7)).datapath));
    expect(orphanRows(datapath)).toEqual([]);
  });

  it('closes a detached interface at once, even without control', () => {
    const { datapath, state } = synced();
    state.setDevice(make.vmiUuid(1), device(100));
    state.stop();
    const restarted = newState(datapath);
    restarted.setDevice(make.vmiUuid(1), device(100));
    restarted.removeDevice(make.vmiUuid(1));
    expect(datapath.vifs.get({ ifindex: 100, vlan: 0 })).toBeUndefined();
    expect(serviceCount(datapath)).toBe(2);
  });
});

describe('state paths', () => {
  type Step = { kind: 'put' | 'remove'; index: number } | { kind: 'attach' | 'detach'; n: number } | { kind: 'snapshot' };
  const variants: Entry[] = [
    ...world,
    make.nodeEntry('node2', '192.0.2.22'),
    make.routeEntry(make.podVrf, '10.40.0.0/16', make.interfacePath('node2', 3), make.interfacePath('node1', 2, 200)),
    make.routeEntry(make.podVrf, '10.47.255.254/32', make.interfacePath('node2', 3)),
    make.serviceEntry('10.96.0.1', [make.backend(2), make.backend(4, { ready: false, terminating: true })]),
    make.serviceEntry('10.96.0.2', [make.backend(4, { ready: false, terminating: true }), make.backend(5, { node: 'node2' })]),
    make.interfaceEntry(1, { policy: 99, allowedSources: [make.prefix('198.51.100.0/24')] }),
    make.vrfEntry(make.podVrf, '10.47.255.253'),
    make.nodeEntry('node3', '192.0.2.22'),
  ];
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 8, arbitrary: fc.record({ kind: fc.constantFrom('put' as const, 'remove' as const), index: fc.nat(variants.length - 1) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('attach' as const, 'detach' as const), n: fc.integer({ min: 1, max: 2 }) }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'snapshot' as const }) },
  );

  it('end at the content that the same entries have from scratch, without orphans', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const datapath = newDatapath();
        const state = newState(datapath);
        state.beginSnapshot();
        state.applyBatch(make.batch(1, [make.globalEntry()]));
        state.endSnapshot(1n);
        for (const [i, one] of steps.entries()) take(state, one, i + 2);

        const fresh = newDatapath();
        const scratch = newState(fresh);
        scratch.beginSnapshot();
        scratch.applyBatch(make.batch(1, state.desired.entries.kinds().map((kind) => ({ kind }))));
        for (const n of [1, 2]) {
          const attached = state.desired.device(make.vmiUuid(n));
          if (attached) scratch.setDevice(make.vmiUuid(n), attached);
        }
        scratch.endSnapshot(1n);
        expect(datapathContent(datapath)).toEqual(datapathContent(fresh));
        // The next hop of a route that a gateway address hides is kept: the route may show again.
        expect(orphanRows(datapath).filter((row) => !row.startsWith('next hop'))).toEqual([]);
        expect(datapathContent(datapath).filter((line) => line.includes('missing'))).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  function take(state: ForwardingState, one: Step, revision: number): void {
    switch (one.kind) {
      case 'put': {
        const entry = variants[one.index];
        return state.applyBatch(make.batch(revision, entry ? [entry] : []));
      }
      case 'remove': {
        const entry = variants[one.index];
        return state.applyBatch(make.batch(revision, [], entry ? [make.keyOf(entry)] : []));
      }
      case 'attach':
        return state.setDevice(make.vmiUuid(one.n), device(100 + one.n));
      case 'detach':
        return state.removeDevice(make.vmiUuid(one.n));
      case 'snapshot': {
        state.beginSnapshot();
        const entries = state.desired.entries.kinds().map((kind) => ({ kind }));
        state.applyBatch(make.batch(revision, entries.filter((_, i) => i === 0 || i % 3 !== 0)));
        return state.endSnapshot(BigInt(revision));
      }
    }
  }
});
