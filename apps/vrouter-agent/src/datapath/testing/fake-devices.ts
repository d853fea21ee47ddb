import { ContrailError } from '@contrail/errors';
import { hostDevice, tunnelDevice } from '../port';
import type { Devices, InsideInterface, IpPrefix, NodeDevice, PodInterface, PodInterfaceRequest } from '../port';

interface FakeLink {
  ifindex: number;
  vmiUuid: string | undefined;
  /** As ADD made it; tests change what is there in `changed`. */
  request: PodInterfaceRequest;
}

/** Network devices in memory. Ifindexes count up and are never reused, as the kernel's. */
export class FakeDevices implements Devices {
  /** Addresses of the node's own devices; a test adds its node address here. */
  readonly uplinks: Array<{
    name: string;
    ifindex: number;
    mtu: number;
    mac: Uint8Array;
    address: Uint8Array;
  }> = [];
  hostPrefixes: readonly IpPrefix[] = [];
  tunnelMtu: number | undefined;
  hostMtu: number | undefined;
  /** What somebody changed at a device, by its name; mending takes it away. */
  readonly changed = new Map<string, Partial<NodeDevice & InsideInterface>>();
  /** The next createPodInterface throws this. */
  failNextCreate: Error | undefined;
  guard: { packets: bigint; bytes: bigint } | undefined;
  /** What the next takeDisturbed says. */
  disturbed: Set<number> | 'all' = new Set();
  /** A test looks at the world at the moment an interface goes up. */
  onActivate: (ifindex: number) => void = () => undefined;
  tunnelIfindex = 3;
  private readonly active = new Set<number>();
  private readonly links = new Map<string, FakeLink>();
  private nextIfindex = 100;

  findUplink(address: Uint8Array): {
    name: string;
    ifindex: number;
    mtu: number;
    mac: Uint8Array;
  } {
    const wanted = Buffer.from(address);
    const found = this.uplinks.find((uplink) => wanted.equals(uplink.address));
    if (found === undefined) {
      throw new ContrailError('NOT_FOUND', `Device: none has the address ${wanted.join('.')}`);
    }
    return { name: found.name, ifindex: found.ifindex, mtu: found.mtu, mac: found.mac };
  }

  ensureTunnel(options: { mtu: number }): { ifindex: number; mac: Uint8Array } {
    this.changed.delete(tunnelDevice);
    this.tunnelMtu = options.mtu;
    return { ifindex: this.tunnelIfindex, mac: Uint8Array.of(0, 0, 0x5e, 0, 1, 0) };
  }

  ensureHostInterface(options: {
    mtu: number;
    nodeAddress: Uint8Array;
    prefixes: readonly IpPrefix[];
  }): { ifindex: number } {
    this.changed.delete(hostDevice);
    this.hostMtu = options.mtu;
    this.hostPrefixes = options.prefixes;
    return { ifindex: 4 };
  }

  ensureGuard(): void {
    this.guard ??= { packets: 0n, bytes: 0n };
  }

  guardDrops(): { packets: bigint; bytes: bigint } | undefined {
    return this.guard;
  }

  takeDisturbed(): ReadonlySet<number> | 'all' {
    const taken = this.disturbed;
    this.disturbed = new Set();
    return taken;
  }

  activatePodInterface(ifindex: number, vmiUuid?: string): void {
    const link = [...this.links.values()].find((each) => each.ifindex === ifindex);
    if (link !== undefined && vmiUuid !== undefined) link.vmiUuid = vmiUuid;
    this.active.add(ifindex);
    this.onActivate(ifindex);
  }

  findPodInterface(hostInterface: string): number | undefined {
    return this.links.get(hostInterface)?.ifindex;
  }

  isUp(ifindex: number): boolean {
    return this.active.has(ifindex);
  }

  createPodInterface(request: PodInterfaceRequest): PodInterface {
    const failure = this.failNextCreate;
    if (failure !== undefined) {
      this.failNextCreate = undefined;
      throw failure;
    }
    if (this.links.has(request.hostInterface)) {
      throw new ContrailError('ALREADY_EXISTS', `Device/${request.hostInterface}: exists already`);
    }
    const ifindex = this.nextIfindex++;
    this.links.set(request.hostInterface, { ifindex, vmiUuid: undefined, request });
    return { hostIfindex: ifindex, containerIfindex: 2 };
  }

  deletePodInterface(hostInterface: string): void {
    this.links.delete(hostInterface);
  }

  inspectPodInterface(
    netnsPath: string,
    containerInterface: string,
  ): InsideInterface | undefined {
    const link = [...this.links.values()].find(
      ({ request }) =>
        request.netnsPath === netnsPath && request.containerInterface === containerInterface,
    );
    return link === undefined ? undefined : {
      mac: link.request.mac,
      addresses: [...link.request.addresses],
      mtu: link.request.mtu,
      up: true,
      gateways: [link.request.gatewayV4, link.request.gatewayV6].filter((each) => each !== undefined),
      sourceRoutes: [...link.request.sourceRoutes],
      peerIfindex: link.ifindex,
      ...this.changed.get(`${link.request.hostInterface} inside`),
    };
  }

  mendPodInterface(request: PodInterfaceRequest): void {
    this.changed.delete(request.hostInterface);
    this.changed.delete(`${request.hostInterface} inside`);
  }

  inspectDevice(name: string): NodeDevice | undefined {
    const mac = Uint8Array.of(0, 0, 0x5e, 0, 1, 0);
    const same = { mac, up: true, alias: undefined, ...this.changed.get(name) };
    if (name === tunnelDevice) return this.tunnelMtu === undefined ? undefined : { ifindex: 3, mtu: this.tunnelMtu, ...same };
    if (name === hostDevice) return this.hostMtu === undefined ? undefined : { ifindex: 4, mtu: this.hostMtu, ...same };
    const link = this.links.get(name);
    return link && { ifindex: link.ifindex, mtu: link.request.mtu, ...same, alias: link.vmiUuid };
  }

  listHostRoutes(): IpPrefix[] {
    return [...this.hostPrefixes];
  }

  listPodInterfaces(): Array<{ name: string; ifindex: number; vmiUuid: string | undefined }> {
    return [...this.links].map(([name, { ifindex, vmiUuid }]) => ({ name, ifindex, vmiUuid }));
  }
}
