import { systemClock } from '@contrail/reconcile';
import { fromResource, metaOf, toResource, wellKnownUuid } from '@contrail/resource-model';
import type { PartialMessage, ResourceType } from '@contrail/resource-model';
import type { Operation } from '@contrail/proto-gen/config/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
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

const blue = ['default-domain', 'blue'];

function object<T extends ResourceType>(
  type: T,
  fqName: string[],
  fields: object = {},
  parentType = '',
): Resource {
  return toResource(type, {
    ...fields,
    meta: { uuid: wellKnownUuid(type, fqName), fqName, parentType },
  } as unknown as PartialMessage<T>);
}

async function upsert(...resources: Resource[]): Promise<void> {
  const operations = resources.map((resource): Operation => ({
    kind: { $case: 'upsert', value: { resource } },
  }));
  await transactor.run(operations, '');
}

async function remove(type: ResourceType, ...names: string[][]): Promise<void> {
  const operations = names.map((fqName): Operation => ({
    kind: { $case: 'delete', value: { key: { uuid: '', type, fqName }, expectedRevision: 0n } },
  }));
  await transactor.run(operations, '');
}

async function named<T extends ResourceType>(type: T, fqName: string[]): Promise<Resource> {
  const [uuid] = await store.findUuids([{ type, fqName }]);
  const [resource] = uuid === undefined ? [] : await store.getMany([uuid]);
  if (resource === undefined) throw new Error(`${type} ${fqName.join(':')} does not exist`);
  return resource;
}

async function exists(type: ResourceType, fqName: string[]): Promise<boolean> {
  return (await store.findUuids([{ type, fqName }]))[0] !== undefined;
}

describe('a project', () => {
  const policySet = [...blue, 'default-application-policy-set'];
  const group = [...blue, 'default'];

  it('has its default policy set, refers to it, and has a default security group', async () => {
    await upsert(object('project', blue));
    const project = fromResource('project', await named('project', blue));
    expect(project.applicationPolicySetRefs).toMatchObject([{ fqName: policySet }]);
    const rules = fromResource('security-group', await named('security-group', group));
    expect(rules.securityGroupId).toBeGreaterThanOrEqual(8_000_000);
    expect(rules.securityGroupEntries?.policyRule).toHaveLength(4);
  });

  it('keeps the reference when its owner writes it without', async () => {
    await upsert(object('project', blue));
    const revision = await store.revision();
    await upsert(object('project', blue));
    expect(await store.revision()).toBe(revision);
  });

  it('takes them with it, and nothing is left', async () => {
    const before = await store.list({ type: 'access-control-list', after: '', limit: 100 });
    await upsert(object('project', blue));
    await remove('project', blue);
    expect(await exists('application-policy-set', policySet)).toBe(false);
    expect(await exists('security-group', group)).toBe(false);
    const after = await store.list({ type: 'access-control-list', after: '', limit: 100 });
    expect(after.resources).toHaveLength(before.resources.length);
  });

  it('is held by children of its own', async () => {
    await upsert(object('project', blue), object('security-group', [...blue, 'web']));
    await expect(remove('project', blue)).rejects.toThrow('still has SecurityGroup/default-domain:blue:web');
    expect(await exists('security-group', group)).toBe(true);
  });

  it('does not let its default children be deleted alone', async () => {
    await upsert(object('project', blue));
    await expect(remove('security-group', group)).rejects.toThrow('goes with it');
  });
});

describe('a security group', () => {
  const web = [...blue, 'web'];
  const rule = {
    ruleUuid: '11111111-1111-4111-8111-111111111111',
    direction: '>',
    protocol: 'tcp',
    ethertype: 'IPv4',
    srcAddresses: [{ subnet: { ipPrefix: '192.0.2.0', ipPrefixLen: 24 } }],
    dstAddresses: [{ securityGroup: 'local' }],
    dstPorts: [{ startPort: 80, endPort: 80 }],
  };

  it('has one access control list for each direction, which follows its rules', async () => {
    await upsert(object('project', blue), object('security-group', web));
    const entries = async (direction: string) =>
      fromResource(
        'access-control-list',
        await named('access-control-list', [...web, `${direction}-access-control-list`]),
      ).accessControlListEntries?.aclRule;
    expect(await entries('ingress')).toEqual([]);
    await upsert(
      object('security-group', web, { securityGroupEntries: { policyRule: [rule] } }),
    );
    expect(await entries('ingress')).toMatchObject([
      {
        matchCondition: {
          protocol: 'tcp',
          srcAddress: { subnet: { ipPrefix: '192.0.2.0', ipPrefixLen: 24 } },
          dstAddress: { securityGroup: 'local' },
          dstPort: { startPort: 80, endPort: 80 },
        },
        ruleUuid: rule.ruleUuid,
      },
    ]);
    expect(await entries('egress')).toEqual([]);
    await remove('security-group', web);
    expect(await exists('access-control-list', [...web, 'ingress-access-control-list'])).toBe(false);
  });
});

describe('a tag', () => {
  const tagOf = async (...name: string[]) => fromResource('tag', await named('tag', name));

  it('has a number made of its type and its value', async () => {
    await upsert(object('tag', ['tier=web'], {}, 'config-root'));
    expect(await tagOf('tier=web')).toMatchObject({
      tagTypeName: 'tier',
      tagValue: 'web',
      tagId: '0x00020001',
      tagTypeRefs: [{ fqName: ['tier'] }],
    });
    await upsert(object('tag', ['tier=db'], {}, 'config-root'));
    expect((await tagOf('tier=db')).tagId).toBe('0x00020002');
  });

  it('makes the type that nobody declared, with a number for users', async () => {
    await upsert(object('project', blue), object('tag', [...blue, 'colour=red'], {}, 'project'));
    expect(fromResource('tag-type', await named('tag-type', ['colour'])).tagTypeId).toBe('0x0100');
    expect((await tagOf(...blue, 'colour=red')).tagId).toBe('0x01000001');
  });

  it('keeps its number when it is written again, and the type is held', async () => {
    await upsert(object('tag', ['colour=red'], {}, 'config-root'));
    await upsert(object('tag', ['colour=red'], { meta: { displayName: 'x' } }, 'config-root'));
    expect((await tagOf('colour=red')).tagId).toBe('0x01000001');
    await expect(remove('tag-type', ['colour'])).rejects.toThrow('is still used by Tag/colour=red');
  });

  it('is named after type and value', async () => {
    const wrong = object('tag', ['red'], { tagTypeName: 'colour', tagValue: 'red' }, 'config-root');
    await expect(upsert(wrong)).rejects.toThrow('type and value make the name "colour=red"');
  });
});

describe('a network', () => {
  const net = [...blue, 'net'];

  it('takes routing instances of others with it, but not its pools', async () => {
    await upsert(
      object('project', blue),
      object('virtual-network', net),
      object('routing-instance', [...net, 'second']),
      object('floating-ip-pool', [...net, 'pool']),
    );
    await expect(remove('virtual-network', net)).rejects.toThrow('still has FloatingIpPool');
    await remove('floating-ip-pool', [...net, 'pool']);
    await remove('virtual-network', net);
    expect(await exists('routing-instance', [...net, 'second'])).toBe(false);
  });

  it('keeps the identity of a subnet that is written without it', async () => {
    const subnetUuid = '22222222-2222-4222-8222-222222222222';
    const ipam = (subnet: object): Resource =>
      object('network-ipam', [...blue, 'ipam'], {
        ipamSubnetMethod: 'flat-subnet',
        ipamSubnets: { subnets: [{ subnet: { ipPrefix: '192.0.2.0', ipPrefixLen: 24 }, ...subnet }] },
      });
    await upsert(object('project', blue), ipam({ subnetUuid }));
    await upsert(ipam({ subnetName: 'pods' }));
    const stored = fromResource('network-ipam', await named('network-ipam', [...blue, 'ipam']));
    expect(stored.ipamSubnets?.subnets).toMatchObject([{ subnetUuid, subnetName: 'pods' }]);
  });
});

it('refuses ":" in a name, except in that of a route target', async () => {
  await expect(upsert(object('project', ['default-domain', 'a:b']))).rejects.toThrow('contains ":"');
  await upsert(object('route-target', ['target:64512:100']));
  expect(metaOf(await named('route-target', ['target:64512:100'])).fqName).toHaveLength(1);
});
