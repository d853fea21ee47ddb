/** Redis, config-api and ipam as processes, with TLS and durability as in production. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigServiceClient } from '@contrail/proto-gen/config/v1/config_service';
import { IpamServiceClient } from '@contrail/proto-gen/ipam/v1/ipam_service';
import { closeClient, createClient, staticTls } from '@contrail/rpc';
import type { RunningServer } from '@contrail/rpc';
import { startRedis, testPki } from '@contrail/testing';
import type { TestRedis } from '@contrail/testing';
import type { Programs } from '../programs';
import { startFakeKubernetes } from './fake-kubernetes';
import type { FakeKubernetes } from './fake-kubernetes';
import { RestClient } from './rest-client';
import { startTraceSink } from './trace-sink';

const readyTimeoutMs = 30_000;

/** Gives a process the ServiceAccount that it would find in its pod. Arguments: folder with it, program. */
const asPod = `
mount -t tmpfs tmpfs /run && mkdir -p /run/secrets/kubernetes.io/serviceaccount &&
cp "$1/token" "$1/ca.crt" /run/secrets/kubernetes.io/serviceaccount/ && shift && exec "$@"`;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

async function waitUntilReady(name: string, adminPort: number, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + readyTimeoutMs;
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${adminPort}/readyz`).catch(() => undefined);
    if (answer?.status === 200) return;
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}; see above`);
    if (Date.now() > deadline) throw new Error(`${name} is not ready: ${(await answer?.text()) ?? 'no answer'}`);
    await sleep(50);
  }
}

export class ConfigPlane {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'bench-config-'));
  readonly #pki = testPki();
  readonly #children: ChildProcess[] = [];
  readonly #clients: Array<ConfigServiceClient | IpamServiceClient> = [];
  readonly #restClients: RestClient[] = [];
  readonly #pids = new Map<string, number>();
  #redis: TestRedis | undefined;
  #sink: RunningServer | undefined;
  #kubernetes: FakeKubernetes | undefined;
  #restPort = 0;
  #configAddress = '';
  #ipamAddress = '';

  static async start(programs: Programs): Promise<ConfigPlane> {
    const plane = new ConfigPlane();
    try {
      await plane.#start(programs);
      return plane;
    } catch (error) {
      await plane.stop();
      throw error;
    }
  }

  /** Of redis, config-api or ipam. */
  pidOf(name: string): number {
    const pid = this.#pids.get(name);
    if (pid === undefined) throw new Error(`process ${name}: was not started`);
    return pid;
  }

  /** A client with a connection of its own, as kube-manager has it. */
  configClient(): ConfigServiceClient {
    const tls = staticTls(this.#pki.issue('kube-manager'));
    const client = createClient(ConfigServiceClient, { address: this.#configAddress, service: 'config-api', tls });
    this.#clients.push(client);
    return client;
  }

  ipamClient(): IpamServiceClient {
    const tls = staticTls(this.#pki.issue('kube-manager'));
    const client = createClient(IpamServiceClient, { address: this.#ipamAddress, service: 'ipam', tls });
    this.#clients.push(client);
    return client;
  }

  restClient(): RestClient {
    const client = new RestClient(this.#restPort, this.#pki.caCert);
    this.#restClients.push(client);
    return client;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) closeClient(client);
    for (const client of this.#restClients) client.close();
    for (const child of this.#children.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await this.#redis?.stop();
    await this.#sink?.stop(0);
    this.#kubernetes?.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #start(programs: Programs): Promise<void> {
    this.#sink = await startTraceSink();
    const redisPort = await freePort();
    const redisTls = this.#tlsFiles('redis');
    this.#redis = await startRedis({
      args: [
        ...['--tls-port', String(redisPort), '--tls-auth-clients', 'yes'],
        ...['--tls-cert-file', redisTls.TLS_CERT_FILE, '--tls-key-file', redisTls.TLS_KEY_FILE],
        ...['--tls-ca-cert-file', redisTls.TLS_CA_FILE, '--appendonly', 'yes', '--appendfsync', 'always'],
      ],
    });
    this.#pids.set('redis', this.#redis.pid);
    const redis = { REDIS_URL: `rediss://127.0.0.1:${redisPort}` };
    this.#kubernetes = await startFakeKubernetes(this.#pki.issue('kubernetes'));
    this.#restPort = await freePort();
    this.#configAddress = await this.#spawn('config-api', programs, {
      ...redis,
      REST_LISTEN_ADDRESS: `127.0.0.1:${this.#restPort}`,
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: String(this.#kubernetes.port),
      BOOTSTRAP_LISTEN_ADDRESS: `127.0.0.1:${await freePort()}`,
      CA_CERT_FILE: this.#file('authority.crt', this.#pki.caCert),
      CA_KEY_FILE: this.#file('authority.key', this.#pki.caKey),
    });
    this.#ipamAddress = await this.#spawn('ipam', programs, { ...redis, CONFIG_API_ADDRESS: this.#configAddress });
  }

  /** @returns the address of its gRPC port. */
  async #spawn(app: string, programs: Programs, env: Readonly<Record<string, string>>): Promise<string> {
    const address = `127.0.0.1:${await freePort()}`;
    const adminPort = await freePort();
    this.#file('token', Buffer.from('bench'));
    const child = spawn('unshare', ['--mount', 'sh', '-c', asPod, 'sh', this.#folder, process.execPath, programs.app(app)], {
      env: {
        PATH: process.env['PATH'],
        NODE_ENV: 'production',
        LOG_LEVEL: 'warn',
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${this.#sink?.port ?? 0}`,
        OTEL_TRACES_SAMPLER_ARG: '0.01',
        LISTEN_ADDRESS: address,
        ADMIN_ADDRESS: `127.0.0.1:${adminPort}`,
        ...this.#tlsFiles(app),
        ...env,
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    this.#children.push(child);
    this.#pids.set(app, child.pid ?? 0);
    await waitUntilReady(app, adminPort, child);
    return address;
  }

  #tlsFiles(service: string): { TLS_CERT_FILE: string; TLS_KEY_FILE: string; TLS_CA_FILE: string } {
    const { ca, cert, key } = this.#pki.issue(service);
    return {
      TLS_CERT_FILE: this.#file(`${service}.crt`, cert),
      TLS_KEY_FILE: this.#file(`${service}.key`, key),
      TLS_CA_FILE: this.#file('ca.crt', ca),
    };
  }

  #file(name: string, content: Buffer): string {
    const file = path.join(this.#folder, name);
    writeFileSync(file, content, { mode: 0o600 });
    return file;
  }
}
