import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readClusterAccess } from './cluster-access';
import { loadConfig } from './config';

const folder = mkdtempSync(path.join(tmpdir(), 'kubectl-'));
const kubectl = path.join(folder, 'kubectl');

/** A kubectl that answers with this shell script. */
function standIn(script: string): void {
  writeFileSync(kubectl, `#!/bin/sh\n${script}\n`);
  chmodSync(kubectl, 0o755);
}

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const cluster = `
case "$*" in
  *"--kubeconfig /a/config -n contrail get configmap contrail-addresses"*) echo '{"data":{"CONFIG_API_ADDRESS":"192.0.2.1:9001","IPAM_ADDRESS":"192.0.2.1:9002"}}' ;;
  *"get secret contrail-tls-contrailctl"*) echo '{"data":{"tls.crt":"${base64('cert')}","tls.key":"${base64('key')}","ca.crt":"${base64('ca')}"}}' ;;
  *) exit 9 ;;
esac`;

it('takes addresses and certificate from the cluster, and leaves no key behind', async () => {
  standIn(cluster);
  const access = await readClusterAccess(loadConfig({ KUBECONFIG: '/a/config' }), kubectl);
  const { configApiAddress, ipamAddress, certFile, keyFile, caFile } = access.config;
  expect([configApiAddress, ipamAddress]).toEqual(['192.0.2.1:9001', '192.0.2.1:9002']);
  expect([certFile, keyFile, caFile].map((file) => readFileSync(file, 'utf8'))).toEqual(['cert', 'key', 'ca']);
  expect(statSync(keyFile).mode & 0o077).toBe(0);
  access.close();
  expect(existsSync(keyFile)).toBe(false);
});

const withTrust = `
case "$*" in
  *"config view --minify --raw"*) echo '{"users":[{"user":{"token":"of-the-file"}}]}' ;;
  *"get configmap contrail-addresses"*) echo '{"data":{"CONFIG_API_ADDRESS":"192.0.2.1:9001","CONFIG_API_BOOTSTRAP_ADDRESS":"192.0.2.1:9011"}}' ;;
  *"get configmap contrail-trust"*) echo '{"data":{"ca.crt":"ca"}}' ;;
  *) exit 9 ;;
esac`;

it.each([
  ['of the kubeconfig', {}, 'of-the-file'],
  ['that is given', { CONTRAIL_TOKEN: 'given' }, 'given'],
])('needs no Secret with a token %s', async (_, environment, token) => {
  standIn(withTrust);
  const access = await readClusterAccess(loadConfig(environment), kubectl);
  expect(access.config).toMatchObject({ token, configApiAddress: '192.0.2.1:9011' });
  expect(readFileSync(access.config.caFile, 'utf8')).toBe('ca');
  access.close();
});

it('says what kubectl says, with the remedy', async () => {
  standIn('echo "a warning" >&2; echo "Error from server (Forbidden): secrets is forbidden" >&2; exit 1');
  await expect(readClusterAccess(loadConfig({}), kubectl)).rejects.toThrow(
    /contrail\/contrail-(addresses|tls-contrailctl): kubectl cannot read it: Error from server \(Forbidden\).*; check the kubeconfig and your rights/,
  );
});
