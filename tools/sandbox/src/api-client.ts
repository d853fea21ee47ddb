import { readFile } from 'node:fs/promises';
import * as https from 'node:https';
import { SandboxFailure } from './failure';
import type { Sandbox } from './sandbox';

/** What {@link getFromApi} needs of a kubeconfig as {@link writeKubeconfig} writes it. */
interface Kubeconfig {
  readonly clusters: readonly {
    readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string };
  }[];
  readonly users: readonly {
    readonly user: {
      readonly 'client-certificate-data': string;
      readonly 'client-key-data': string;
    };
  }[];
}

interface Access {
  readonly text: string;
  readonly server: string;
  readonly agent: https.Agent;
}

const timeoutMsDefault = 10_000;
/** A connection is kept: asking often must not cost a handshake each time. */
let known: Access | undefined;

/**
 * Asks the API server as administrator. For questions that are asked again and again while a cluster
 * starts: a kubectl of its own for each would take the processors from what is waited for.
 *
 * @param path with its query: `/api/v1/nodes`.
 * @throws SandboxFailure when there is no answer, or another one than 200.
 */
export async function getFromApi(
  sandbox: Sandbox,
  path: string,
  timeoutMs = timeoutMsDefault,
): Promise<string> {
  const { server, agent } = await readAccess(sandbox.adminKubeconfig);
  return new Promise((resolve, reject) => {
    const fail = (reason: string, cause?: unknown): void => {
      reject(new SandboxFailure(`API server ${server}${path}: ${reason}`, 1, { cause }));
    };
    const request = https.get(`${server}${path}`, { agent, timeout: timeoutMs }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', (error) => {
        fail(error.message, error);
      });
      response.on('end', () => {
        const text = Buffer.concat(parts).toString('utf8');
        if (response.statusCode === 200) resolve(text);
        else fail(`answers ${response.statusCode ?? 0}: ${text.slice(0, 1000)}`);
      });
    });
    request.on('timeout', () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    request.on('error', (error) => {
      fail(error.message, error);
    });
  });
}

async function readAccess(kubeconfig: string): Promise<Access> {
  const text = await readFile(kubeconfig, 'utf8');
  if (known?.text === text) return known;
  const { clusters, users } = JSON.parse(text) as Kubeconfig;
  const cluster = clusters[0]?.cluster;
  const user = users[0]?.user;
  if (cluster === undefined || user === undefined) {
    throw new SandboxFailure(`${kubeconfig}: names no cluster or no user`);
  }
  const agent = new https.Agent({
    keepAlive: true,
    ca: Buffer.from(cluster['certificate-authority-data'], 'base64'),
    cert: Buffer.from(user['client-certificate-data'], 'base64'),
    key: Buffer.from(user['client-key-data'], 'base64'),
  });
  known?.agent.destroy();
  known = { text, server: cluster.server, agent };
  return known;
}
