import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatAddress, parseAddress, parsePrefix } from '@contrail/net';
import { Resource } from '@contrail/proto-gen/config/v1/resources';
import { describe as describeResource, metaOf, validateResource } from '@contrail/resource-model';
import type { Namespace, Node, Pod, Service } from 'kubernetes-types/core/v1';
import type { EndpointSlice } from 'kubernetes-types/discovery/v1';
import { parseAllDocuments } from 'yaml';
import { defaultNamespace, podNetwork, projectFqName, projectUuid, serviceNetwork } from './cluster';
import type { Cluster } from './cluster';
import { aliasIpPool, translateCluster } from './cluster-resources';
import type { Complaint } from './complaint';
import { toKubeEndpointSlice, toKubeNamespace, toKubeNode, toKubePod, toKubeService } from './kube-objects';
import { defaultSecurityGroup, translateNamespace } from './namespace';
import { translateNode } from './node';
import { podInterfaceUuid, translatePod } from './pod';
import { hasLoadbalancer, translateService } from './service';

/** First document of input.yaml: configuration, and the addresses that ipam has given. */
interface Settings {
  readonly cluster: {
    readonly name: string;
    readonly uid: string;
    readonly sharedProject?: string;
    readonly podSubnets: readonly string[];
    readonly serviceSubnets: readonly string[];
    readonly ipFabricSubnets?: readonly string[];
    readonly ipFabricSnat?: boolean;
  };
  /** By `namespace/name` of the pod. */
  readonly addresses?: Readonly<Record<string, readonly string[]>>;
}

type KubeDocument = { readonly kind: string } & (Namespace | Node | Pod | Service | EndpointSlice);

const subnetUuid = 'a0000000-0000-4000-8000-000000000001';
const folder = join(__dirname, '../../testdata');
/** UPDATE_GOLDEN=1 writes want.json anew; read the difference before it is committed. */
const update = process.env['UPDATE_GOLDEN'] === '1';

/** Everything that a case's Kubernetes objects become. */
class Translation {
  readonly resources: Resource[] = [];
  readonly complaints: Complaint[] = [];
  private readonly cluster: Cluster;

  constructor(
    private readonly settings: Settings,
    private readonly documents: readonly KubeDocument[],
  ) {
    const { cluster } = settings;
    this.cluster = {
      name: cluster.name,
      uid: cluster.uid,
      domain: 'default-domain',
      owner: 'k8s',
      sharedProject: cluster.sharedProject ?? '',
      podSubnets: cluster.podSubnets.map(parsePrefix),
      serviceSubnets: cluster.serviceSubnets.map(parsePrefix),
      ipFabricSubnets: (cluster.ipFabricSubnets ?? []).map(parsePrefix),
      ipFabricSnat: cluster.ipFabricSnat ?? true,
    };
    for (const document of documents) this.translate(document);
  }

  private ofKind<T>(kind: string): T[] {
    return this.documents.filter((document) => document.kind === kind) as unknown as T[];
  }

  private homeOf(namespaceName: string): { project: { uuid: string; fqName: string[] }; securityGroup: ReturnType<typeof defaultSecurityGroup> } {
    const raw = this.ofKind<Namespace>('Namespace').find(({ metadata }) => metadata?.name === namespaceName);
    if (raw === undefined) throw new Error(`the case has no namespace ${namespaceName}`);
    const namespace = toKubeNamespace(raw);
    const project = { uuid: projectUuid(this.cluster, namespace.uid), fqName: projectFqName(this.cluster, namespace.name) };
    return { project, securityGroup: defaultSecurityGroup(this.cluster, namespace) };
  }

  private translate(document: KubeDocument): void {
    const { cluster } = this;
    const kind: string = document.kind;
    switch (kind) {
      case 'Namespace': {
        const namespace = toKubeNamespace(document as Namespace);
        this.resources.push(...translateNamespace(cluster, namespace, { existing: undefined, isolation: 'none', network: undefined }));
        if (namespace.name === defaultNamespace) this.resources.push(...translateCluster(cluster, this.homeOf(defaultNamespace).project));
        return;
      }
      case 'Node': {
        const translation = translateNode(cluster, toKubeNode(document as Node));
        if ('resource' in translation) this.resources.push(translation.resource);
        else this.complaints.push(translation.complaint);
        return;
      }
      case 'Pod':
        this.translatePod(document as Pod);
        return;
      case 'Service':
        this.translateService(document as Service);
        return;
      case 'EndpointSlice':
        return;
      default:
        throw new Error(`input.yaml has a ${kind}`);
    }
  }

  private translatePod(raw: Pod): void {
    const pod = toKubePod(raw);
    if (pod === undefined || pod.finished) return;
    const addresses = (this.settings.addresses?.[`${pod.namespace}/${pod.name}`] ?? []).map((text) => ({
      address: parseAddress(text),
      subnetUuid,
    }));
    const around = { ...this.homeOf(pod.namespace), network: podNetwork(this.cluster), addresses, isChosen: false, aliases: [], aliasPool: aliasIpPool(this.cluster) };
    this.resources.push(...translatePod(this.cluster, pod, around));
  }

  private translateService(raw: Service): void {
    const service = toKubeService(raw);
    if (!hasLoadbalancer(service)) return;
    const slices = this.ofKind<EndpointSlice>('EndpointSlice').map(toKubeEndpointSlice);
    const addresses = service.clusterIps.map((text) => ({ address: parseAddress(text), subnetUuid }));
    const { resources, complaints } = translateService(
      this.cluster,
      service,
      slices.filter(({ namespace, serviceName }) => namespace === service.namespace && serviceName === service.name),
      {
        ...this.homeOf(service.namespace),
        network: serviceNetwork(this.cluster),
        addresses,
        refusalOf: () => undefined,
        findInterface: (podUid, address) => this.findInterface(podUid, address),
      },
    );
    this.resources.push(...resources);
    this.complaints.push(...complaints);
  }

  private findInterface(podUid: string, address: string): { vm: string; vmi: string } | undefined {
    const pod = this.ofKind<Pod>('Pod').find(({ metadata }) => metadata?.uid === podUid)?.metadata;
    const known = this.settings.addresses?.[`${pod?.namespace}/${pod?.name}`] ?? [];
    const same = known.some((text) => formatAddress(parseAddress(text)) === address);
    return same ? { vm: podUid, vmi: podInterfaceUuid(this.cluster, podUid) } : undefined;
  }
}

describe('translation', () => {
  const cases = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'input.yaml')));

  it.each(cases)('%s', (name) => {
    const [settings, ...documents] = parseAllDocuments(readFileSync(join(folder, name, 'input.yaml'), 'utf8')).map((document) =>
      document.toJS() as unknown,
    );
    const translation = new Translation(settings as Settings, documents as KubeDocument[]);
    const got = {
      resources: translation.resources.map((resource) => Resource.toJSON(resource)),
      complaints: translation.complaints,
    };
    const file = join(folder, name, 'want.json');
    if (update) writeFileSync(file, `${JSON.stringify(got, null, 2)}\n`);
    expect(got).toEqual(JSON.parse(readFileSync(file, 'utf8')));
    expect(translation.resources.flatMap(validateResourceWithParent)).toEqual([]);
    // A shared project belongs to every namespace; nothing else has two makers.
    const own = translation.resources.filter((resource) => metaOf(resource).annotations['kind'] !== 'Cluster');
    expect(new Set(own.map((resource) => metaOf(resource).uuid)).size).toBe(own.length);
  });
});

/** config-api finds the parent of a project by its name before it validates. */
function validateResourceWithParent(resource: Resource): string[] {
  return validateResource(resource).filter((problem) => !problem.includes('meta.parent_uuid: is ""') || !describeResource(resource).startsWith('Project/'));
}
