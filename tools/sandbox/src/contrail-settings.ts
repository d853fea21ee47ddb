import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { clusterDnsAddress, podSubnet, serviceSubnet } from './address-plan';
import { createAuthority, issueCertificate } from './pki';
import type { Sandbox } from './sandbox';

/** Namespace of our services. */
export const contrailNamespace = 'contrail';

/** Each has a certificate with its own name; who may call which method is decided by that name. */
const services = [
  'config-api',
  'ipam',
  'kube-manager',
  'control',
  'dns',
  'service-monitor',
  'contrailctl',
  'redis-server',
  'web-ui',
] as const;

/** Redis users, one for each service that may open Redis. */
const redisUsers = ['config-api', 'ipam'] as const;
type RedisUser = (typeof redisUsers)[number];

/** The ConfigMap and the Secrets that our manifests expect and that belong to this one cluster. */
export async function contrailObjects(sandbox: Sandbox): Promise<object[]> {
  const tls = await tlsObjects(sandbox);
  const settings = addresses(sandbox);
  const ofDns = [settings, ...tls.filter((object) => object.metadata.name === 'contrail-tls-dns')];
  return [settings, ...tls, await redisSecret(sandbox), ...ofDns.map(inDnsNamespace)];
}

/** A ConfigMap or a Secret. */
interface NamedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly data: Readonly<Record<string, string>>;
  readonly type?: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
}

/** Cluster DNS lives in kube-system, where users' policies expect it, and objects belong to one namespace. */
function inDnsNamespace<T extends NamedObject>(object: T): T {
  return { ...object, metadata: { ...object.metadata, namespace: 'kube-system' } };
}

/**
 * Where our services find each other and Kubernetes: by node addresses and ports, because the
 * infrastructure pods make the pod network and therefore do not use it.
 */
function addresses(sandbox: Sandbox): NamedObject {
  const host = sandbox.plan.controlPlane.address;
  const data: Record<string, string> = {
    KUBERNETES_SERVICE_HOST: host,
    KUBERNETES_SERVICE_PORT: '6443',
    CONFIG_API_ADDRESS: `${host}:9001`,
    CONFIG_API_BOOTSTRAP_ADDRESS: `${host}:9011`,
    IPAM_ADDRESS: `${host}:9002`,
    CONTROL_ADDRESS: `${host}:9003`,
    REDIS_URL: `rediss://${host}:6379`,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://${host}:4317`,
    CLUSTER_NAME: 'k8s',
    POD_SUBNETS: podSubnet,
    SERVICE_SUBNETS: serviceSubnet,
    CLUSTER_DNS: clusterDnsAddress,
    IP_FABRIC_SUBNETS: sandbox.plan.underlay,
  };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata('contrail-addresses'), data };
}

/**
 * Certificates of all services, signed by an authority that exists for this sandbox only; that
 * authority for config-api, which signs agents; and its certificate for agents, which have none yet.
 */
async function tlsObjects(sandbox: Sandbox): Promise<NamedObject[]> {
  const folder = (name: string): string => sandbox.file('pki', 'contrail', name);
  const authority = await createAuthority(folder('ca'), 'contrail');
  const nodeAddresses = sandbox.plan.nodes.map((node) => `IP:${node.address}`);
  const secrets = await Promise.all(
    services.map(async (service) => {
      const names = [
        `DNS:${service}`,
        `DNS:${service}.${contrailNamespace}.svc`,
        'DNS:localhost',
        'IP:127.0.0.1',
      ];
      const pair = await issueCertificate(authority, {
        base: folder(service),
        commonName: service,
        names: [...names, ...nodeAddresses],
      });
      return secret(`contrail-tls-${service}`, {
        'tls.crt': await readFile(pair.certificate),
        'tls.key': await readFile(pair.key),
        'ca.crt': await readFile(authority.certificate),
      });
    }),
  );
  const signer = secret('contrail-ca', {
    'tls.crt': await readFile(authority.certificate),
    'tls.key': await readFile(authority.key),
  });
  const trust = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadata('contrail-trust'),
    data: { 'ca.crt': await readFile(authority.certificate, 'utf8') },
  };
  return [...secrets, signer, trust];
}

async function redisSecret(sandbox: Sandbox): Promise<object> {
  const passwords = await redisPasswords(sandbox);
  const data: Record<string, Buffer> = { 'users.acl': Buffer.from(redisAcl(passwords)) };
  for (const user of redisUsers) data[`${user}-password`] = Buffer.from(passwords[user]);
  return secret('contrail-redis', data);
}

/** Made once for each sandbox: a later roll-out must not lock running services out. */
async function redisPasswords(sandbox: Sandbox): Promise<Record<RedisUser, string>> {
  const file = sandbox.file('pki', 'contrail', 'redis-passwords.json');
  const text = await readFile(file, 'utf8').catch(() => '{}');
  const known = JSON.parse(text) as Partial<Record<RedisUser, string>>;
  const password = (): string => randomBytes(24).toString('base64url');
  const passwords = {
    'config-api': known['config-api'] ?? password(),
    ipam: known.ipam ?? password(),
  };
  await writeFile(file, JSON.stringify(passwords), { mode: 0o600 });
  return passwords;
}

/** Connecting, our functions, and what they call inside. */
const functionRights = [
  ...['+ping', '+info', '+fcall', '+function|load', '+time', '+hget', '+hmget', '+hset', '+hdel'],
  ...['+zadd', '+zrem', '+zcard', '+zrangebylex', '+zrangebyscore', '+set', '+hlen'],
];

/** Keys: `{<deployment>}:` names all of a deployment, `a:` are addresses (libs/store/src/keys.ts). */
const redisRights: Readonly<Record<RedisUser, readonly string[]>> = {
  'config-api': [
    ...['~{contrail}:', '~{contrail}:[^a]*', '%R~{contrail}:a:*', ...functionRights],
    ...['+get', '+mget', '+getrange', '+mset', '+del', '+incr', '+incrby', '+zrange', '+lindex', '+lpop', '+rpush'],
    ...['+xadd', '+xread', '+xrange', '+hvals', '+hkeys', '+zlexcount'],
  ],
  ipam: [
    ...['~{contrail}:', '~{contrail}:a:*', '~{contrail}:probe', ...functionRights],
    ...['+exists', '+hexists', '+zscore', '+zmscore', '+zcount', '+zrange'],
    ...['+zremrangebyscore', '+sadd', '+srem', '+smembers'],
  ],
};

/**
 * Redis' ACL file. The default user is off: nobody talks to Redis without a name. It has every right all the same,
 * because Redis reads its append-only file as that user and would skip each transaction that it may not run.
 * Our users have what they need and no more: no other keys, and nothing that ends, empties or reconfigures Redis.
 */
export function redisAcl(passwords: Readonly<Record<RedisUser, string>>): string {
  const lines = redisUsers.map(
    (user) => `user ${user} on >${passwords[user]} resetchannels ${redisRights[user].join(' ')}`,
  );
  return ['user default off resetpass ~* &* +@all', ...lines, ''].join('\n');
}

function secret(name: string, content: Readonly<Record<string, Buffer>>): NamedObject {
  const data = Object.fromEntries(
    Object.entries(content).map(([key, value]) => [key, value.toString('base64')]),
  );
  return { apiVersion: 'v1', kind: 'Secret', metadata: metadata(name), type: 'Opaque', data };
}

function metadata(name: string): NamedObject['metadata'] {
  return { name, namespace: contrailNamespace };
}
