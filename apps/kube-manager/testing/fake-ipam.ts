import {
  addressEquals,
  addressFromBigInt,
  addressKey,
  addressToBigInt,
  formatPrefix,
  lastAddress,
  parsePrefix,
  prefixContains,
} from '@contrail/net';
import type { Prefix } from '@contrail/net';
import { IpamServiceService } from '@contrail/proto-gen/ipam/v1/ipam_service';
import type {
  AllocateItem,
  AllocateResult,
  Allocation,
  ListRequest,
  ReleaseItem,
  SubnetUsage,
  WatchSpaceRequest,
  WatchSpaceResponse,
} from '@contrail/proto-gen/ipam/v1/messages';
import { defineService, serverStream, startServer, unary } from '@contrail/rpc';
import type { RunningServer, TlsSource } from '@contrail/rpc';

interface Held extends Allocation {
  readonly network: string;
}

/** ipam in this process, over gRPC, without TLS unless asked for: addresses of each network counted down from the top. */
export class FakeIpam {
  held: Held[] = [];
  /** Items of each call of Allocate, in order. */
  readonly allocateCalls: AllocateItem[][] = [];
  /** Allocate answers when this is resolved. */
  mayAnswer: Promise<void> = Promise.resolve();

  /** Networks that had no address for somebody. */
  private readonly starved = new Set<string>();
  private readonly spaceStreams = new Set<(message: WatchSpaceResponse) => void>();

  private constructor(private readonly subnets: Map<string, Prefix>) {}

  private server: RunningServer | undefined;

  /** @param subnets prefix of each VirtualNetwork uuid. */
  static async start(subnets: Readonly<Record<string, string>>, tls: TlsSource | 'insecure' = 'insecure'): Promise<FakeIpam> {
    const fake = new FakeIpam(new Map(Object.entries(subnets).map(([uuid, text]) => [uuid, parsePrefix(text)])));
    fake.server = await startServer({
      address: '127.0.0.1:0',
      tls,
      services: [defineService(IpamServiceService, fake.methods())],
    });
    return fake;
  }

  /** A network that somebody makes later. */
  addNetwork(uuid: string, prefix: string): void {
    this.subnets.set(uuid, parsePrefix(prefix));
  }

  get address(): string {
    return `127.0.0.1:${this.server?.port ?? 0}`;
  }

  async stop(): Promise<void> {
    await this.server?.stop(0);
  }

  /** As ipam when a subnet rises above its threshold. */
  announceFilling(): void {
    for (const send of this.spaceStreams) send({ networks: [], filling: this.usage() });
  }

  private methods(): Parameters<typeof defineService<typeof IpamServiceService>>[1] {
    const allow = 'any';
    return {
      allocate: {
        allow,
        handle: unary(async ({ items }: { items: AllocateItem[] }) => {
          this.allocateCalls.push(items);
          await this.mayAnswer;
          return { results: items.map((item) => this.allocate(item)) };
        }),
      },
      reserve: {
        allow,
        handle: unary(({ items }: { items: AllocateItem[] }) =>
          Promise.resolve({ results: items.map((item) => this.reserve(item)) }),
        ),
      },
      release: {
        allow,
        handle: unary(({ items }: { items: ReleaseItem[] }) => {
          const before = this.held.length;
          for (const item of items) this.release(item);
          return Promise.resolve({ released: before - this.held.length });
        }),
      },
      list: {
        allow,
        handle: unary(({ virtualNetworkUuid }: ListRequest) =>
          Promise.resolve({
            allocations: this.held.filter(({ network }) => network === virtualNetworkUuid) as Allocation[],
            nextPageToken: '',
          }),
        ),
      },
      usage: { allow, handle: unary(() => Promise.resolve({ subnets: this.usage() })) },
      watchSpace: {
        allow,
        handle: serverStream<WatchSpaceRequest, WatchSpaceResponse>(async (_, stream) => {
          const send = (message: WatchSpaceResponse): void => void stream.write(message).catch(() => undefined);
          this.spaceStreams.add(send);
          await new Promise((gone) => stream.signal.addEventListener('abort', gone, { once: true }));
          this.spaceStreams.delete(send);
        }),
      },
    };
  }

  private allocate(item: AllocateItem): AllocateResult {
    const network = item.virtualNetworkUuid;
    const prefix = this.subnets.get(network);
    if (prefix === undefined) return failed(5, `network ${network} does not exist`);
    const known = this.held.find((held) => held.network === network && held.ownerUuid === item.ownerUuid);
    if (known !== undefined) return granted(known, prefix);
    const taken = new Set(this.held.filter((held) => held.network === network).map((held) => addressKey(held.address)));
    // Last address is broadcast, the two below are gateway and DNS (R21).
    const first = addressToBigInt(prefix.address);
    for (let value = addressToBigInt(lastAddress(prefix)) - 3n; value > first; value -= 1n) {
      const address = addressFromBigInt(value, prefix.address.length);
      if (!taken.has(addressKey(address))) return granted(this.hold(item, Buffer.from(address), false), prefix);
    }
    this.starved.add(network);
    return failed(8, `${formatPrefix(prefix)} has no free address`);
  }

  private reserve(item: AllocateItem): AllocateResult {
    const prefix = this.subnets.get(item.virtualNetworkUuid);
    if (prefix === undefined) return failed(5, `network ${item.virtualNetworkUuid} does not exist`);
    if (!prefixContains(prefix, item.address)) return failed(3, `the address is outside ${formatPrefix(prefix)}`);
    const known = this.held.find(
      (held) => held.network === item.virtualNetworkUuid && addressEquals(held.address, item.address),
    );
    if (known !== undefined && known.ownerUuid !== item.ownerUuid) return failed(6, `is held by ${known.ownerUuid}`);
    return granted(known ?? this.hold(item, item.address, true), prefix);
  }

  private release({ virtualNetworkUuid, ownerUuid, address }: ReleaseItem): void {
    this.held = this.held.filter(
      (held) =>
        held.network !== virtualNetworkUuid ||
        held.ownerUuid !== ownerUuid ||
        (address.length > 0 && !addressEquals(held.address, address)),
    );
    if (!this.starved.delete(virtualNetworkUuid)) return;
    const networks = [{ virtualNetworkUuid, family: 4, free: 1 }];
    for (const send of this.spaceStreams) send({ networks, filling: [] });
  }

  private hold(item: AllocateItem, address: Buffer, reserved: boolean): Held {
    const { virtualNetworkUuid: network, ownerUuid, description } = item;
    const held = { network, subnetUuid: subnetUuidOf(network), address, ownerUuid, description, allocatedAtMs: 0n, reserved, ownerType: item.ownerType };
    this.held.push(held);
    return held;
  }

  private usage(): SubnetUsage[] {
    return [...this.subnets].map(([network, prefix]) => ({
      subnetUuid: subnetUuidOf(network),
      prefix: formatPrefix(prefix),
      capacity: 2n ** BigInt(prefix.address.length * 8 - prefix.length) - 4n,
      allocated: BigInt(this.held.filter((held) => held.network === network).length),
      quarantined: 0n,
      owner: `NetworkIpam/of ${network}`,
    }));
  }
}

/** Any uuid will do: the network's own with the first digit changed. */
function subnetUuidOf(network: string): string {
  return network.replace(/^./, (digit) => (digit === 'a' ? 'b' : 'a'));
}

function granted(held: Held, prefix: Prefix): AllocateResult {
  const { address, subnetUuid } = held;
  const empty = Buffer.alloc(0);
  return { address, prefixLength: prefix.length, gateway: empty, dnsServer: empty, subnetUuid, error: undefined };
}

function failed(code: number, message: string): AllocateResult {
  const empty = Buffer.alloc(0);
  return { address: empty, prefixLength: 0, gateway: empty, dnsServer: empty, subnetUuid: '', error: { code, message } };
}
