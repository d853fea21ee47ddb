import { kubeKinds, Reflector, type KubeClient, type KubeKind, type KubeObject, type ReflectorHandlers } from '@contrail/kube';
import { logger } from '@contrail/telemetry';
import type { ClusterZone } from '../zone/cluster-zone';
import { projectNamespace, projectPod, projectService, projectSlice } from './project';
import { ZoneFeeder } from './zone-feeder';

export interface KubeWatchOptions {
  readonly client: KubeClient;
  readonly zone: ClusterZone;
}

/** Changes that come within this time are taken in together. */
const settleMs = 10;
const log = logger('watch');

/** What of a reflector is used here, whatever it reflects. */
type AnyReflector = Pick<Reflector<KubeObject, unknown>, 'start' | 'stop' | 'synced' | 'problem'>;

/** Feeds the zone from the Kubernetes API. */
export class KubeWatch {
  readonly #feeder: ZoneFeeder;
  readonly #reflectors: readonly AnyReflector[];
  #isSynced = false;

  constructor({ client, zone }: KubeWatchOptions) {
    this.#feeder = new ZoneFeeder({
      zone,
      now: Date.now,
      defer: (flush) => {
        setTimeout(flush, settleMs);
      },
      onProblem: (problem) => log.warn('a name cannot be served', { problem }),
    });
    const feeder = this.#feeder;
    this.#reflectors = [
      this.#reflect(client, kubeKinds.services, projectService, {
        upsert: (_key, { value }) => feeder.setService(value),
        delete: (_key, { value }) => feeder.removeService(value),
      }),
      this.#reflect(client, kubeKinds.endpointSlices, projectSlice, {
        upsert: (key, { value }, _event, previous) => feeder.setSlice(key, value, previous?.value),
        delete: (key, { value }) => feeder.removeSlice(key, value),
      }),
      this.#reflect(client, kubeKinds.namespaces, projectNamespace, {
        upsert: (_key, { value }) => zone.setNamespace(value),
        delete: (_key, { value }) => zone.removeNamespace(value),
      }),
      ...(zone.settings.podRecords === 'verified'
        ? [
            this.#reflect(client, kubeKinds.pods, projectPod, {
              upsert: (key, { value }) => zone.setPod(key, value),
              delete: (key) => zone.removePod(key),
            }),
          ]
        : []),
    ];
  }

  get serviceCount(): number {
    return this.#feeder.serviceCount;
  }

  get sliceCount(): number {
    return this.#feeder.sliceCount;
  }

  /** Everything that the API server had at some moment after the start is served. */
  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** Why answers may be out of date. */
  get problems(): readonly string[] {
    return this.#reflectors.flatMap(({ problem }) => (problem === undefined ? [] : [problem]));
  }

  start(): void {
    for (const reflector of this.#reflectors) reflector.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#reflectors.map((reflector) => reflector.stop()));
  }

  #reflect<Raw extends KubeObject, T>(
    client: KubeClient,
    kind: KubeKind<Raw>,
    project: (raw: Raw) => T | undefined,
    handlers: Omit<ReflectorHandlers<T>, 'synced'>,
  ): AnyReflector {
    return new Reflector<Raw, T>({
      client,
      kind,
      project,
      handlers: { ...handlers, synced: () => this.#onSynced() },
      onProblem: (error) => log.warn('the Kubernetes API cannot be watched', { kind: kind.plural, error }),
    });
  }

  #onSynced(): void {
    if (this.#isSynced || !this.#reflectors.every((reflector) => reflector.synced)) return;
    this.#feeder.flush();
    this.#isSynced = true;
    log.info('all services are known', { services: this.serviceCount, endpointSlices: this.sliceCount });
  }
}
