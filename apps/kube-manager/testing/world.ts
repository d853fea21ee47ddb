import { EventRecorder, KubeClient, kubeKinds } from '@contrail/kube';
import type { NetworkAttachmentDefinition } from '@contrail/kube';
import { parsePrefix } from '@contrail/net';
import { ConfigServiceClient } from '@contrail/proto-gen/config/v1/config_service';
import { IpamServiceClient } from '@contrail/proto-gen/ipam/v1/ipam_service';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { metaOf, typeOf } from '@contrail/resource-model';
import { closeClient, createClient } from '@contrail/rpc';
import type { Namespace, Node, Pod, Service } from 'kubernetes-types/core/v1';
import type { EndpointSlice } from 'kubernetes-types/discovery/v1';
import { FakeKubeApi } from '../../../libs/kube/testing/fake-kube-api';
import { lead } from '../src/lead';
import { Health } from '../src/serve/health';
import { podNetwork, serviceNetwork } from '../src/translate/cluster';
import type { Cluster } from '../src/translate/cluster';
import { FakeConfigApi } from './fake-config-api';
import { FakeIpam } from './fake-ipam';
import { makeNamespace, uidOf } from './kube-makers';

/** Everything that Kubernetes has in a test. */
export interface KubeState {
  readonly namespaces?: readonly Namespace[];
  readonly nodes?: readonly Node[];
  readonly pods?: readonly Pod[];
  readonly services?: readonly Service[];
  readonly slices?: readonly EndpointSlice[];
  readonly attachments?: readonly NetworkAttachmentDefinition[];
}

export interface WorldOptions {
  readonly podSubnet?: string;
  readonly sharedProject?: string;
  readonly sweepIntervalMs?: number;
}

const always = ['default', 'kube-system'].map((name) => makeNamespace(name));

/** kube-manager's active half with a fake Kubernetes, config-api and ipam around it. */
export class World {
  readonly health = new Health();
  private stopping = new AbortController();
  private leading: Promise<void> | undefined;

  private constructor(
    readonly kube: FakeKubeApi,
    readonly config: FakeConfigApi,
    readonly ipam: FakeIpam,
    readonly cluster: Cluster,
    private readonly options: WorldOptions,
  ) {}

  static async create(options: WorldOptions = {}): Promise<World> {
    const cluster: Cluster = {
      name: 'k8s',
      uid: uidOf('Namespace', '', 'kube-system'),
      domain: 'default-domain',
      owner: 'k8s',
      sharedProject: options.sharedProject ?? '',
      podSubnets: [parsePrefix(options.podSubnet ?? '10.32.0.0/12')],
      serviceSubnets: [parsePrefix('10.96.0.0/12')],
      ipFabricSubnets: [],
      ipFabricSnat: true,
    };
    const kube = await FakeKubeApi.start();
    for (const namespace of always) kube.put(kubeKinds.namespaces, namespace);
    const config = await FakeConfigApi.start();
    const ipam = await FakeIpam.start({
      [podNetwork(cluster).uuid]: options.podSubnet ?? '10.32.0.0/12',
      [serviceNetwork(cluster).uuid]: '10.96.0.0/12',
    });
    return new World(kube, config, ipam, cluster, options);
  }

  /** Starts a leader; after `stopLeader` a new one, with an empty memory. */
  startLeader(): void {
    this.stopping = new AbortController();
    const kube = new KubeClient(this.kube.connection);
    const config = createClient(ConfigServiceClient, { address: this.config.address, service: 'config-api', tls: 'insecure' });
    const ipam = createClient(IpamServiceClient, { address: this.ipam.address, service: 'ipam', tls: 'insecure' });
    const events = new EventRecorder({ client: kube, controller: 'contrail.io/kube-manager', instance: 'test' });
    const { cluster, health } = this;
    const intervals = { sweepIntervalMs: this.options.sweepIntervalMs ?? 60_000, progressIntervalMs: 60_000 };
    this.leading = lead({ cluster, kube, config, ipam, events, health, ...intervals }, this.stopping.signal).finally(async () => {
      await events.flush();
      closeClient(config);
      closeClient(ipam);
      kube.close();
    });
  }

  async stopLeader(): Promise<void> {
    this.stopping.abort(new Error('the test is over'));
    await this.leading;
    this.leading = undefined;
  }

  async close(): Promise<void> {
    await this.stopLeader();
    await this.config.silence();
    await this.ipam.stop();
    await this.kube.stop();
  }

  /** Makes Kubernetes have exactly this, in the order in which a cluster would. */
  become(state: KubeState): void {
    const { namespaces, nodes, pods, services, endpointSlices, networkAttachments } = kubeKinds;
    this.makeEqual(networkAttachments, state.attachments ?? []);
    this.makeEqual(endpointSlices, state.slices ?? []);
    this.makeEqual(services, state.services ?? []);
    this.makeEqual(pods, state.pods ?? []);
    this.makeEqual(nodes, state.nodes ?? []);
    this.makeEqual(namespaces, [...always, ...(state.namespaces ?? [])]);
  }

  /** Objects made by this cluster, one line each, sorted: type, name, and everything that matters about it. */
  ours(): string[] {
    return this.ourResources().map(describeFully).sort();
  }

  /** `type/last part of the name`, sorted. Uuids are cut off. */
  names(): string[] {
    const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
    return this.ourResources()
      .map((resource) => `${typeOf(resource)}/${(metaOf(resource).fqName.at(-1) ?? '').replaceAll(uuid, '*')}`)
      .sort();
  }

  ourResources(): Resource[] {
    const { uid } = this.cluster;
    return [...this.config.objects.values()].filter((resource) => metaOf(resource).annotations['cluster_uid'] === uid);
  }

  private makeEqual<T extends { metadata?: { namespace?: string; name?: string } }>(
    kind: Parameters<FakeKubeApi['put']>[0],
    wanted: readonly T[],
  ): void {
    const nameOf = (object: T): string => `${object.metadata?.namespace ?? ''}/${object.metadata?.name ?? ''}`;
    const names = new Set(wanted.map(nameOf));
    for (const object of this.kube.list(kind) as T[]) {
      if (!names.has(nameOf(object))) this.kube.remove(kind, { namespace: object.metadata?.namespace, name: object.metadata?.name });
    }
    for (const object of wanted) this.kube.put(kind, object);
  }
}

/** Waits until the check passes; its last error tells what is missing. */
export async function eventually(check: () => void, withinMs = 10_000): Promise<void> {
  const giveUpAt = Date.now() + withinMs;
  for (;;) {
    try {
      check();
      return;
    } catch (error) {
      if (Date.now() > giveUpAt) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

/** Waits until both are equal; compares cheaply, because a failing `expect` is slow. */
export async function becomes<T>(actual: () => T, expected: T, withinMs = 10_000): Promise<void> {
  const wanted = JSON.stringify(expected);
  const giveUpAt = Date.now() + withinMs;
  while (JSON.stringify(actual()) !== wanted && Date.now() < giveUpAt) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  expect(actual()).toEqual(expected);
}

/** Waits until the value has not changed for a while: nothing is being written any more. */
export async function settles<T>(actual: () => T, quietMs = 200): Promise<T> {
  let last = JSON.stringify(actual());
  let sinceMs = Date.now();
  while (Date.now() - sinceMs < quietMs) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    const now = JSON.stringify(actual());
    if (now === last) continue;
    last = now;
    sinceMs = Date.now();
  }
  return actual();
}

/** Everything but revisions; addresses of pods depend on the order of their allocation and are left out. */
function describeFully(resource: Resource): string {
  const value: Record<string, unknown> = { ...resource.kind?.value };
  const { annotations, fqName, parentUuid } = metaOf(resource);
  const isPodAddress = typeOf(resource) === 'instance-ip' && annotations['kind'] === 'Pod';
  const content = { ...value, meta: { annotations, fqName, parentUuid }, ...(isPodAddress ? { instanceIpAddress: '*' } : {}) };
  return `${typeOf(resource)} ${JSON.stringify(content, (_key, entry: unknown) => (typeof entry === 'bigint' ? String(entry) : entry))}`;
}
