import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { startRedis } from '../../../libs/testing/src';
import { redisAcl } from './contrail-settings';

describe('redisAcl', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'redis-acl-'));
  const aclFile = path.join(folder, 'users.acl');
  writeFileSync(aclFile, redisAcl({ 'config-api': 'secret-1', ipam: 'secret-2' }));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('lets Redis read back every acknowledged write after a crash, also those of scripts', async () => {
    const redis = await startRedis({ args: ['--aclfile', aclFile, '--appendonly', 'yes', '--appendfsync', 'always'] });
    const ask = (user: string, password: string, ...command: string[]): string =>
      execFileSync('redis-cli', ['-s', redis.socketPath, '--no-auth-warning', '--user', user, '--pass', password, ...command]).toString().trim();
    try {
      // Two writes in one script are one transaction in the append-only file.
      const script = "redis.call('SET', 'a', '1') redis.call('SET', 'b', '2') return 'OK'";
      expect(ask('config-api', 'secret-1', 'EVAL', script, '0')).toBe('OK');
      await redis.restart();
      expect(ask('ipam', 'secret-2', 'MGET', 'a', 'b')).toBe('1\n2');
      // The default user is for Redis alone.
      expect(execFileSync('redis-cli', ['-s', redis.socketPath, 'GET', 'a']).toString()).toContain('NOAUTH');
      expect(execFileSync('redis-cli', ['-s', redis.socketPath, 'AUTH', 'default', 'any'], { stdio: 'pipe' }).toString()).toContain('WRONGPASS');
    } finally {
      await redis.stop();
    }
  }, 30_000);
});
