import { ContrailError } from '@contrail/errors';
import type { ConfigServiceClient } from '@contrail/proto-gen/config/v1/config_service';
import type { Change, WatchResponse, WatchToken } from '@contrail/proto-gen/config/v1/messages';
import type {
  NetworkIpam,
  Resource,
  VirtualNetwork,
} from '@contrail/proto-gen/config/v1/resources';
import { findMessage, metaOf } from '@contrail/resource-model';
import type { Clock } from '@contrail/reconcile';
import { callUnary, openServerStream } from '@contrail/rpc';
import { logger } from '@contrail/telemetry';
import { subnetsOfIpam, subnetsOfNetwork } from '../translate/network-subnets';
import type { NetworkSubnet } from '../translate/network-subnets';

export interface KnownNetwork {
  readonly uuid: string;
  /** Joined by colons. */
  readonly name: string;
  readonly subnets: readonly NetworkSubnet[];
}

const log = logger('network-cache');
const types = ['virtual-network', 'network-ipam'];
const retryMsMin = 200;
const retryMsMax = 1_000;

interface Objects {
  readonly networks: Map<string, VirtualNetwork>;
  readonly ipams: Map<string, NetworkIpam>;
}

const none = (): Objects => ({ networks: new Map(), ipams: new Map() });

/** Networks and IPAMs as config-api has them, kept current by its Watch. */
export class NetworkCache {
  readonly #client: ConfigServiceClient;
  readonly #clock: Clock;
  #objects = none();
  /** Of the snapshot that is being received. */
  #incoming: Objects | undefined;
  #token: WatchToken | undefined;
  #problem: string | undefined = 'the networks were not received from config-api yet';

  constructor(client: ConfigServiceClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** Empty once a whole snapshot was received; an interrupted watch does no harm. */
  get problems(): readonly string[] {
    return this.#problem === undefined ? [] : [this.#problem];
  }

  /** Follows config-api until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    let waitMs = retryMsMin;
    while (!signal.aborted) {
      try {
        const request = { types, resume: this.#token };
        for await (const message of openServerStream(this.#client, 'watch', request, { signal })) {
          this.#receive(message);
          waitMs = retryMsMin;
        }
      } catch (error) {
        if (signal.aborted) return;
        log.warn('watch of config-api broke', { error });
      }
      this.#incoming = undefined;
      await this.#clock.sleep(waitMs, signal).catch(() => undefined);
      waitMs = Math.min(waitMs * 2, retryMsMax);
    }
  }

  /**
   * A network that is not known yet is asked for: it may have been made a moment ago.
   * @throws ContrailError NOT_FOUND, UNAVAILABLE
   */
  async getNetwork(uuid: string): Promise<KnownNetwork> {
    if (!this.#objects.networks.has(uuid)) await this.#fetch('virtual-network', uuid);
    const network = this.#objects.networks.get(uuid);
    if (network === undefined)
      throw new ContrailError(
        'NOT_FOUND',
        `VirtualNetwork ${uuid} does not exist; create it first`,
      );
    const unknown = network.networkIpamRefs.filter(
      (reference) => !this.#objects.ipams.has(reference.uuid),
    );
    await Promise.all(unknown.map((reference) => this.#fetch('network-ipam', reference.uuid)));
    return this.#known(uuid, network);
  }

  /** Every known network, with its subnets. */
  networks(): KnownNetwork[] {
    return [...this.#objects.networks].map(([uuid, network]) => this.#known(uuid, network));
  }

  /** Every known subnet once; those of flat-subnet IPAMs too that no network uses. */
  subnets(): NetworkSubnet[] {
    const all = [
      ...[...this.#objects.ipams.values()].flatMap(subnetsOfIpam),
      ...this.networks().flatMap(({ subnets }) => subnets),
    ];
    return [...new Map(all.map((entry) => [entry.subnet.uuid, entry])).values()];
  }

  #known(uuid: string, network: VirtualNetwork): KnownNetwork {
    const name = network.meta?.fqName.join(':') ?? '';
    return { uuid, name, subnets: subnetsOfNetwork(network, this.#objects.ipams) };
  }

  async #fetch(type: 'virtual-network' | 'network-ipam', uuid: string): Promise<void> {
    const { resource } = await callUnary(this.#client, 'get', { key: { uuid, type, fqName: [] } });
    if (resource !== undefined) put(this.#objects, resource);
  }

  #receive({ kind }: WatchResponse): void {
    switch (kind?.$case) {
      case 'snapshot':
        this.#incoming ??= none();
        for (const resource of kind.value.resources) put(this.#incoming, resource);
        return;
      case 'inSync':
        // Absent when the watch was resumed, or when there is nothing at all.
        if (this.#incoming !== undefined || this.#token === undefined)
          this.#objects = this.#incoming ?? none();
        this.#incoming = undefined;
        this.#token = kind.value.token;
        this.#problem = undefined;
        return;
      case 'changes':
        for (const change of kind.value.changes) this.#apply(change);
        this.#token = kind.value.token;
        return;
      case 'resync':
        log.info('config-api asks for a new snapshot', { reason: kind.value.reason });
        this.#token = undefined;
        return;
      case undefined:
        return;
    }
  }

  #apply({ uuid, resource }: Change): void {
    if (resource !== undefined) {
      put(this.#objects, resource);
      return;
    }
    this.#objects.networks.delete(uuid);
    this.#objects.ipams.delete(uuid);
  }
}

function put({ networks, ipams }: Objects, resource: Resource): void {
  const { uuid } = metaOf(resource);
  const network = findMessage('virtual-network', resource);
  const ipam = findMessage('network-ipam', resource);
  if (network !== undefined) networks.set(uuid, network);
  if (ipam !== undefined) ipams.set(uuid, ipam);
}
