import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { parsePrefix } from '@contrail/net';
import { AddressPool } from '@contrail/store';
import type { AllocationItem } from '@contrail/store';
import { startRedis } from '@contrail/testing';
import { redisAcl } from './contrail-settings';

const subnet = {
  ...{ uuid: 's', prefix: parsePrefix('192.0.2.0/24'), gateway: undefined, dns: undefined },
  ...{ fromStart: true, pools: [], exclusions: [], unit: 1 },
};
const item: AllocationItem = {
  ...{ network: 'n', owner: 'a', ownerType: '', family: 4, subnets: [subnet], anySubnet: true },
  ...{ address: undefined, reserved: false, description: '' },
};

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
    const nobody = new AddressPool({ redis: { url: redis.url } });
    try {
      expect(await pool.allocate([item])).toMatchObject([{ kind: 'allocated' }]);
      await redis.restart();
      while ((await pool.problems()).length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
      const { addresses } = await pool.list('n', '');
      expect(addresses.map(({ owner }) => owner)).toEqual(['a']);
      expect(await nobody.problems()).toEqual([expect.stringContaining('refuses the user name or password')]);
    } finally {
      await Promise.all([pool.close(), nobody.close()]);
      await redis.stop();
    }
  });
});
