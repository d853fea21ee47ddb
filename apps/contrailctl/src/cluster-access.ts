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

const trustName = 'contrail-trust';

/** Where the services are and who we are, for this one run. */
export interface ClusterAccess {
  readonly config: Config;
  /** Removes the key from the disk. */
  close(): void;
}

/**
 * As a kubectl plugin: addresses and certificate come from the cluster of the kubeconfig, by `kubectl`, so whoever may read
 * the Secret needs no files of his own. Who has a token, given or in the kubeconfig, needs neither Secret nor certificate.
 * Options of the command line go before.
 *
 * @param kubectl the program.
 * @throws ContrailError UNAVAILABLE with what kubectl says.
 */
export async function readClusterAccess(config: Config, kubectl = 'kubectl'): Promise<ClusterAccess> {
  const read = (kind: string, name: string): Promise<Data> => readData(config, kubectl, { kind, name });
  const token = config.token || (await tokenOfKubeconfig(config, kubectl));
  const [addresses, files] = await Promise.all([
    read('configmap', addressesName),
    token === '' ? read('secret', certificateName).then(fromBase64) : read('configmap', trustName),
  ]);
  const folder = mkdtempSync(path.join(tmpdir(), 'contrailctl-'));
  const save = (key: string): string => {
    const file = path.join(folder, key);
    writeFileSync(file, files[key] ?? '', { mode: 0o600 });
    return file;
  };
  const { CONFIG_API_ADDRESS: forServices, CONFIG_API_BOOTSTRAP_ADDRESS: forUsers, IPAM_ADDRESS: ipam, CONTROL_ADDRESS: control } = addresses;
  return {
    config: {
      ...{ ...config, token },
      configApiAddress: (token === '' ? forServices : forUsers) ?? config.configApiAddress,
      ipamAddress: ipam ?? config.ipamAddress,
      controlAddress: control ?? config.controlAddress,
      certFile: save('tls.crt'),
      keyFile: save('tls.key'),
      caFile: save('ca.crt'),
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function fromBase64(data: Data): Data {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]));
}

/** Of the kubeconfig's current user; empty when it has none. */
async function tokenOfKubeconfig({ kubeconfig }: Config, kubectl: string): Promise<string> {
  const words = [...(kubeconfig === '' ? [] : ['--kubeconfig', kubeconfig]), 'config', 'view', '--minify', '--raw', '-o', 'json'];
  try {
    const { stdout } = await execute(kubectl, words, { timeout: kubectlTimeoutMs });
    const { users } = JSON.parse(stdout) as { users?: { user?: { token?: string } }[] };
    return users?.[0]?.user?.token ?? '';
  } catch {
    // A kubeconfig that cannot be read is reported with what is read next.
    return '';
  }
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
