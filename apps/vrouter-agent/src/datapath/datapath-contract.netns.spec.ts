/** What every implementation of the port's tables does: the kernel's and the one in memory. */
import { ContrailError } from '@contrail/errors';
import { parseAddress } from '@contrail/net';
import type { Datapath, Table } from './port';
import { FakeDatapath } from './testing/fake-datapath';
import { baseNextHop, baseService, missingForLab } from './testing/lab';
import { Walk } from './testing/walk';

const v4 = parseAddress('198.51.100.7');
const v6 = parseAddress('2001:db8::7');

/** Entries of one table; the second of each pair has another value for the same key. */
interface Case<K, V> {
  readonly table: (datapath: Datapath) => Table<K, V>;
  readonly entries: ReadonlyArray<readonly [K, V]>;
  readonly changed: V;
}

const define = <K, V>(each: Case<K, V>): Case<K, V> => each;
const bytes = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);
const vif = {
  kind: 'pod',
  vrf: 1,
  identity: 2,
  policy: 3,
  portSecurity: true,
  mac: bytes(6, 4),
  mtu: 1450,
  maxFlows: 5,
  uuid: bytes(16, 6),
  addressesV4: [bytes(4, 7), bytes(4, 8)],
} as const;

const cases = {
  vifs: define({
    table: (datapath) => datapath.vifs,
    entries: [
      [{ ifindex: 1, vlan: 0 }, vif],
      [{ ifindex: 1, vlan: 100 }, { ...vif, kind: 'host', addressesV4: [] }],
    ],
    changed: { ...vif, policy: 9 },
  }),
  sources: define({
    table: (datapath) => datapath.sources,
    entries: [
      [{ ifindex: 1, vlan: 0, prefix: { address: v4, length: 32 } }, true],
      [
        { ifindex: 1, vlan: 0, prefix: { address: parseAddress('198.51.100.0'), length: 24 } },
        true,
      ],
      [{ ifindex: 1, vlan: 0, prefix: { address: v6, length: 128 } }, true],
    ],
    changed: true,
  }),
  hostRoutes: define({
    table: (datapath) => datapath.hostRoutes,
    entries: [
      [{ vrf: 1, address: v4 }, { nextHop: 7 }],
      [{ vrf: 2, address: v4 }, { nextHop: 8 }],
      [{ vrf: 1, address: v6 }, { nextHop: 9, identity: 4 }],
    ],
    changed: { nextHop: 10 },
  }),
  prefixRoutes: define({
    table: (datapath) => datapath.prefixRoutes,
    entries: [
      [{ vrf: 1, prefix: { address: bytes(4, 0), length: 0 } }, { nextHop: 7 }],
      [{ vrf: 1, prefix: { address: parseAddress('198.51.100.0'), length: 24 } }, { nextHop: 8 }],
      [{ vrf: 1, prefix: { address: parseAddress('2001:db8::'), length: 32 } }, { nextHop: 9 }],
    ],
    changed: { nextHop: 10 },
  }),
  nextHops: define({
    table: (datapath) => datapath.nextHops,
    entries: [
      [1, { ...baseNextHop, kind: 'tunnel', remote: v4, vrf: 1, label: 70 }],
      [2, { ...baseNextHop, kind: 'tunnel', remote: v6, vrf: 1, mac: bytes(6, 1) }],
      [3, { ...baseNextHop, kind: 'composite', memberCount: 4 }],
      [4, { ...baseNextHop, kind: 'fabric', snat: true }],
    ],
    changed: { ...baseNextHop, kind: 'encap', ifindex: 5, vlan: 6 },
  }),
  composites: define({
    table: (datapath) => datapath.composites,
    entries: [[{ nextHop: 3, slot: 0 }, { nextHop: 1 }]],
    changed: { nextHop: 2 },
  }),
  labelsIn: define({
    table: (datapath) => datapath.labelsIn,
    entries: [[70, { vrf: 1, identity: 2, senderVrf: 3, senderSpace: 4 }]],
    changed: { vrf: 1, identity: 0, senderVrf: 1, senderSpace: 0 },
  }),
  labelsOut: define({
    table: (datapath) => datapath.labelsOut,
    entries: [[{ vrf: 1, identity: 2 }, 70]],
    changed: 0xff_ffff,
  }),
  services: define({
    table: (datapath) => datapath.services,
    entries: [
      [{ vrf: 1, address: v4, protocol: 6, port: 80 }, { ...baseService, id: 1, slotCount: 2 }],
      [{ vrf: 1, address: v6, protocol: 17, port: 65_535 }, {
        ...baseService,
        id: 2,
        hostPort: true,
      }],
    ],
    changed: {
      id: 3,
      slotCount: 1,
      affinityTimeoutS: 10_800,
      hasSourceRanges: true,
      external: true,
      internalLocalOnly: true,
      externalLocalOnly: true,
      hostPort: false,
    },
  }),
  backends: define({
    table: (datapath) => datapath.backends,
    entries: [
      [{ service: 1, slot: 0 }, { address: v4, port: 8080, vrf: 1 }],
      [{ service: 1, slot: 1 }, { address: v6, port: 8080, vrf: 1 }],
    ],
    changed: { address: v4, port: 8081, vrf: 2 },
  }),
  sourceRanges: define({
    table: (datapath) => datapath.sourceRanges,
    entries: [
      [{ service: 1, prefix: { address: parseAddress('198.51.100.0'), length: 25 } }, true],
      [{ service: 1, prefix: { address: parseAddress('2001:db8::'), length: 48 } }, true],
    ],
    changed: true,
  }),
  nodes: define({
    table: (datapath) => datapath.nodes,
    entries: [
      [{ address: v4 }, { self: true }],
      [{ address: v6 }, { self: false }],
    ],
    changed: { self: false },
  }),
  policies: define({
    table: (datapath) => datapath.policies,
    entries: [
      [{ policy: 1, direction: 'ingress', peerIdentity: 0, protocol: 0, port: 0, portLength: 0 }, {
        verdict: 'deny',
        rule: 1,
      }],
      [{ policy: 1, direction: 'ingress', peerIdentity: 0, protocol: 6, port: 0, portLength: 0 }, {
        verdict: 'pass',
        rule: 2,
      }],
      [
        {
          policy: 1,
          direction: 'egress',
          peerIdentity: 9,
          protocol: 6,
          port: 8000,
          portLength: 13,
        },
        { verdict: 'pass', rule: 3 },
      ],
    ],
    changed: { verdict: 'pass', rule: 4 },
  }),
  vrfs: define({
    table: (datapath) => datapath.vrfs,
    entries: [[1, { maxFlows: 10, vni: 20, space: 30 }]],
    changed: { maxFlows: 0, vni: 21, space: 0 },
  }),
};

function check<K, V>(datapath: Datapath, { table: tableOf, entries, changed }: Case<K, V>): void {
  const table = tableOf(datapath);
  const dumped = (): Array<readonly [string, V]> =>
    table
      .dump()
      .map(([key, value]) => [table.keyText(key), value] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1));
  const [first] = entries;
  if (first === undefined) {
    throw new Error('a case needs an entry');
  }

  expect(table.dump()).toEqual([]);
  expect(table.get(first[0])).toBeUndefined();
  table.remove([first[0]]);

  table.upsert(entries);
  expect(dumped()).toEqual(
    entries
      .map(([key, value]) => [table.keyText(key), value] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  expect(new Set(entries.map(([key]) => table.keyText(key))).size).toBe(entries.length);
  for (const [key, value] of entries) {
    expect(table.get(key)).toEqual(value);
  }

  table.upsert([[first[0], changed]]);
  const now = table.get(first[0]);
  expect(now).toEqual(changed);
  expect(now !== undefined && table.equals(now, changed)).toBe(true);
  expect(table.dump()).toHaveLength(entries.length);

  table.remove(entries.map(([key]) => key));
  expect(table.dump()).toEqual([]);
}

const missing = missingForLab();

describe.each(
  [
    ['in memory', undefined],
    ['on the kernel', missing],
  ] as const,
)('tables %s', (kind, reason) => {
  const testHere = reason === undefined ? test : test.skip;
  let datapath: Datapath;
  let walk: Walk | undefined;

  beforeAll(async () => {
    if (kind === 'in memory') {
      datapath = new FakeDatapath();
    } else if (reason === undefined) {
      walk = await Walk.create({ flowCapacity: 16 });
      datapath = walk.datapath;
    }
  }, 60_000);

  afterAll(() => walk?.destroy(), 30_000);

  testHere.each(Object.keys(cases) as Array<keyof typeof cases>)(
    `%s: what is written is read, changed and removed${reason ? ` (skipped: ${reason})` : ''}`,
    (name) => {
      // Each case is checked with its own types.
      const run: Readonly<Record<keyof typeof cases, () => void>> = {
        vifs: () => check(datapath, cases.vifs),
        sources: () => check(datapath, cases.sources),
        hostRoutes: () => check(datapath, cases.hostRoutes),
        prefixRoutes: () => check(datapath, cases.prefixRoutes),
        nextHops: () => check(datapath, cases.nextHops),
        composites: () => check(datapath, cases.composites),
        labelsIn: () => check(datapath, cases.labelsIn),
        labelsOut: () => check(datapath, cases.labelsOut),
        services: () => check(datapath, cases.services),
        backends: () => check(datapath, cases.backends),
        sourceRanges: () => check(datapath, cases.sourceRanges),
        nodes: () => check(datapath, cases.nodes),
        policies: () => check(datapath, cases.policies),
        vrfs: () => check(datapath, cases.vrfs),
      };
      run[name]();
    },
  );

  testHere('ten thousand routes are written and read in batches', () => {
    const entries = Array.from({ length: 10_000 }, (_, i) => {
      const address = Uint8Array.of(198, 51, i >> 8, i & 255);
      return [{ vrf: 3, address }, { nextHop: i }] as const;
    });
    datapath.hostRoutes.upsert(entries);
    expect(datapath.hostRoutes.dump()).toHaveLength(entries.length);
    expect(datapath.hostRoutes.get({ vrf: 3, address: Uint8Array.of(198, 51, 39, 15) })).toEqual({
      nextHop: 9999,
    });
    datapath.hostRoutes.remove(entries.map(([key]) => key));
    expect(datapath.hostRoutes.dump()).toEqual([]);
  });

  testHere('a full table refuses and says so', () => {
    const fill = (): void =>
      datapath.vrfs.upsert(
        Array.from({ length: 16_385 }, (_, vrf) => [vrf, { maxFlows: 0, vni: vrf, space: 0 }] as const),
      );
    if (datapath instanceof FakeDatapath) {
      datapath.vrfs.capacity = 16_384;
    }
    expect(fill).toThrow(ContrailError);
    expect(fill).toThrow(/vrfs: .*full/);
    datapath.vrfs.remove(datapath.vrfs.dump().map(([key]) => key));
  });
});
