import { ContrailError } from '@contrail/errors';
import type { ConfigServiceClient } from '@contrail/proto-gen/config/v1/config_service';
import type { Change, WatchResponse, WatchToken } from '@contrail/proto-gen/config/v1/messages';
import type { VirtualNetwork } from '@contrail/proto-gen/config/v1/resources';
import type { Clock } from '@contrail/reconcile';
import { callUnary, openServerStream } from '@contrail/rpc';
import { logger } from '@contrail/telemetry';
import { subnetsOfIpam, subnetsOfNetwork } from '../translate/network-subnets';
import type { NetworkSubnet } from '../translate/network-subnets';
import { ConfigObjects, watchedTypes } from './config-objects';
import type { NetworkPool } from './config-objects';

export interface KnownNetwork {
  readonly uuid: string;
  /** Joined by colons. */
  readonly name: string;
  readonly subnets: readonly NetworkSubnet[];
}

const log = logger('network-cache');
const retryMsMin = 200;
const retryMsMax = 1_000;

/** Networks, IPAMs, pools and holders of addresses as config-api has them, kept current by its Watch. */
export class NetworkCache {
  readonly #client: ConfigServiceClient;
  readonly #clock: Clock;
  #objects = new ConfigObjects();
  /** Of the snapshot that is being received. */
  #incoming: ConfigObjects | undefined;
  #token: WatchToken | undefined;
  #isCurrent = false;
  #problem: string | undefined = 'the networks were not received from config-api yet';

  constructor(client: ConfigServiceClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** Empty once a whole snapshot was received; an interrupted watch does no harm. */
  get problems(): readonly string[] {
    return this.#problem === undefined ? [] : [this.#problem];
  }

  /** What config-api has now is known: the watch is open and has caught up. */
  get isCurrent(): boolean {
    return this.#isCurrent;
  }

  /** Follows config-api until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    let waitMs = retryMsMin;
    while (!signal.aborted) {
      try {
        const request = { types: [...watchedTypes], resume: this.#token };
        for await (const message of openServerStream(this.#client, 'watch', request, { signal })) {
          this.#receive(message);
          waitMs = retryMsMin;
        }
      } catch (error) {
        if (signal.aborted) return;
        log.warn('watch of config-api broke', { error });
      }
      this.#incoming = undefined;
      this.#isCurrent = false;
      await this.#clock.sleep(waitMs, signal).catch(() => undefined);
      waitMs = Math.min(waitMs * 2, retryMsMax);
    }
  }

  /**
   * A network that is not known yet is asked for: it may have been made a moment ago.
   * @throws ContrailError NOT_FOUND, UNAVAILABLE
   */
  async getNetwork(uuid: string): Promise<KnownNetwork> {
    if (!this.#objects.networks.has(uuid)) await this.#fetch(uuid);
    const network = this.#objects.networks.get(uuid);
    if (network === undefined)
      throw new ContrailError(
        'NOT_FOUND',
        `VirtualNetwork ${uuid} does not exist; create it first`,
      );
    const unknown = network.networkIpamRefs.filter(
      (reference) => !this.#objects.ipams.has(reference.uuid),
    );
    await Promise.all(unknown.map((reference) => this.#fetch(reference.uuid)));
    return this.#known(uuid, network);
  }

  /**
   * As `getNetwork`, of a FloatingIpPool or AliasIpPool.
   * @throws ContrailError NOT_FOUND, UNAVAILABLE
   */
  async getPool(uuid: string): Promise<NetworkPool> {
    if (!this.#objects.pools.has(uuid)) await this.#fetch(uuid);
    const pool = this.#objects.pools.get(uuid);
    if (pool !== undefined) return pool;
    throw new ContrailError(
      'NOT_FOUND',
      `FloatingIpPool or AliasIpPool ${uuid} does not exist; create it first`,
    );
  }

  /** The network as it is known, without asking; undefined when it is not. */
  findNetwork(uuid: string): KnownNetwork | undefined {
    const network = this.#objects.networks.get(uuid);
    return network === undefined ? undefined : this.#known(uuid, network);
  }

  /** Whether config-api has an object of this uuid that may hold addresses. */
  hasOwner(uuid: string): boolean {
    return this.#objects.owners.has(uuid);
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

  async #fetch(uuid: string): Promise<void> {
    const { resource } = await callUnary(this.#client, 'get', {
      key: { uuid, type: '', fqName: [] },
    });
    if (resource !== undefined) this.#objects.put(resource);
  }

  #receive({ kind }: WatchResponse): void {
    switch (kind?.$case) {
      case 'snapshot':
        this.#incoming ??= new ConfigObjects();
        for (const resource of kind.value.resources) this.#incoming.put(resource);
        return;
      case 'inSync':
        // Absent when the watch was resumed, or when there is nothing at all.
        if (this.#incoming !== undefined || this.#token === undefined)
          this.#objects = this.#incoming ?? new ConfigObjects();
        this.#incoming = undefined;
        this.#token = kind.value.token;
        this.#problem = undefined;
        this.#isCurrent = true;
        return;
      case 'changes':
        for (const change of kind.value.changes) this.#apply(change);
        this.#token = kind.value.token;
        return;
      case 'resync':
        log.info('config-api asks for a new snapshot', { reason: kind.value.reason });
        this.#token = undefined;
        this.#isCurrent = false;
        return;
      case undefined:
        return;
    }
  }

  #apply({ uuid, resource }: Change): void {
    if (resource === undefined) this.#objects.remove(uuid);
    else this.#objects.put(resource);
  }
}
