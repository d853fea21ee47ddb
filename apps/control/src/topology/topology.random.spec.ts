import fc from 'fast-check';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { metaOf, typeOf } from '@contrail/resource-model';
import { clusterResources, ipam, network, podResources, testUuid, uuids } from '../../testing/cluster';
import { networkPolicy, policyRule } from '../../testing/tenants';
import { Model } from '../model/model';
import type { ModelType } from '../model/model-object';
import { toModelObject } from '../model/to-model-object';
import { diffTopology } from './diff-topology';
import type { TopologyDiff } from './diff-topology';
import { computeTopology, Topology } from './topology';
import { TopologyMemory } from './topology-memory';

const names = ['red', 'blue', 'green'];
const fq = (name: string): string => `default-domain:p:${name}`;
const [join, hub] = [testUuid(3, 20), testUuid(3, 21)] as const;
const pools = [testUuid(1, 20), testUuid(1, 21)] as const;

function joining(uuid: string, ...rules: Parameters<typeof policyRule>[]): Resource {
  return networkPolicy(uuid, ['default-domain', 'p', uuid === join ? 'join' : 'hub'], rules.map((rule) => policyRule(...rule)));
}

/** Every state that some object may have. */
const variants: Resource[] = [
  ...clusterResources(),
  ...[[], [join], [join, hub], [hub, uuids.servicePolicy, uuids.fabricPolicy]].flatMap((policies) =>
    names.flatMap((name, i) => [
      ...network(testUuid(2, 20 + i), ['default-domain', 'p', name], { vni: 20 + i, policies, ipams: [pools[i % 2] ?? pools[0]] }),
      ...network(testUuid(2, 20 + i), ['default-domain', 'p', name], { vni: 20 + i, policies, ipams: [uuids.podIpam] }),
    ]),
  ),
  ...['198.51.100.0', '203.0.113.0'].flatMap((prefix) => pools.map((uuid, i) => ipam(uuid, `pool-${i}`, { prefix, length: 24 }))),
  joining(join, [`${fq('red')} <> ${fq('blue')}`]),
  joining(join, [`${fq('red')} > any tcp 80`], ['198.51.100.8/29 > any tcp', { verdict: 'deny' }]),
  joining(hub, [`policy:default-domain:p:hub > ${fq('green')} tcp`, { ports: [80, 443] }]),
  joining(hub, ['local <> any udp'], [`${fq('blue')}@203.0.113.0/25 <> any`]),
  ...names.flatMap((_, i) => podResources({ n: i + 1, node: 'node1', address: `198.51.100.${i + 1}`, networkUuid: testUuid(2, 20 + i) })),
];

const anyWalk = fc.array(
  fc.array(fc.record({ index: fc.integer({ min: 0, max: variants.length - 1 }), isDeletion: fc.boolean() }), { minLength: 1, maxLength: 5 }),
  { minLength: 1, maxLength: 12 },
);

function step(model: Model, { index, isDeletion }: { readonly index: number; readonly isDeletion: boolean }): void {
  const resource = variants[index];
  const object = resource && toModelObject(resource);
  if (resource === undefined || object === undefined) throw new Error(`no variant ${index}`);
  if (isDeletion) model.delete(typeOf(resource) as ModelType, metaOf(resource).uuid);
  else model.put(object);
}

function contents({ networks, refused }: Topology): unknown {
  const texts = refused.map((leak) => JSON.stringify(leak)).sort();
  return { networks: new Map([...networks].sort(([a], [b]) => (a < b ? -1 : 1))), refused: texts };
}

function edgeTexts({ edges, limits }: TopologyDiff): string[] {
  return [...edges, ...limits].map(({ a, b }) => [a.uuid, b.uuid].sort().join(' ')).sort();
}

/** Deep copies share no object with anything: nothing can be taken for unchanged. */
function copied(topology: Topology): Topology {
  return new Topology([...topology.networks.values()].map((each) => structuredClone(each)));
}

describe('a topology that remembers the one before', () => {
  it('is what it would be from nothing, and differs by the same, after every pass of any walk', () => {
    fc.assert(
      fc.property(fc.boolean(), anyWalk, (startsFull, passes) => {
        const model = new Model();
        const memory = new TopologyMemory();
        if (startsFull) for (let index = 0; index < variants.length; index += 1) step(model, { index, isDeletion: false });
        let before = computeTopology(model, memory);
        for (const pass of passes) {
          for (const change of pass) step(model, change);
          const after = computeTopology(model, memory);
          const fresh = computeTopology(model);
          expect(contents(after)).toEqual(contents(fresh));
          expect(edgeTexts(diffTopology(before, after))).toEqual(edgeTexts(diffTopology(copied(before), copied(fresh))));
          before = after;
        }
      }),
      { numRuns: 150 },
    );
  });

  it('has the same objects for networks that a change does not concern', () => {
    const model = new Model();
    const memory = new TopologyMemory();
    for (const resource of [...clusterResources(), ...names.flatMap((name, i) => network(testUuid(2, 20 + i), ['default-domain', 'p', name], { vni: 20 + i, policies: i < 2 ? [join] : [] }))]) {
      const object = toModelObject(resource);
      if (object !== undefined) model.put(object);
    }
    const put = (resource: Resource): Topology => {
      const object = toModelObject(resource);
      if (object !== undefined) model.put(object);
      return computeTopology(model, memory);
    };
    const before = put(joining(join, [`${fq('red')} > ${fq('blue')} tcp 80`]));
    const after = put(joining(join, [`${fq('red')} > ${fq('blue')} tcp 81`]));
    const changed = [...after.networks].filter(([uuid, each]) => before.networks.get(uuid) !== each).map(([, { name }]) => name);
    expect(changed.sort()).toEqual([fq('blue'), fq('red')]);
    expect(diffTopology(before, after).networks).toHaveLength(2);
  });
});
