import { readFileSync } from 'node:fs';
import https from 'node:https';

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string } }[];
  readonly users: readonly { readonly user: { readonly 'client-certificate-data': string; readonly 'client-key-data': string } }[];
}

const timeoutMs = 30_000;

/** The API server as administrator, on one kept connection: a kubectl for each call would be measured as well. */
export class KubeApi {
  readonly #server: string;
  readonly #agent: https.Agent;

  /** @param kubeconfig file as the sandbox writes it (JSON). */
  constructor(kubeconfig: string) {
    const { clusters, users } = JSON.parse(readFileSync(kubeconfig, 'utf8')) as Kubeconfig;
    const cluster = clusters[0]?.cluster;
    const user = users[0]?.user;
    if (cluster === undefined || user === undefined) throw new Error(`${kubeconfig}: names no cluster or no user`);
    this.#server = cluster.server;
    const decode = (data: string): Buffer => Buffer.from(data, 'base64');
    this.#agent = new https.Agent({
      keepAlive: true,
      ca: decode(cluster['certificate-authority-data']),
      cert: decode(user['client-certificate-data']),
      key: decode(user['client-key-data']),
    });
  }

  /** @throws Error with the answer's text when that is no success; 404 of a DELETE is one. */
  async call<T>(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T> {
    const { status, text } = await this.#send(method, path, body);
    const isAbsent = method === 'DELETE' && status === 404;
    if ((status < 200 || status > 299) && !isAbsent) throw new Error(`${method} ${path}: ${status} ${text.slice(0, 500)}`);
    return JSON.parse(text) as T;
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(method: string, path: string, body: unknown): Promise<{ status: number; text: string }> {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    return new Promise((resolve, reject) => {
      const options = { method, agent: this.#agent, timeout: timeoutMs, headers: { 'content-type': type } };
      const request = https.request(`${this.#server}${path}`, options, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString() }));
      });
      request.on('timeout', () => request.destroy(new Error(`${method} ${path}: no answer within ${timeoutMs} ms`)));
      request.on('error', reject);
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}
