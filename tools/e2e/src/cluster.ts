import { spawn } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface KubeObject {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly uid: string; readonly annotations?: Record<string, string>; readonly labels?: Record<string, string> };
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

const root = path.resolve(__dirname, '../../..');
const name = process.env['SANDBOX'] ?? 'contrail-test';

/** How to run a command of the sandbox. */
export function sandboxCommand(args: readonly string[]): [string, string[]] {
  return [path.join(root, 'tools/sandbox/sandbox'), ['--name', name, ...args]];
}

/** A command of the sandbox; its exit status is returned, not thrown. */
export function sandbox(args: readonly string[], options: { input?: string; timeoutMs?: number; env?: Readonly<Record<string, string>> } = {}): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(...sandboxCommand(args), { cwd: root, env: { ...process.env, ...options.env } });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 120_000);
    child.on('error', reject);
    child.on('close', (status) => {
      clearTimeout(timer);
      resolve({ status: status ?? 255, stdout, stderr });
    });
  });
}

/** Standard output of kubectl. @throws Error with its standard error when it fails. */
export async function kubectl(args: readonly string[], input?: string): Promise<string> {
  const result = await sandbox(['kubectl', ...args], input === undefined ? {} : { input });
  if (result.status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${result.stderr}`);
  return result.stdout;
}

export async function kubectlJson<T>(args: readonly string[]): Promise<T> {
  return JSON.parse(await kubectl([...args, '-o', 'json'])) as T;
}

/** Applies manifests given as objects. */
export function apply(objects: readonly unknown[]): Promise<string> {
  return kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
}

/** A command in a container of a pod; its exit status is returned. */
export function podExec(namespace: string, pod: string, command: readonly string[], container?: string): Promise<CommandResult> {
  return sandbox(['kubectl', '-n', namespace, 'exec', pod, ...(container ? ['-c', container] : []), '--', ...command]);
}

/** A command on a node ("node1", "control-plane") or `outside`. */
export function nodeExec(node: string, command: readonly string[], input?: string): Promise<CommandResult> {
  return sandbox(['exec', node, '--', ...command], input === undefined ? {} : { input });
}

/** Waits until `probe` returns something; its last error is the reason when time runs out. */
export async function eventually<T>(what: string, probe: () => Promise<T | undefined>, timeoutMs = 60_000): Promise<T> {
  const end = Date.now() + timeoutMs;
  let reason: unknown = 'no result yet';
  while (Date.now() < end) {
    try {
      const found = await probe();
      if (found !== undefined) return found;
    } catch (error) {
      reason = error;
    }
    await sleep(250);
  }
  throw new Error(`${what}: not within ${timeoutMs / 1000} s: ${String(reason)}`);
}

/** Creates a namespace for the test and returns how to remove it. */
export async function temporaryNamespace(prefix: string): Promise<{ name: string; remove: () => Promise<void> }> {
  const namespace = `${prefix}-${Math.random().toString(36).slice(2, 8)}`;
  await kubectl(['create', 'namespace', namespace]);
  await eventually(`ServiceAccount of ${namespace}`, async () => {
    await kubectl(['-n', namespace, 'get', 'serviceaccount', 'default']);
    return true;
  });
  return { name: namespace, remove: async () => void (await kubectl(['delete', 'namespace', namespace, '--wait=false', '--ignore-not-found'])) };
}

export const agnhost = 'registry.k8s.io/e2e-test-images/agnhost:2.66.1';

/** A pod that serves HTTP on 8080 and UDP on 8081 (agnhost netexec). */
export function netexecPod(podName: string, namespace: string, extra: { labels?: Record<string, string>; spec?: Record<string, unknown>; container?: Record<string, unknown> } = {}): unknown {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: podName, namespace, labels: { app: podName, ...extra.labels } },
    spec: {
      terminationGracePeriodSeconds: 0,
      tolerations: [{ operator: 'Exists' }],
      containers: [
        {
          name: 'main',
          image: agnhost,
          imagePullPolicy: 'IfNotPresent',
          args: ['netexec', '--http-port=8080', '--udp-port=8081'],
          readinessProbe: { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 1 },
          ...extra.container,
        },
      ],
      ...extra.spec,
    },
  };
}

export async function waitReady(namespace: string, pods: readonly string[], timeoutS = 90): Promise<void> {
  await kubectl(['-n', namespace, 'wait', '--for=condition=Ready', `--timeout=${timeoutS}s`, ...pods.map((pod) => `pod/${pod}`)]);
}

export async function podIp(namespace: string, pod: string): Promise<string> {
  return (await kubectl(['-n', namespace, 'get', 'pod', pod, '-o', 'jsonpath={.status.podIP}'])).trim();
}

/** Kubernetes name -> InternalIP of every node. */
export async function nodeAddresses(): Promise<Map<string, string>> {
  const { items } = await kubectlJson<{ items: KubeObject[] }>(['get', 'nodes']);
  return new Map(
    items.map((node) => {
      const addresses = (node.status?.['addresses'] ?? []) as Array<{ type: string; address: string }>;
      return [node.metadata.name, addresses.find((a) => a.type === 'InternalIP')?.address ?? ''];
    }),
  );
}
