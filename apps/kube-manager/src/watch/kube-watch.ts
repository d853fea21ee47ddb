import { ContrailError } from '@contrail/errors';
import { kubeKinds, Reflector } from '@contrail/kube';
import type { KubeClient, KubeKind, KubeObject, Reflected, ReflectorEvent } from '@contrail/kube';
import { logger } from '@contrail/telemetry';
import {
  toKubeEndpointSlice,
  toKubeNamespace,
  toKubeNode,
  toKubePod,
  toKubeService,
} from '../translate/kube-objects';
import { toKubeAttachment } from '../translate/network-attachment';
import type { KubeAttachment } from '../translate/network-attachment';
import type { KubeEndpointSlice, KubeNamespace, KubeNode, KubePod, KubeService } from '../translate/kube-objects';
import { rootKey } from '../translate/ownership';
import type { RootKind } from '../translate/ownership';
import { SliceIndex } from './slice-index';

const log = logger('kube-watch');

/** A Kubernetes event that made a root object dirty. */
export interface Trigger {
  /** Of the object that changed, which for a Service may be an EndpointSlice. */
  readonly kind: string;
  readonly event: ReflectorEvent;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly atMs: number;
}

export interface KubeWatchHandlers {
  /** Only marks work to do. */
  onDirty(key: string, trigger: Trigger): void;
  /** A list of one kind is complete: everything of it may be dirty. */
  onSynced(): void;
}

/** Called for each change of an object; both are absent never. */
type Changed<T> = (event: ReflectorEvent, object: Reflected<T> | undefined, previous: Reflected<T> | undefined) => void;

/** What all reflectors have in common. */
type ReflectorControl = Pick<Reflector<KubeObject, unknown>, 'start' | 'stop' | 'synced' | 'problem'>;

/** What one cluster has, as far as it concerns us; events become keys of root objects. */
export class KubeWatch {
  readonly slices = new SliceIndex();
  private readonly namespaceReflector;
  private readonly nodeReflector;
  private readonly podReflector;
  private readonly serviceReflector;
  private readonly sliceReflector;
  private readonly attachmentReflector;

  constructor(
    private readonly client: KubeClient,
    private readonly handlers: KubeWatchHandlers,
  ) {
    const { namespaces, nodes, pods, services, endpointSlices, networkAttachments } = kubeKinds;
    this.namespaceReflector = this.rootReflector(namespaces, 'Namespace', toKubeNamespace);
    this.nodeReflector = this.rootReflector(nodes, 'Node', toKubeNode);
    this.podReflector = this.rootReflector(pods, 'Pod', toKubePod, withoutReport);
    this.serviceReflector = this.rootReflector(services, 'Service', toKubeService);
    this.attachmentReflector = this.rootReflector(networkAttachments, 'NetworkAttachmentDefinition', toKubeAttachment);
    this.sliceReflector = this.reflector(endpointSlices, toKubeEndpointSlice, (event, object, previous) => {
      const services = new Set([previous?.value, object?.value].flatMap((slice) => serviceKeyOf(slice) ?? []));
      this.slices.update(previous?.value, object?.value);
      const seen = object ?? previous;
      if (seen !== undefined) for (const key of services) this.dirty(key, 'EndpointSlice', event, seen);
    });
  }

  start(): void {
    for (const reflector of this.allReflectors()) reflector.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.allReflectors().map((reflector) => reflector.stop()));
  }

  get synced(): boolean {
    return this.reflectors().every((reflector) => reflector.synced);
  }

  /** Why what we know of Kubernetes may be out of date. */
  problems(): string[] {
    return this.reflectors().flatMap((reflector) => reflector.problem ?? []);
  }

  namespace(name: string): KubeNamespace | undefined {
    return this.namespaceReflector.snapshot.get(name)?.value;
  }

  node(name: string): KubeNode | undefined {
    return this.nodeReflector.snapshot.get(name)?.value;
  }

  nodes(): KubeNode[] {
    return [...this.nodeReflector.snapshot.values()].map(({ value }) => value);
  }

  pod(namespace: string, name: string): KubePod | undefined {
    return this.podReflector.snapshot.get(`${namespace}/${name}`)?.value;
  }

  service(namespace: string, name: string): KubeService | undefined {
    return this.serviceReflector.snapshot.get(`${namespace}/${name}`)?.value;
  }

  namespaces(): KubeNamespace[] {
    return [...this.namespaceReflector.snapshot.values()].map(({ value }) => value);
  }

  attachment(namespace: string, name: string): KubeAttachment | undefined {
    return this.attachmentReflector.snapshot.get(`${namespace}/${name}`)?.value;
  }

  /** What NetworkAttachmentDefinitions there are is known; it is not where nobody installed their CRD. */
  get knowsAttachments(): boolean {
    return this.attachmentReflector.synced;
  }

  pods(): KubePod[] {
    return [...this.podReflector.snapshot.values()].map(({ value }) => value);
  }

  services(): KubeService[] {
    return [...this.serviceReflector.snapshot.values()].map(({ value }) => value);
  }

  /** Keys of every root object that Kubernetes has. */
  *keys(): Generator<string> {
    for (const name of this.namespaceReflector.snapshot.keys()) yield rootKey({ kind: 'Namespace', namespace: '', name });
    for (const name of this.nodeReflector.snapshot.keys()) yield rootKey({ kind: 'Node', namespace: '', name });
    for (const key of this.attachmentReflector.snapshot.keys()) yield `NetworkAttachmentDefinition/${key}`;
    for (const key of this.serviceReflector.snapshot.keys()) yield `Service/${key}`;
    for (const key of this.podReflector.snapshot.keys()) yield `Pod/${key}`;
  }

  private allReflectors(): readonly ReflectorControl[] {
    return [...this.coreReflectors(), this.attachmentReflector];
  }

  /** Those that everything waits for; a collection that the cluster does not have is none of them. */
  private reflectors(): readonly ReflectorControl[] {
    return this.attachmentReflector.absent ? this.coreReflectors() : this.allReflectors();
  }

  private coreReflectors(): readonly ReflectorControl[] {
    return [
      this.namespaceReflector,
      this.nodeReflector,
      this.podReflector,
      this.serviceReflector,
      this.sliceReflector,
    ];
  }

  private rootReflector<Raw extends KubeObject, T extends { readonly name: string; readonly namespace?: string }>(
    kind: KubeKind<Raw>,
    rootKind: RootKind,
    project: (raw: Raw) => T | undefined,
    relevant?: (value: T) => T,
  ): Reflector<Raw, T> {
    const changed: Changed<T> = (event, object, previous) => {
      const seen = object ?? previous;
      if (seen === undefined) return;
      const { namespace = '', name } = seen.value;
      this.dirty(rootKey({ kind: rootKind, namespace, name }), rootKind, event, seen);
    };
    return this.reflector(kind, project, changed, relevant);
  }

  private reflector<Raw extends KubeObject, T>(
    kind: KubeKind<Raw>,
    project: (raw: Raw) => T | undefined,
    changed: Changed<T>,
    relevant: (value: T) => T = (value) => value,
  ): Reflector<Raw, T> {
    return new Reflector<Raw, T>({
      client: this.client,
      kind,
      project,
      handlers: {
        upsert: (_key, object, event, previous) => {
          if (previous === undefined || !isSame(previous, object, relevant)) changed(event, object, previous);
        },
        delete: (_key, last, event) => changed(event, undefined, last),
        synced: () => this.handlers.onSynced(),
      },
      onProblem: (error) => {
        const isAbsent = error instanceof ContrailError && error.code === 'NOT_FOUND';
        if (isAbsent) log.debug('Kubernetes does not have a collection', { collection: kind.plural });
        else log.warn('the Kubernetes API does not answer as it should', { collection: kind.plural, error });
      },
    });
  }

  private dirty(
    key: string,
    kind: string,
    event: ReflectorEvent,
    object: Reflected<{ readonly name: string; readonly namespace?: string }>,
  ): void {
    const { uid, resourceVersion, value } = object;
    const { namespace = '', name } = value;
    this.handlers.onDirty(key, { kind, event, namespace, name, uid, resourceVersion, atMs: Date.now() });
  }
}

/** Most updates change only fields that we do not use. @param relevant what of a value is work to do when it changes. */
function isSame<T>(a: Reflected<T>, b: Reflected<T>, relevant: (value: T) => T): boolean {
  return a.uid === b.uid && JSON.stringify(relevant(a.value)) === JSON.stringify(relevant(b.value));
}

/** What a pod reports, and what we report of it, is the consequence of what we wrote; it is read where that is lost. */
function withoutReport(pod: KubePod): KubePod {
  return { ...pod, networkStatus: undefined, reportedAddresses: [] };
}

function serviceKeyOf(slice: KubeEndpointSlice | undefined): string | undefined {
  if (slice === undefined || slice.serviceName === '') return undefined;
  return rootKey({ kind: 'Service', namespace: slice.namespace, name: slice.serviceName });
}
