import fc from 'fast-check';
import { ContrailError } from '@contrail/errors';
import { systemClock } from '@contrail/reconcile';
import { childFqName, fieldsOf, metaOf, toResource, withFields } from '@contrail/resource-model';
import type { PartialMessage, ResourceType } from '@contrail/resource-model';
import type { Operation } from '@contrail/proto-gen/config/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { openStore } from '@contrail/store';
import type { ResourceStore } from '@contrail/store';
import { startRedis } from '@contrail/testing';
import type { TestRedis } from '@contrail/testing';
import { createBaseObjects } from '../bootstrap/base-objects';
import { Transactor } from './transactor';

const runs = Number(process.env['SOAK_RUNS'] ?? 10);
let redis: TestRedis;
let deployments = 0;

// A loaded machine takes seconds for a run.
jest.setTimeout(300_000 + runs * 10_000);
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

/** A deployment of its own with two replicas of config-api, so that each run begins empty. */
async function withReplicas(
  work: (replicas: readonly [Transactor, Transactor], store: ResourceStore) => Promise<void>,
): Promise<void> {
  deployments += 1;
  const deployment = `random-${deployments}`;
  const stores = [0, 1].map(() => openStore({ redis: { url: redis.url }, deployment }));
  const [first, second] = stores;
  if (first === undefined || second === undefined) throw new Error('no store');
  const transactorOf = (store: ResourceStore): Transactor =>
    new Transactor({ store, clock: systemClock, onRetry: () => undefined });
  try {
    const replicas = [transactorOf(first), transactorOf(second)] as const;
    await createBaseObjects(first, replicas[0]);
    await work(replicas, first);
  } finally {
    await Promise.all(stores.map((store) => store.close()));
  }
}

const domain = ['default-domain'];
const types = ['project', 'virtual-network', 'network-policy', 'floating-ip-pool'] as const;
type ModelType = (typeof types)[number];

interface Spec {
  readonly type: ModelType;
  /** Index of the name, and of the parent's: a small space, so that operations meet. */
  readonly path: readonly number[];
}
type Step =
  | { readonly kind: 'create' | 'refer'; readonly spec: Spec; readonly policies: readonly number[] }
  | { readonly kind: 'delete'; readonly spec: Spec };

function nameOf({ type, path }: Spec): string[] {
  const [project = 0, second = 0, third = 0] = path;
  const names = [...domain, `p${project}`];
  if (type === 'project') return names;
  if (type === 'network-policy') return [...names, `policy${second}`];
  return type === 'virtual-network' ? [...names, `net${second}`] : [...names, `net${second}`, `pool${third}`];
}

const index = fc.integer({ min: 0, max: 1 });
const spec: fc.Arbitrary<Spec> = fc.record({
  type: fc.constantFrom(...types),
  path: fc.tuple(index, index, index),
});
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constantFrom('create' as const, 'refer' as const), spec, policies: fc.uniqueArray(index) }),
    fc.record({ kind: fc.constant('delete' as const), spec }),
  ),
  { minLength: 10, maxLength: 40 },
);

/** What the service should do, with a map and loops. */
class Model {
  /** "type name" to the names of the policies to which the object refers. */
  readonly objects = new Map<string, readonly string[]>();

  private key(spec: Spec): string {
    return `${spec.type} ${nameOf(spec).join(':')}`;
  }

  /** The code with which the step fails; undefined when it succeeds. */
  apply(step: Step): string | undefined {
    const key = this.key(step.spec);
    if (step.kind === 'delete') {
      if (this.objects.has(key) && this.isHeld(step.spec)) return 'FAILED_PRECONDITION';
      this.objects.delete(key);
      return undefined;
    }
    const refs = refsOf(step).map((name) => `network-policy ${name.join(':')}`);
    if (step.kind === 'create' && this.objects.has(key)) return 'ALREADY_EXISTS';
    if (step.kind === 'create' && !this.hasParent(step.spec)) return 'NOT_FOUND';
    if (step.kind === 'refer' && !this.objects.has(key)) return 'NOT_FOUND';
    if (refs.some((ref) => !this.objects.has(ref))) return 'NOT_FOUND';
    this.objects.set(key, refs);
    return undefined;
  }

  private hasParent({ type, path }: Spec): boolean {
    if (type === 'project') return true;
    const parent = type === 'floating-ip-pool' ? 'virtual-network' : 'project';
    return this.objects.has(this.key({ type: parent, path }));
  }

  private isHeld(spec: Spec): boolean {
    const key = this.key(spec);
    const prefix = `${nameOf(spec).join(':')}:`;
    return [...this.objects].some(([other, refs]) => {
      const [type, name = ''] = other.split(' ');
      const isChild = name.startsWith(prefix) && type !== spec.type && spec.type !== 'network-policy';
      return isChild || refs.includes(key);
    });
  }
}

function refsOf(step: Exclude<Step, { kind: 'delete' }>): string[][] {
  if (step.spec.type !== 'virtual-network') return [];
  const [project = 0] = step.spec.path;
  return step.policies.map((second) => nameOf({ type: 'network-policy', path: [project, second, 0] }));
}

function toOperation(step: Step): Operation {
  const fqName = nameOf(step.spec);
  const { type } = step.spec;
  if (step.kind === 'delete')
    return { kind: { $case: 'delete', value: { key: { uuid: '', type, fqName }, expectedRevision: 0n } } };
  const refs = { networkPolicyRefs: refsOf(step).map((name) => ({ fqName: name })) };
  const resource = toResource(type, {
    meta: { fqName },
    ...(type === 'virtual-network' ? refs : {}),
  } as PartialMessage<ModelType>);
  if (step.kind === 'create') return { kind: { $case: 'create', value: { resource } } };
  const updateMask = type === 'virtual-network' ? ['network_policy_refs'] : ['meta.annotations'];
  return { kind: { $case: 'update', value: { resource, updateMask, expectedRevision: 0n } } };
}

async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (error instanceof ContrailError) return error.code;
    throw error;
  }
}

async function listAll(store: ResourceStore, type: ResourceType): Promise<Resource[]> {
  const found: Resource[] = [];
  let after = '';
  do {
    const page = await store.list({ type, after, limit: 7 });
    found.push(...page.resources);
    after = page.next;
  } while (after !== '');
  return found;
}

async function state(store: ResourceStore): Promise<Map<string, string[]>> {
  const all = await Promise.all(types.map((type) => listAll(store, type)));
  return new Map(
    all.flatMap((resources, i) =>
      resources
        .filter((resource) => metaOf(resource).fqName[1] !== 'default-project')
        .map((resource): [string, string[]] => {
          const refs = (fieldsOf(resource)['networkPolicyRefs'] ?? []) as { fqName: string[] }[];
          const names = refs.map(({ fqName }) => `network-policy ${fqName.join(':')}`);
          return [`${types[i] ?? ''} ${metaOf(resource).fqName.join(':')}`, names];
        }),
    ),
  );
}

it('does what a simple model does, for random operations', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      await withReplicas(async (replicas, store) => {
        const before = new Map<ResourceType, number>();
        const derived = ['routing-instance', 'route-target', 'access-control-list'] as const;
        for (const type of derived) before.set(type, (await listAll(store, type)).length);
        const model = new Model();
        for (const [i, step] of sequence.entries()) {
          const expected = model.apply(step);
          const replica = replicas[i % 2 === 0 ? 0 : 1];
          expect([i, step, await codeOf(replica.run([toOperation(step)], ''))]).toEqual([i, step, expected]);
        }
        expect(new Map([...(await state(store))].sort())).toEqual(new Map([...model.objects].sort()));
        // What objects imply is there once for each, and nothing of it is left behind.
        const count = (type: ModelType): number =>
          [...model.objects.keys()].filter((key) => key.startsWith(`${type} `)).length;
        const expected = { 'routing-instance': count('virtual-network'), 'route-target': count('virtual-network') };
        for (const type of ['routing-instance', 'route-target'] as const)
          expect((await listAll(store, type)).length - (before.get(type) ?? 0)).toBe(expected[type]);
        const lists = (await listAll(store, 'access-control-list')).length;
        expect(lists - (before.get('access-control-list') ?? 0)).toBe(2 * count('project'));
      });
    }),
    { numRuns: runs },
  );
});

it('does all of a transaction or nothing of it', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      await withReplicas(async ([transactor], store) => {
        const earlier = await state(store);
        const code = await codeOf(transactor.run(sequence.map(toOperation), ''));
        if (code !== undefined) expect(await state(store)).toEqual(earlier);
      });
    }),
    { numRuns: runs },
  );
});

it('refuses or keeps any name and any prefix, and finds again what it kept', async () => {
  await withReplicas(async ([transactor], store) => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom('10.0.0.0', '::', '10.0.0.0/8', '0x0a', '999.1.1.1', 'fe80::1%lo', '\u0000', 'a\u001fb', '"', '<>&'),
    );
    const project = { type: 'project', fqName: [...domain, 'default-project'] } as const;
    await fc.assert(
      fc.asyncProperty(text, text, fc.nat(300), async (name, ipPrefix, ipPrefixLen) => {
        const fqName = childFqName(project, name);
        const resource = toResource('network-ipam', {
          meta: { fqName },
          ipamSubnetMethod: 'flat-subnet',
          ipamSubnets: { subnets: [{ subnet: { ipPrefix, ipPrefixLen } }] },
        });
        const code = await codeOf(transactor.run([{ kind: { $case: 'upsert', value: { resource } } }], ''));
        expect([undefined, 'INVALID_ARGUMENT']).toContain(code);
        const [uuid] = await store.findUuids([{ type: 'network-ipam', fqName }]);
        if (code === undefined) {
          const [stored] = await store.getMany([uuid ?? '']);
          expect(stored && metaOf(stored).fqName).toEqual(fqName);
        }
      }),
      { numRuns: runs * 4 },
    );
  });
});

it('lets exactly one of 100 simultaneous creates of one name win', async () => {
  await withReplicas(async (replicas, store) => {
    const step: Step = { kind: 'create', spec: { type: 'project', path: [0] }, policies: [] };
    const codes = await Promise.all(
      Array.from({ length: 100 }, (_, i) => codeOf(replicas[i % 2 === 0 ? 0 : 1].run([toOperation(step)], ''))),
    );
    expect(codes.filter((code) => code === undefined)).toHaveLength(1);
    expect(new Set(codes)).toEqual(new Set([undefined, 'ALREADY_EXISTS']));
    expect([...(await state(store)).keys()]).toEqual(['project default-domain:p0']);
  });
});

it('keeps all of 100 changes of one object that are made at the same time', async () => {
  await withReplicas(async (replicas, store) => {
    const create = (spec: Spec): Operation => toOperation({ kind: 'create', spec, policies: [] });
    await replicas[0].run([create({ type: 'project', path: [0] }), create({ type: 'virtual-network', path: [0, 0] })], '');
    const [uuid = ''] = await store.findUuids([
      { type: 'virtual-network', fqName: nameOf({ type: 'virtual-network', path: [0, 0] }) },
    ]);
    await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        replicas[i % 2 === 0 ? 0 : 1].modify(
          { type: 'virtual-network', uuid },
          (current) => {
            const meta = metaOf(current);
            return withFields(current, { meta: { ...meta, annotations: { ...meta.annotations, [`k${i}`]: 'v' } } });
          },
          '',
        ),
      ),
    );
    const [stored] = await store.getMany([uuid]);
    expect(Object.keys(stored === undefined ? {} : metaOf(stored).annotations)).toHaveLength(100);
  });
});
