import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { ContrailError, errorText } from '@contrail/errors';
import type { Config } from './config';

const execute = promisify(execFile);
const kubectlTimeoutMs = 10_000;
const namespace = 'contrail';
const addressesName = 'contrail-addresses';
const certificateName = 'contrail-tls-contrailctl';

/** Where the services are and who we are, for this one run. */
export interface ClusterAccess {
  readonly config: Config;
  /** Removes the key from the disk. */
  close(): void;
}

/**
 * As a kubectl plugin: addresses and certificate come from the cluster of the kubeconfig, by `kubectl`, so whoever may read
 * the Secret needs no files of his own. Options of the command line go before.
 *
 * @param kubectl the program.
 * @throws ContrailError UNAVAILABLE with what kubectl says.
 */
export async function readClusterAccess(config: Config, kubectl = 'kubectl'): Promise<ClusterAccess> {
  const read = (kind: string, name: string): Promise<Data> => readData(config, kubectl, { kind, name });
  const [addresses, certificate] = await Promise.all([read('configmap', addressesName), read('secret', certificateName)]);
  const folder = mkdtempSync(path.join(tmpdir(), 'contrailctl-'));
  const save = (key: string): string => {
    const file = path.join(folder, key);
    writeFileSync(file, Buffer.from(certificate[key] ?? '', 'base64'), { mode: 0o600 });
    return file;
  };
  return {
    config: {
      ...config,
      configApiAddress: addresses['CONFIG_API_ADDRESS'] ?? config.configApiAddress,
      ipamAddress: addresses['IPAM_ADDRESS'] ?? config.ipamAddress,
      certFile: save('tls.crt'),
      keyFile: save('tls.key'),
      caFile: save('ca.crt'),
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

type Data = Readonly<Record<string, string>>;

async function readData({ kubeconfig }: Config, kubectl: string, { kind, name }: { kind: string; name: string }): Promise<Data> {
  const words = [...(kubeconfig === '' ? [] : ['--kubeconfig', kubeconfig]), '-n', namespace, 'get', kind, name, '-o', 'json'];
  try {
    const { stdout } = await execute(kubectl, words, { timeout: kubectlTimeoutMs });
    return (JSON.parse(stdout) as { data?: Record<string, string> }).data ?? {};
  } catch (error) {
    throw new ContrailError(
      'UNAVAILABLE',
      `${kind} ${namespace}/${name}: kubectl cannot read it: ${reasonOf(error)}; check the kubeconfig and your rights, ` +
        'or run contrailctl with --config-api and --tls-… instead',
    );
  }
}

/** The last line that kubectl said. */
function reasonOf(error: unknown): string {
  const said = typeof error === 'object' && error !== null && 'stderr' in error ? String(error.stderr) : '';
  return said.trim().split('\n').at(-1) || errorText(error);
}
