import { systemClock } from '@contrail/reconcile';
import { fromResource, metaOf, toResource, wellKnownUuid } from '@contrail/resource-model';
import type { PartialMessage, ResourceType } from '@contrail/resource-model';
import type { Operation } from '@contrail/proto-gen/config/v1/messages';
import type { AclRuleType, Resource } from '@contrail/proto-gen/config/v1/resources';
import { MemoryStore } from '@contrail/store';
import { createBaseObjects } from '../bootstrap/base-objects';
import { Transactor } from './transactor';

let store: MemoryStore;
let transactor: Transactor;

beforeEach(async () => {
  store = new MemoryStore();
  transactor = new Transactor({ store, clock: systemClock, onRetry: () => undefined });
  await createBaseObjects(store, transactor);
});

const place = ['default-domain', 'default-project'];
const nameOf = (name: string): string => [...place, name].join(':');

function object<T extends ResourceType>(type: T, name: string, fields: object = {}): Resource {
  const fqName = [...place, name];
  const meta = { uuid: wellKnownUuid(type, fqName), fqName, parentType: 'project' };
  return toResource(type, { ...fields, meta } as unknown as PartialMessage<T>);
}

/** A policy between `local` and one other network. */
const policy = (name: string, other: string, port: number): Resource =>
  object('network-policy', name, {
    networkPolicyEntries: {
      policyRule: [
        {
          ...{ ruleUuid: `${name}-rule`, direction: '<>', protocol: 'tcp', actionList: { simpleAction: 'pass' } },
          ...{ srcAddresses: [{ virtualNetwork: 'local' }], dstAddresses: [{ virtualNetwork: other }] },
          dstPorts: [{ startPort: port, endPort: port }],
        },
      ],
    },
  });

/** A network with policies, in the order of their sequence. */
const network = (name: string, ...policies: string[]): Resource =>
  object('virtual-network', name, {
    networkPolicyRefs: policies.map((policyName, i) => ({
      uuid: wellKnownUuid('network-policy', [...place, policyName]),
      attr: { sequence: { major: policies.length - i, minor: 0 } },
    })),
  });

async function upsert(...resources: Resource[]): Promise<void> {
  const operations = resources.map((resource): Operation => ({ kind: { $case: 'upsert', value: { resource } } }));
  await transactor.run(operations, '');
}

async function remove(type: ResourceType, fqName: string[]): Promise<void> {
  await transactor.run([{ kind: { $case: 'delete', value: { key: { uuid: '', type, fqName }, expectedRevision: 0n } } }], '');
}

async function listOf(name: string): Promise<Resource | undefined> {
  const [uuid] = await store.findUuids([{ type: 'access-control-list', fqName: [...place, name, name] }]);
  return uuid === undefined ? undefined : (await store.getMany([uuid]))[0];
}

/** `tcp a > b 80: pass`, the networks by their last names. */
async function rulesOf(name: string): Promise<string[]> {
  const list = await listOf(name);
  const rules = list && fromResource('access-control-list', list).accessControlListEntries?.aclRule;
  return (rules ?? []).map(({ matchCondition, actionList, direction }: AclRuleType) => {
    const end = (text: string | undefined): string => text?.split(':').at(-1) ?? '';
    const { protocol = '', srcAddress, dstAddress, dstPort } = matchCondition ?? {};
    const ends = `${end(srcAddress?.virtualNetwork)} ${direction ?? ''} ${end(dstAddress?.virtualNetwork)}`;
    return `${protocol} ${ends} ${dstPort?.startPort ?? ''}: ${actionList?.simpleAction ?? ''}`;
  });
}

it('has the rules of the policies in their order, its own traffic, and nothing else between their ends', async () => {
  await upsert(policy('late', nameOf('db'), 90), policy('early', nameOf('web'), 80), network('shop', 'late', 'early'));
  expect(await rulesOf('shop')).toEqual([
    'tcp shop <> web 80: pass',
    'tcp shop <> db 90: pass',
    'any shop <> shop -1: pass',
    'any shop <> web -1: deny',
    'any shop <> db -1: deny',
    'any any <> any -1: pass',
  ]);
  const list = await listOf('shop');
  expect(list && metaOf(list)).toMatchObject({ parentType: 'virtual-network', fqName: [...place, 'shop', 'shop'] });
});

it('exists only with policies, and goes with them or with the network', async () => {
  await upsert(policy('p', 'any', 80), network('a'), network('b', 'p'));
  expect(await listOf('a')).toBeUndefined();
  await upsert(network('a', 'p'));
  expect(await listOf('a')).toBeDefined();
  await expect(remove('access-control-list', [...place, 'a', 'a'])).rejects.toThrow(/belongs to its virtual-network/);
  await upsert(network('a'));
  expect(await listOf('a')).toBeUndefined();
  await remove('virtual-network', [...place, 'b']);
  expect(await listOf('b')).toBeUndefined();
  await remove('network-policy', [...place, 'p']);
});

it('follows a change of a policy in every network that has it', async () => {
  await upsert(policy('p', 'any', 80), network('a', 'p'), network('b', 'p'));
  await upsert(policy('p', 'any', 81));
  for (const name of ['a', 'b']) expect((await rulesOf(name))[0]).toBe(`tcp ${name} <> any 81: pass`);
});

it('leaves out rules between other networks, and changes nothing when nothing changes', async () => {
  const foreign = object('network-policy', 'foreign', {
    networkPolicyEntries: {
      policyRule: [
        {
          ...{ protocol: 'any', direction: '>', actionList: { simpleAction: 'pass' } },
          ...{ srcAddresses: [{ virtualNetwork: nameOf('x') }], dstAddresses: [{ virtualNetwork: nameOf('y') }] },
        },
      ],
    },
  });
  await upsert(foreign, network('a', 'foreign'));
  expect(await rulesOf('a')).toEqual(['any a <> a -1: pass', 'any any <> any -1: pass']);
  const before = await store.revision();
  await upsert(network('a', 'foreign'));
  expect(await store.revision()).toBe(before);
});
