import { spawn } from 'node:child_process';
import path from 'node:path';

const root = path.resolve(__dirname, '../../..');
const name = process.env['SANDBOX'] ?? 'contrail-test';

/** Calls `use` with the URL of a port of a pod, which `kubectl port-forward` makes meanwhile. */
export async function withPortForward<T>(namespace: string, pod: string, port: number, use: (url: string) => Promise<T>): Promise<T> {
  const words = ['--name', name, 'kubectl', '-n', namespace, 'port-forward', '--address', '127.0.0.1', `pod/${pod}`, `:${port}`];
  const child = spawn(path.join(root, 'tools/sandbox/sandbox'), words, { cwd: root, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = new Promise((resolve) => child.on('close', resolve));
  try {
    const url = await new Promise<string>((resolve, reject) => {
      let text = '';
      const read = (chunk: Buffer): void => {
        text += chunk.toString();
        const [, local] = /Forwarding from 127\.0\.0\.1:(\d+)/.exec(text) ?? [];
        if (local !== undefined) resolve(`http://127.0.0.1:${local}`);
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.on('error', reject);
      child.on('close', () => reject(new Error(`port-forward to ${namespace}/${pod} ended: ${text}`)));
    });
    return await use(url);
  } finally {
    // The command and what it started are one process group.
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
    await closed;
  }
}
