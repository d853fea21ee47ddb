import { ContrailError, errorText } from '@contrail/errors';
import { addressEquals, formatAddress } from '@contrail/net';
import type { Disturbed } from '../netlink/link-monitor';
import { LinkMonitor } from '../netlink/link-monitor';
import { linuxErrno, NetlinkError, NetlinkSocket } from '../netlink/netlink-socket';
import * as rt from '../netlink/rtnetlink';
import { hostDevice } from '../port';
import type { Devices, InsideInterface, IpPrefix, NodeDevice, PodInterface, PodInterfaceRequest } from '../port';
import { guardedGroup, HostGuard } from './host-guard';
import { ensureHostInterface } from './host-interface';
import { createPodInterface, findLink, inspectPodInterface, isOurPodLink, mendPodInterface } from './pod-interface';
import { loosenReversePathFilter } from './sysctl';
import { ensureTunnel } from './tunnel';

type Uplink = ReturnType<Devices['findUplink']>;

/** The node's network devices by rtnetlink; no process is started. */
export class KernelDevices implements Devices {
  private readonly socket = new NetlinkSocket();
  /** Of the same network namespace, whatever the thread does when a removal's turn comes. */
  private readonly removalSocket = new NetlinkSocket();
  private readonly guard = new HostGuard();
  private readonly monitor = new LinkMonitor();
  /** Removals wait for the kernel on a pool thread, one after the other. */
  private removals: Promise<void> = Promise.resolve();

  /** @param onFailure what a removal in the background met. */
  constructor(private readonly onFailure: (error: unknown) => void) {}

  findUplink(address: Uint8Array): Uplink {
    const uplink = this.deviceWith(address);
    if (uplink === undefined) {
      throw new ContrailError(
        'NOT_FOUND',
        `Device: none has the node address ${formatAddress(address)}`,
      );
    }
    return uplink;
  }

  private deviceWith(address: Uint8Array): Uplink | undefined {
    const holder = this.socket
      .query(rt.dumpAddresses(), 'dump of addresses')
      .map(rt.decodeAddress)
      .find((each) => addressEquals(each.address, address));
    const reply = holder &&
      this.socket.query(rt.getLinkByIndex(holder.ifindex), 'look-up of the uplink')[0];
    if (reply === undefined) return undefined;
    const { name, ifindex, mtu, mac } = rt.decodeLink(reply);
    return { name, ifindex, mtu, mac };
  }

  ensureTunnel(options: { mtu: number }): { ifindex: number; mac: Uint8Array } {
    return ensureTunnel(this.socket, options);
  }

  ensureHostInterface(options: {
    mtu: number;
    nodeAddress: Uint8Array;
    prefixes: readonly IpPrefix[];
  }): { ifindex: number } {
    const host = ensureHostInterface(this.socket, options);
    const uplink = this.deviceWith(options.nodeAddress);
    if (uplink !== undefined) loosenReversePathFilter(uplink.name);
    return host;
  }

  ensureGuard(): void {
    this.guard.ensure();
  }

  guardDrops(): { packets: bigint; bytes: bigint } | undefined {
    return this.guard.drops();
  }

  takeDisturbed(): Disturbed {
    return this.monitor.take();
  }

  createPodInterface(request: PodInterfaceRequest): PodInterface {
    return createPodInterface(this.socket, request);
  }

  activatePodInterface(ifindex: number, vmiUuid?: string): void {
    this.socket.request([rt.activateLink(ifindex, { group: guardedGroup, alias: vmiUuid })], `activation of device ${ifindex}`);
  }

  findPodInterface(hostInterface: string): number | undefined {
    const link = findLink(this.socket, hostInterface);
    return link !== undefined && isOurPodLink(link) ? link.ifindex : undefined;
  }

  deletePodInterface(hostInterface: string): void {
    this.removals = this.removals.then(() => this.remove(hostInterface));
  }

  inspectPodInterface(
    netnsPath: string,
    containerInterface: string,
  ): InsideInterface | undefined {
    return inspectPodInterface(netnsPath, containerInterface);
  }

  mendPodInterface(request: PodInterfaceRequest): void {
    mendPodInterface(this.socket, request);
  }

  inspectDevice(name: string): NodeDevice | undefined {
    return findLink(this.socket, name);
  }

  listHostRoutes(): IpPrefix[] {
    const ifindex = findLink(this.socket, hostDevice)?.ifindex;
    return this.socket
      .query(rt.dumpRoutes(), 'dump of routes')
      .map(rt.decodeOwnRoute)
      .flatMap((route) => (route?.ifindex === ifindex && route ? [{ address: route.destination, length: route.length }] : []));
  }

  listPodInterfaces(): Array<{ name: string; ifindex: number; vmiUuid: string | undefined }> {
    return this.socket
      .query(rt.dumpLinks(), 'dump of devices')
      .map(rt.decodeLink)
      .filter(isOurPodLink)
      .map(({ name, ifindex, alias }) => ({ name, ifindex, vmiUuid: alias }));
  }

  /** Resolves when every removal asked for is done. */
  settled(): Promise<void> {
    return this.removals;
  }

  /** Waits for removals, then closes the socket. */
  async close(): Promise<void> {
    await this.removals;
    this.removalSocket.close();
    this.guard.close();
    this.monitor.close();
    this.socket.close();
  }

  private async remove(name: string): Promise<void> {
    try {
      await this.removalSocket.requestAsync([rt.deleteLink(name)], `removal of ${name}`);
    } catch (cause) {
      if (!(cause instanceof NetlinkError && cause.errno === linuxErrno.ENODEV)) {
        this.onFailure(
          new ContrailError('INTERNAL', `Device/${name}: not removed: ${errorText(cause)}`, {
            cause,
          }),
        );
      }
    }
  }
}
