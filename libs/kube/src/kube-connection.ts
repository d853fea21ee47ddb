import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ContrailError } from '@contrail/errors';
import { parse } from 'yaml';

/** How to reach an API server and who we are there. */
export interface KubeConnection {
  readonly protocol: 'http:' | 'https:';
  readonly host: string;
  readonly port: number;
  /** Read before each request; implementations cache. */
  credentials(): KubeCredentials;
}

export interface KubeCredentials {
  readonly ca?: string | undefined;
  readonly token?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';
/** The kubelet replaces the token file when 80 % of its life is over; a minute is soon enough. */
const rereadMs = 60_000;

export interface InClusterOptions {
  readonly host: string;
  readonly port: number;
  readonly tokenFile?: string;
  readonly caFile?: string;
  readonly now?: () => number;
}

/** The connection of a pod with its ServiceAccount. Files are read again each minute. */
export function inClusterConnection(options: InClusterOptions): KubeConnection {
  const tokenFile = options.tokenFile ?? `${serviceAccountFolder}/token`;
  const caFile = options.caFile ?? `${serviceAccountFolder}/ca.crt`;
  const now = options.now ?? Date.now;
  let cached: KubeCredentials | undefined;
  let readAtMs = 0;
  return {
    protocol: 'https:',
    host: options.host,
    port: options.port,
    credentials: () => {
      if (cached === undefined || now() - readAtMs >= rereadMs) {
        cached = { token: readCredential(tokenFile).trim(), ca: readCredential(caFile) };
        readAtMs = now();
      }
      return cached;
    },
  };
}

interface Kubeconfig {
  readonly 'current-context'?: string;
  readonly contexts?: readonly { name: string; context: { cluster: string; user: string } }[];
  readonly clusters?: readonly { name: string; cluster: Readonly<Record<string, string>> }[];
  readonly users?: readonly { name: string; user: Readonly<Record<string, string>> }[];
}

/** The current context of a kubeconfig file: client certificate or token; for tools and tests. */
export function kubeconfigConnection(file: string): KubeConnection {
  const config = parse(readCredential(file)) as Kubeconfig | null;
  const fail = (what: string): never => {
    throw new ContrailError('INVALID_ARGUMENT', `kubeconfig ${file}: ${what}`);
  };
  const contextName = config?.['current-context'] ?? fail('has no current-context');
  const context = config?.contexts?.find((entry) => entry.name === contextName)?.context;
  if (context === undefined) return fail(`context "${contextName}" does not exist`);
  const cluster = config?.clusters?.find((entry) => entry.name === context.cluster)?.cluster;
  const user = config?.users?.find((entry) => entry.name === context.user)?.user ?? {};
  const server = cluster?.['server'];
  if (cluster === undefined || server === undefined || !URL.canParse(server)) {
    return fail(`cluster "${context.cluster}" needs a server, a URL`);
  }
  const url = new URL(server);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return fail(`server "${server}" must be http or https`);
  const text = (section: Readonly<Record<string, string>>, field: string): string | undefined => {
    const data = section[`${field}-data`];
    if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
    const path = section[field];
    return path === undefined ? undefined : readCredential(resolve(dirname(file), path));
  };
  const credentials: KubeCredentials = {
    ca: text(cluster, 'certificate-authority'),
    token: user['token'],
    certificate: text(user, 'client-certificate'),
    key: text(user, 'client-key'),
  };
  return {
    protocol: url.protocol,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port),
    credentials: () => credentials,
  };
}

function readCredential(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ContrailError('UNAUTHENTICATED', `file ${file}: cannot be read`, { cause });
  }
}
