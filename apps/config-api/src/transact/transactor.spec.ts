import { systemClock } from '@contrail/reconcile';
import {
  fromResource,
  globalSystemConfigUuid,
  impliedUuid,
  ipFabricNetworkUuid,
  metaOf,
  toResource,
  wellKnownUuid,
} from '@contrail/resource-model';
import type { PartialMessage, ResourceType } from '@contrail/resource-model';
import type { Operation } from '@contrail/proto-gen/config/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { MemoryStore } from '@contrail/store';
import { createBaseObjects } from '../bootstrap/base-objects';
import { Transactor } from './transactor';
import type { OperationOutcome } from './transactor';

let store: MemoryStore;
let transactor: Transactor;
let retries: number;

beforeEach(async () => {
  store = new MemoryStore();
  retries = 0;
  transactor = new Transactor({ store, clock: systemClock, onRetry: () => (retries += 1) });
  await createBaseObjects(store, transactor);
});

const upsert = (resource: Resource): Operation => ({
  kind: { $case: 'upsert', value: { resource } },
});
const create = (resource: Resource): Operation => ({
  kind: { $case: 'create', value: { resource } },
});
const update = (
  resource: Resource,
  updateMask: string[] = [],
  expectedRevision = 0n,
): Operation => ({
  kind: { $case: 'update', value: { resource, updateMask, expectedRevision } },
});
const remove = (uuid: string, expectedRevision = 0n): Operation => ({
  kind: { $case: 'delete', value: { key: { uuid, type: '', fqName: [] }, expectedRevision } },
});

/** An object with a derived uuid; the parent is found by name. */
function object<T extends ResourceType>(
  type: T,
  fqName: string[],
  fields: Omit<PartialMessage<T>, 'meta'> | object = {},
): Resource {
  const parentType = { 'virtual-machine-interface': 'project' }[type as string] ?? '';
  return toResource(type, {
    ...fields,
    meta: { uuid: wellKnownUuid(type, fqName), fqName, parentType },
  } as unknown as PartialMessage<T>);
}

const project = object('project', ['default-domain', 'blue']);
const networkName = ['default-domain', 'blue', 'net'];
const network = object('virtual-network', networkName);
const networkUuid = metaOf(network).uuid;
const routingInstanceUuid = impliedUuid(networkUuid, 'default-routing-instance');

async function run(...operations: Operation[]): Promise<readonly OperationOutcome[]> {
  return (await transactor.run(operations, '')).outcomes;
}

async function stored(uuid: string): Promise<Resource | undefined> {
  return (await store.getMany([uuid]))[0];
}

describe('base objects', () => {
  it('are made once and never overwritten', async () => {
    const before = await store.revision();
    await createBaseObjects(store, transactor);
    expect(await store.revision()).toBe(before);
    await run(
      update(
        toResource('global-system-config', {
          meta: { uuid: globalSystemConfigUuid, fqName: [] },
          autonomousSystem: 65000,
        }),
        ['autonomous_system'],
      ),
    );
    await createBaseObjects(store, transactor);
    const [config] = await store.getMany([globalSystemConfigUuid]);
    expect(config && fromResource('global-system-config', config).autonomousSystem).toBe(65000);
  });

  it('cannot be deleted', async () => {
    await expect(run(remove(ipFabricNetworkUuid))).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
    });
  });
});

describe('a VirtualNetwork', () => {
  it('gets an id, a default RoutingInstance and a route target in one transaction', async () => {
    const [, outcome] = await run(upsert(project), upsert(network));
    const id =
      outcome?.resource &&
      fromResource('virtual-network', outcome.resource).virtualNetworkNetworkId;
    // ip-fabric holds the first label; it and its second instance the first route targets.
    expect(id).toBe(2);
    const instance = await stored(routingInstanceUuid);
    expect(instance && metaOf(instance).fqName).toEqual([...networkName, 'net']);
    expect(instance && fromResource('routing-instance', instance)).toMatchObject({
      routingInstanceIsDefault: true,
      routeTargetRefs: [{ fqName: ['target:64512:8000002'], attr: { importExport: '' } }],
    });
  });

  it('takes its implied objects with it and frees their numbers', async () => {
    await run(upsert(project), upsert(network));
    const target = wellKnownUuid('route-target', ['target:64512:8000002']);
    expect(await stored(target)).toBeDefined();
    await run(remove(networkUuid));
    expect(await store.getMany([networkUuid, routingInstanceUuid, target])).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(await store.allot('label', ['next'])).toEqual([2]);
  });

  it('keeps its id and creation time when it is replaced, and an equal replacement changes nothing', async () => {
    const [, first] = await run(upsert(project), upsert(network));
    const revision = await store.revision();
    const [again] = await run(upsert(network));
    expect(again).toEqual({ resource: first?.resource, changed: false });
    expect(await store.revision()).toBe(revision);
    const [changed] = await run(upsert(object('virtual-network', networkName, { isShared: true })));
    expect(changed?.changed).toBe(true);
    expect(changed?.resource && fromResource('virtual-network', changed.resource)).toMatchObject({
      virtualNetworkNetworkId: 2,
      isShared: true,
    });
    expect(changed?.resource && metaOf(changed.resource).revision).toBe(revision + 1n);
  });

  it('does not let its default RoutingInstance be deleted alone', async () => {
    await run(upsert(project), upsert(network));
    await expect(run(remove(routingInstanceUuid))).rejects.toThrow(
      'belongs to its virtual-network and goes with it; delete that',
    );
  });

  it('refuses a client that chooses the id', async () => {
    const chosen = object('virtual-network', networkName, { virtualNetworkNetworkId: 7 });
    await expect(run(upsert(project), upsert(chosen))).rejects.toThrow(
      'operations[1]: VirtualNetwork/default-domain:blue:net virtual_network_network_id: is 7, but only config-api sets it; leave it empty',
    );
  });
});

describe('names and references', () => {
  it('finds parents and references by name, also those of the same request', async () => {
    const ipam = object('network-ipam', ['default-domain', 'blue', 'pods']);
    const vn = toResource('virtual-network', {
      meta: { fqName: networkName, uuid: networkUuid },
      networkIpamRefs: [{ fqName: ['default-domain', 'blue', 'pods'] }],
    });
    const [result] = await run(upsert(vn), upsert(project), upsert(ipam));
    expect(result?.resource && fromResource('virtual-network', result.resource)).toMatchObject({
      meta: { parentType: 'project', parentUuid: metaOf(project).uuid },
      networkIpamRefs: [{ uuid: metaOf(ipam).uuid, fqName: ['default-domain', 'blue', 'pods'] }],
    });
  });

  it('writes the name of a reference that is given by uuid', async () => {
    await run(upsert(project), upsert(network));
    const vmi = object('virtual-machine-interface', ['default-domain', 'blue', 'eth'], {
      virtualNetworkRefs: [{ uuid: networkUuid }],
    });
    const [result] = await run(upsert(vmi));
    expect(
      result?.resource &&
        fromResource('virtual-machine-interface', result.resource).virtualNetworkRefs,
    ).toEqual([{ uuid: networkUuid, fqName: networkName }]);
  });

  it.each<[string, () => Operation[], string, string]>([
    [
      'a parent that does not exist',
      () => [create(network)],
      'NOT_FOUND',
      'Project/default-domain:blue does not exist',
    ],
    [
      'a reference by name to what does not exist',
      () => [
        upsert(project),
        create(
          object('virtual-network', networkName, {
            networkIpamRefs: [{ fqName: ['a', 'b', 'c'] }],
          }),
        ),
      ],
      'NOT_FOUND',
      'network_ipam_refs: NetworkIpam/a:b:c does not exist; create it first',
    ],
    [
      'a reference to an object of another type',
      () => [
        upsert(project),
        create(
          object('virtual-network', networkName, {
            networkIpamRefs: [{ uuid: metaOf(project).uuid }],
          }),
        ),
      ],
      'INVALID_ARGUMENT',
      'is Project/default-domain:blue, but it must be a network-ipam',
    ],
    [
      'a name that does not continue that of its parent',
      () => [
        upsert(project),
        create(
          toResource('network-ipam', {
            meta: { fqName: ['default-domain', 'red', 'i'], parentUuid: metaOf(project).uuid },
          }),
        ),
      ],
      'INVALID_ARGUMENT',
      'write default-domain:blue:i',
    ],
    [
      'an object that exists',
      () => [upsert(project), create(project)],
      'ALREADY_EXISTS',
      'operations[1]: Project/default-domain:blue exists',
    ],
    [
      'a name that another object has',
      () => [
        upsert(project),
        create(
          toResource('project', {
            meta: { fqName: ['default-domain', 'blue'], uuid: networkUuid },
          }),
        ),
      ],
      'ALREADY_EXISTS',
      'belongs to the object',
    ],
    [
      'an operation without content',
      () => [{ kind: undefined }],
      'INVALID_ARGUMENT',
      'operation: is empty',
    ],
    [
      'an update of what does not exist',
      () => [update(project)],
      'NOT_FOUND',
      'Project/default-domain:blue does not exist',
    ],
    [
      'a bad field',
      () => [
        upsert(project),
        upsert(
          object('virtual-network', networkName, {
            virtualNetworkProperties: { forwardingMode: 'l4' },
          }),
        ),
      ],
      'INVALID_ARGUMENT',
      'virtual_network_properties.forwarding_mode: is "l4", but it must be one of l2_l3, l2, l3',
    ],
  ])('refuses %s', async (_, operations, code, text) => {
    const before = await store.revision();
    const failure = run(...operations());
    await expect(failure).rejects.toMatchObject({ code });
    await expect(failure).rejects.toThrow(text);
    expect(await store.revision()).toBe(before);
  });
});

describe('update', () => {
  beforeEach(async () => {
    await run(
      upsert(project),
      upsert(
        object('virtual-network', networkName, {
          isShared: true,
          virtualNetworkProperties: { forwardingMode: 'l3', maxFlows: 5 },
        }),
      ),
    );
  });

  it('changes the masked fields only', async () => {
    const given = object('virtual-network', networkName, {
      isShared: false,
      virtualNetworkProperties: { forwardingMode: 'l2_l3' },
    });
    const [result] = await run(update(given, ['virtual_network_properties.forwarding_mode']));
    expect(result?.resource && fromResource('virtual-network', result.resource)).toMatchObject({
      isShared: true,
      virtualNetworkProperties: { forwardingMode: 'l2_l3', maxFlows: 5 },
    });
  });

  it('needs the expected revision', async () => {
    const failure = run(update(network, [], 1n));
    await expect(failure).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(failure).rejects.toThrow('read it again and repeat the change');
  });

  it.each(['meta.uuid', 'nonsense', 'virtual_network_properties.nonsense', 'a.b.c'])(
    'refuses the path %s',
    async (path) => {
      await expect(run(update(network, [path]))).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
    },
  );

  it('never changes names', async () => {
    const renamed = toResource('virtual-network', {
      meta: { uuid: networkUuid, fqName: ['default-domain', 'blue', 'other'] },
    });
    await expect(run(upsert(renamed))).rejects.toThrow('names never change');
  });
});

describe('deletion', () => {
  it('of what is absent succeeds', async () => {
    expect(await run(remove(networkUuid))).toEqual([{ resource: undefined, changed: false }]);
  });

  it('is refused with the names of those who depend on it', async () => {
    await run(upsert(project), upsert(network));
    await expect(run(remove(metaOf(project).uuid))).rejects.toThrow(
      'Project/default-domain:blue still has VirtualNetwork/default-domain:blue:net; delete or change those first',
    );
  });

  it('removes weak references to the object', async () => {
    const vm = toResource('virtual-machine', {
      meta: { uuid: wellKnownUuid('virtual-machine', ['vm']), fqName: ['vm'] },
    });
    const name = ['default-global-system-config', 'node1'];
    const router = toResource('virtual-router', {
      meta: { uuid: wellKnownUuid('virtual-router', name), fqName: name },
      virtualMachineRefs: [{ uuid: metaOf(vm).uuid }],
    });
    await run(upsert(vm), upsert(router));
    await run(remove(metaOf(vm).uuid));
    const after = await stored(metaOf(router).uuid);
    expect(after && fromResource('virtual-router', after).virtualMachineRefs).toEqual([]);
  });
});

describe('requests at the same time', () => {
  it('all succeed, one after the other, when they change the same object', async () => {
    await run(upsert(project));
    const annotate = (key: string): Operation => {
      const given = toResource('project', {
        meta: { uuid: metaOf(project).uuid, fqName: [], displayName: key },
      });
      return update(given, ['meta.display_name']);
    };
    const names = ['a', 'b', 'c', 'd'];
    await Promise.all(names.map((name) => run(annotate(name))));
    expect(retries).toBeGreaterThan(0);
    const after = await stored(metaOf(project).uuid);
    expect(names).toContain(after && metaOf(after).displayName);
  });

  it('make a network once', async () => {
    await run(upsert(project));
    const outcomes = await Promise.all([
      run(upsert(network)),
      run(upsert(network)),
      run(upsert(network)),
    ]);
    expect(outcomes.map(([outcome]) => outcome?.changed).sort()).toEqual([false, false, true]);
  });
});

describe('traces', () => {
  const trace = (digit: string): string => `00-${digit.repeat(32)}-${digit.repeat(16)}-01`;

  async function tracesAfter(revision: bigint): Promise<Map<string, string>> {
    const changes = await store.changesAfter(revision, 100);
    if (changes === 'gone') throw new Error('the log is gone');
    return new Map(changes.map(({ uuid, traceparent }) => [uuid, traceparent]));
  }

  it('of each operation stay with its object and with what that implies', async () => {
    await run(upsert(project));
    const revision = await store.revision();
    const other = object('virtual-network', ['default-domain', 'blue', 'other']);
    await transactor.run(
      [{ ...upsert(network), traceparent: trace('1') }, upsert(other)],
      trace('2'),
    );
    const traces = await tracesAfter(revision);
    expect(traces.get(networkUuid)).toBe(trace('1'));
    expect(traces.get(routingInstanceUuid)).toBe(trace('1'));
    expect(traces.get(metaOf(other).uuid)).toBe(trace('2'));
    await transactor.run([{ ...remove(networkUuid), traceparent: trace('3') }], trace('4'));
    expect((await tracesAfter(revision)).get(networkUuid)).toBe(trace('3'));
    expect((await tracesAfter(revision)).get(routingInstanceUuid)).toBe(trace('3'));
  });

  it('have the form of W3C Trace Context', async () => {
    await expect(
      transactor.run([{ ...upsert(project), traceparent: 'x' }], ''),
    ).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
