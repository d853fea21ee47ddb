/** A sandbox of our own with pods to measure between. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { KubeApi } from './kube-api';

export type Network = 'ours' | 'bridge' | 'bridge-iptables';

export interface Pod {
  readonly name: string;
  readonly address: string;
  /** Path of its network namespace, as seen from the machine. */
  readonly netns: string;
}

export type Annotations = Readonly<Record<string, string>>;

interface PodObject {
  readonly metadata: { readonly name: string; readonly uid: string };
  readonly status: {
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

export const benchNamespace = 'default';
const podsPath = `/api/v1/namespaces/${benchNamespace}/pods`;
const image = 'registry.k8s.io/e2e-test-images/agnhost:2.66.1';
const upTimeoutMs = 600_000;

/** What a process says of itself; undefined when it is gone. */
function readProcess(pid: string, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}

const processes = (): string[] => readdirSync('/proc').filter((name) => /^\d+$/.test(name));

/** A process of the pod: all of them share its network. */
function findPodProcess(uid: string): string | undefined {
  const names = [`pod${uid}`, `pod${uid.replaceAll('-', '_')}`];
  return processes().find((pid) => names.some((name) => readProcess(pid, 'cgroup')?.includes(name)));
}

export class Cluster {
  readonly #sandbox: string;
  #api: KubeApi | undefined;

  private constructor(
    repository: string,
    readonly network: Network,
    private readonly name: string,
  ) {
    this.#sandbox = path.join(repository, 'tools/sandbox/sandbox');
  }

  static async start(repository: string, network: Network): Promise<Cluster> {
    const cluster = new Cluster(repository, network, `bench-${network}`);
    try {
      await cluster.#run('up', '--nodes', '2', '--network', network);
      cluster.#api = new KubeApi((await cluster.#run('kubeconfig')).trim());
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  get api(): KubeApi {
    if (this.#api === undefined) throw new Error(`sandbox ${this.name}: is not up`);
    return this.#api;
  }

  /** A pod that does nothing; what serves in it is started from outside. Ready when this returns. */
  async createPod(name: string, node: string, labels: Readonly<Record<string, string>>): Promise<Pod> {
    const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels }, spec: { ...podSpec(), nodeName: node } };
    await this.api.call('POST', podsPath, object);
    for (;;) {
      const { metadata, status } = await this.api.call<PodObject>('GET', `${podsPath}/${name}`);
      const pid = isReady({ metadata, status }) ? findPodProcess(metadata.uid) : undefined;
      if (pid !== undefined && status.podIP !== undefined) {
        return { name, address: status.podIP, netns: `/proc/${pid}/ns/net` };
      }
      await sleep(200);
    }
  }

  /** A virtual network of its own for pods. @returns the annotations that put a pod there. */
  async createNetwork(name: string, cidr: string): Promise<Annotations> {
    const metadata = { name, annotations: { 'opencontrail.org/cidr': cidr } };
    const definition = { apiVersion: 'k8s.cni.cncf.io/v1', kind: 'NetworkAttachmentDefinition', metadata, spec: { config: '' } };
    await this.api.call('POST', `/apis/k8s.cni.cncf.io/v1/namespaces/${benchNamespace}/network-attachment-definitions`, definition);
    return { 'opencontrail.org/network': `default-domain:k8s-${benchNamespace}:k8s-${name}-pod-network` };
  }

  /** Milliseconds from the API server's answer to the creation of a pod until it is Ready; then it is removed. */
  async startOnce(name: string, annotations: Annotations): Promise<number> {
    await this.api.call('POST', podsPath, { apiVersion: 'v1', kind: 'Pod', metadata: { name, annotations }, spec: { ...podSpec(), nodeName: 'node1' } });
    const began = performance.now();
    const get = (): Promise<PodObject> => this.api.call<PodObject>('GET', `${podsPath}/${name}`);
    while (!isReady(await get())) await sleep(20);
    const milliseconds = performance.now() - began;
    await this.api.call('DELETE', `${podsPath}/${name}`);
    return milliseconds;
  }

  /** Seconds from the creation of a Deployment until its last pod is Ready. */
  async burst(name: string, replicas: number, annotations: Annotations = {}): Promise<number> {
    const deployments = `/apis/apps/v1/namespaces/${benchNamespace}/deployments`;
    const labels = { app: name };
    const template = { metadata: { labels, annotations }, spec: podSpec() };
    const spec = { replicas, selector: { matchLabels: labels }, template };
    await this.api.call('POST', deployments, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec });
    const began = performance.now();
    const list = async (): Promise<PodObject[]> =>
      (await this.api.call<{ items: PodObject[] }>('GET', `${podsPath}?labelSelector=app%3D${name}&resourceVersion=0`)).items;
    while ((await list()).filter(isReady).length < replicas) await sleep(100);
    const seconds = (performance.now() - began) / 1000;
    await this.api.call('DELETE', `${deployments}/${name}?propagationPolicy=Background`);
    while ((await list()).length > 0) await sleep(500);
    return seconds;
  }

  /** Process ids of our services and of Redis, by service. */
  servicePids(): Map<string, number[]> {
    const found = new Map<string, number[]>();
    for (const pid of processes()) {
      if (readProcess(pid, 'cgroup')?.includes(`/${this.name}-`) !== true) continue;
      const command = readProcess(pid, 'cmdline') ?? '';
      const service = /\/opt\/contrail\/([a-z-]+)\/main\.js/.exec(command)?.[1] ?? /\b(redis)-server/.exec(command)?.[1];
      if (service !== undefined) found.set(service, [...(found.get(service) ?? []), Number(pid)]);
    }
    return found;
  }

  async stop(): Promise<void> {
    this.#api?.close();
    await this.#run('down');
  }

  async #run(...args: string[]): Promise<string> {
    const options = { timeout: upTimeoutMs, maxBuffer: 2 ** 24 };
    const { stdout } = await promisify(execFile)(this.#sandbox, ['--name', this.name, ...args], options);
    return stdout;
  }
}

function podSpec(): Readonly<Record<string, unknown>> {
  return {
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'main', image, imagePullPolicy: 'IfNotPresent', args: ['pause'] }],
  };
}

function isReady({ status }: PodObject): boolean {
  return status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;
}
