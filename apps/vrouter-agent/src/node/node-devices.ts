import type { GlobalConfig, Node } from '@contrail/proto-gen/control/v1/messages';
import { ContrailError } from '@contrail/errors';
import type { Datapath, Hook, IpPrefix } from '../datapath/port';
import { checkedPrefix } from '../oper/checked';
import type { LocalFacts } from '../oper/facts';

/** Ethernet, IP, UDP and VXLAN headers around the inner packet, without the outer MAC header. */
const overheadV4 = 50;
const overheadV6 = 70;
const loopbackIfindex = 1;

/** The node's own devices: uplink, tunnel, and the interface of its processes. */
export class NodeDevices {
  readonly #datapath: Datapath;
  readonly #fallback: Uint8Array | undefined;

  /** @param fallback address of the node while control has not named it. */
  constructor(datapath: Datapath, fallback: Uint8Array | undefined) {
    this.#datapath = datapath;
    this.#fallback = fallback;
  }

  /**
   * Makes the devices as the configuration wants them; idempotent.
   *
   * @throws ContrailError FAILED_PRECONDITION when the node has no address, NOT_FOUND when no
   * interface holds it.
   */
  ensure(config: GlobalConfig, self: Node | undefined): LocalFacts {
    const addresses = self && self.addresses.length > 0 ? self.addresses : [this.#fallback];
    const nodeAddressV4 = addresses.find((address) => address?.length === 4);
    const nodeAddressV6 = addresses.find((address) => address?.length === 16);
    const nodeAddress = nodeAddressV4 ?? nodeAddressV6;
    if (!nodeAddress) {
      throw new ContrailError(
        'FAILED_PRECONDITION',
        'VirtualRouter of this node has no address and NODE_IP is not set; give the Kubernetes Node an InternalIP',
      );
    }
    const { devices } = this.#datapath;
    const uplink = devices.findUplink(nodeAddress);
    const podMtu = uplink.mtu - (nodeAddressV4 ? overheadV4 : overheadV6);
    const tunnel = devices.ensureTunnel({ mtu: podMtu });
    const host = devices.ensureHostInterface({ mtu: podMtu, nodeAddress, prefixes: hostPrefixes(config) });
    return {
      nodeAddressV4,
      nodeAddressV6,
      uplinkIfindex: uplink.ifindex,
      tunnelIfindex: tunnel.ifindex,
      hostIfindex: host.ifindex,
      uplinkMtu: uplink.mtu,
      podMtu,
      flowCapacity: this.#datapath.flowCount().capacity,
    };
  }

  /** Were the devices made for another uplink than there is now, or for another MTU of it? */
  isStale(local: LocalFacts): boolean {
    const address = local.nodeAddressV4 ?? local.nodeAddressV6;
    if (!address) return false;
    try {
      const { ifindex, mtu } = this.#datapath.devices.findUplink(address);
      return ifindex !== local.uplinkIfindex || mtu !== local.uplinkMtu;
    } catch {
      // The address is away, as while a lease is renewed: the devices stay as they are.
      return false;
    }
  }

  /** Attaches this version's programs; attaching again replaces without a gap. */
  attach(local: LocalFacts): void {
    for (const { ifindex, hook } of nodeHooks(local)) this.#datapath.attach(ifindex, hook);
  }

  /** False when a device went or was made anew, the node's address moved, or a program is gone. */
  areIntact(local: LocalFacts): boolean {
    const address = local.nodeAddressV4 ?? local.nodeAddressV6;
    if (!address || !nodeHooks(local).every(({ ifindex, hook }) => isAttached(this.#datapath, ifindex, hook))) return false;
    try {
      return this.#datapath.devices.findUplink(address).ifindex === local.uplinkIfindex;
    } catch {
      return false;
    }
  }
}

/** True when the hook's program of this process is attached to the device. */
export function isAttached({ upkeep }: Datapath, ifindex: number, hook: Hook): boolean {
  const { expected, found } = upkeep.inspectHook(ifindex, hook);
  return expected === found;
}

/**
 * Where the node's own programs are; those first whose fast half passes what it does not know, as
 * `Datapath.retireOtherLayouts` needs it.
 */
export function nodeHooks(local: LocalFacts): Array<{ ifindex: number; hook: Hook }> {
  return [
    { ifindex: local.uplinkIfindex, hook: 'uplink' },
    { ifindex: loopbackIfindex, hook: 'loopback' },
    { ifindex: local.tunnelIfindex, hook: 'tunnel' },
    { ifindex: local.hostIfindex, hook: 'host' },
  ];
}

/** What the node's own processes reach through the vRouter. */
export function hostPrefixes(config: GlobalConfig): IpPrefix[] {
  return config.hostPrefixes.map((prefix) => checkedPrefix('global.host_prefixes', prefix));
}
