import { execFile } from 'node:child_process';
import path from 'node:path';
import { nodeAddresses, sandbox } from './cluster';

const root = path.resolve(__dirname, '../../..');

export interface VerifyReport {
  readonly drifts: ReadonlyArray<{ readonly node: string; readonly kind: string; readonly object: string; readonly expected: string; readonly found: string; readonly mended: boolean }>;
  readonly notChecked: readonly string[];
  readonly checked: Readonly<Record<string, number>>;
}

interface Finished {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly timeoutMs?: number;
  /** Aborted: the program is interrupted, as by Ctrl-C. */
  readonly interrupt?: AbortSignal;
}

function run(program: string, args: readonly string[], { timeoutMs = 120_000, interrupt }: RunOptions = {}): Promise<Finished> {
  return new Promise((resolve) => {
    const child = execFile(program, [...args], { cwd: root, timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      resolve({ status: typeof code === 'number' ? code : 255, stdout, stderr });
    });
    interrupt?.addEventListener('abort', () => child.kill('SIGINT'), { once: true });
  });
}

let built: Promise<Finished> | undefined;

/** contrailctl on the machine, with its certificate and the administrator's kubeconfig of the sandbox. */
export async function contrailctl(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  built ??= run('node', ['tools/build-app.mjs', 'contrailctl']);
  const build = await built;
  if (build.status !== 0) throw new Error(`contrailctl was not built: ${build.stderr}`);
  const kubeconfig = (await sandbox(['kubeconfig'])).stdout.trim();
  const pki = path.join(path.dirname(kubeconfig), '../pki/contrail');
  const host = (await nodeAddresses()).get('control-plane') ?? '';
  const access = {
    'config-api': `${host}:9001`,
    ipam: `${host}:9002`,
    control: `${host}:9003`,
    kubeconfig,
    'tls-cert': path.join(pki, 'contrailctl.crt'),
    'tls-key': path.join(pki, 'contrailctl.key'),
    'tls-ca': path.join(pki, 'ca.crt'),
  };
  return await run('node', ['dist/apps/contrailctl/main.js', ...Object.entries(access).flatMap(([name, value]) => [`--${name}`, value]), ...args], options);
}

/** `contrailctl verify`, with its exit status. */
export async function verifyCluster(...args: string[]): Promise<VerifyReport & { status: number }> {
  const { status, stdout, stderr } = await contrailctl(['-o', 'json', 'verify', ...args]);
  if (!stdout.startsWith('{')) throw new Error(`contrailctl verify: ${stderr}`);
  return { ...(JSON.parse(stdout) as VerifyReport), status };
}
