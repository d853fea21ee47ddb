import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { parsePrefix } from '@contrail/net';
import { createClient } from 'redis';
import { metaOf, toResource, wellKnownUuid } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { AddressPool, openStore } from '@contrail/store';
import type { AllocationItem } from '@contrail/store';
import { startRedis } from '@contrail/testing';
import type { TestRedis } from '@contrail/testing';
import { redisAcl } from './contrail-settings';

const subnet = {
  ...{ uuid: 's', prefix: parsePrefix('192.0.2.0/24'), gateway: undefined, dns: undefined },
  ...{ fromStart: true, pools: [], exclusions: [], unit: 1 },
};
const item: AllocationItem = {
  ...{ network: 'n', owner: 'a', ownerType: '', family: 4, subnets: [subnet], anySubnet: true },
  ...{ address: undefined, reserved: false, description: '' },
};

function vm(name: string): Resource {
  return toResource('virtual-machine', {
    meta: { uuid: wellKnownUuid('virtual-machine', [name]), fqName: [name] },
  });
}

describe('Redis with the ACL of the sandbox', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'acl-'));
  const aclFile = path.join(folder, 'users.acl');
  const passwordFile = path.join(folder, 'password');
  writeFileSync(aclFile, redisAcl({ 'config-api': 'one', ipam: 'two' }));
  writeFileSync(passwordFile, 'two');
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('has everything after a restart, and talks to nobody without a name', async () => {
    const args = ['--aclfile', aclFile, '--appendonly', 'yes', '--appendfsync', 'always'];
    const redis = await startRedis({ args });
    const pool = new AddressPool({ redis: { url: redis.url, user: 'ipam', passwordFile } });
    try {
      expect(await pool.allocate([item])).toMatchObject([{ kind: 'allocated' }]);
      await redis.restart();
      while ((await pool.problems()).length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
      const { addresses } = await pool.list('n', '');
      expect(addresses.map(({ owner }) => owner)).toEqual(['a']);
      const nobody = new AddressPool({ redis: { url: redis.url } });
      const refused = await nobody.problems().finally(() => nobody.close());
      expect(refused).toEqual([expect.stringContaining('refuses the user name or password')]);
    } finally {
      await pool.close();
      await redis.stop();
    }
  });

  const ownPassword = path.join(folder, 'config-api-password');
  writeFileSync(ownPassword, 'one');

  it('lets config-api keep the model, numbers and texts, and sees addresses in use', async () => {
    const redis = await startRedis({ args: ['--aclfile', aclFile] });
    const store = openStore({ redis: { url: redis.url, user: 'config-api', passwordFile: ownPassword } });
    const pool = new AddressPool({ redis: { url: redis.url, user: 'ipam', passwordFile } });
    const controller = new AbortController();
    try {
      const put = { kind: 'put', resource: vm('x'), previous: undefined } as const;
      const request = { claims: [], frees: [], traceparent: '' };
      const of = { kind: 'named', fqName: ['default-domain'] } as const;
      const limits = [{ type: 'virtual-machine', of, added: 1, max: 1 } as const];
      expect(await store.transact({ ...request, writes: [put], limits })).toMatchObject({ ok: true });
      const { uuid } = metaOf(vm('x'));
      const [stored] = await store.getMany([uuid]);
      if (stored === undefined) throw new Error('the object is not there');
      expect(await store.findUuids([{ type: 'virtual-machine', fqName: ['x'] }])).toEqual([uuid]);
      expect(await store.allot('label', ['k'], true)).toEqual([1]);
      await store.setText('view', '{}');
      expect(await store.texts()).toHaveLength(1);
      expect(await store.dependents(uuid, 'c', 10)).toEqual([]);
      await store.reportProgress([{ node: 'n', revision: 1n, exceptions: [], reportedAtMs: 1n, madeRevision: 0n, movedRevision: 0n }]);
      expect(await store.progress()).toHaveLength(1);
      await store.forgetProgress(['n']);
      await pool.allocate([item]);
      const guards = [{ write: 0, subnet: subnet.uuid }];
      const removal = { kind: 'delete', previous: stored } as const;
      expect(await store.transact({ ...request, writes: [removal], guards })).toMatchObject({
        failure: { kind: 'subnet-in-use', count: 1 },
      });
      const byNetwork = [{ write: 0, subnet: subnet.uuid, network: 'n' }];
      expect(await store.transact({ ...request, writes: [removal], guards: byNetwork })).toMatchObject({
        failure: { count: 1 },
      });
      await pool.release([{ network: 'n', owner: 'a', address: undefined }]);
      const frees = [{ space: 'label', key: 'k' }] as const;
      expect(await store.transact({ ...request, writes: [removal], guards, frees })).toMatchObject({ ok: true });
      for await (const event of store.watch({ types: [], signal: controller.signal })) {
        if (event.kind === 'in-sync') break;
      }
      expect(await store.problems()).toEqual([]);
    } finally {
      controller.abort();
      await Promise.all([store.close(), pool.close()]);
      await redis.stop();
    }
  });

  it.each([
    ['ipam', 'two', ['GET', '{contrail}:rev']],
    ['ipam', 'two', ['HSET', '{contrail}:texts', 'k', 'v']],
    ['ipam', 'two', ['SET', '{contrail}:o:x', 'v']],
    ['ipam', 'two', ['FLUSHALL']],
    ['config-api', 'one', ['HSET', '{contrail}:a:held:s', '00', 'v']],
    ['config-api', 'one', ['GET', '{other}:rev']],
    ['config-api', 'one', ['CONFIG', 'SET', 'appendonly', 'no']],
    ['config-api', 'one', ['KEYS', '*']],
    ['config-api', 'one', ['FUNCTION', 'FLUSH']],
    ['config-api', 'one', ['ACL', 'WHOAMI']],
    ['config-api', 'one', ['SHUTDOWN']],
  ])('refuses %s, password %s, the command %j', async (username, password, command) => {
    const redis: TestRedis = await startRedis({ args: ['--aclfile', aclFile] });
    const client = createClient({ url: redis.url, username, password, RESP: 2 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await expect(client.sendCommand(command)).rejects.toThrow('NOPERM');
    } finally {
      client.destroy();
      await redis.stop();
    }
  });
});
