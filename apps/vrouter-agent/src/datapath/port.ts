/**
 * The port between the agent and its forwarding plane: typed tables (the eBPF maps), network
 * devices, and events. `src/datapath` implements it on the kernel, `testing/fake-datapath.ts` in
 * memory; `datapath-contract.netns.spec.ts` runs against both. Addresses are 4 or 16 bytes, network order.
 */

/** One table. Desired state is compared with `dump()` at start, afterwards with what was written. */
export interface Table<K, V> {
  readonly name: string;
  /** Canonical text of a key: equal keys, equal text. */
  keyText(key: K): string;
  /** True when both values mean the same to the datapath. */
  equals(a: V, b: V): boolean;
  /** Every entry that the kernel holds. */
  dump(): Array<readonly [K, V]>;
  /** The same, read from the kernel page by page as it is consumed; changes meanwhile may be missed. */
  scan(): Iterable<readonly [K, V]>;
  get(key: K): V | undefined;
  /** Writes in batches. @throws ContrailError RESOURCE_EXHAUSTED when the table is full. */
  upsert(entries: ReadonlyArray<readonly [K, V]>): void;
  /** Removing what is absent succeeds. */
  remove(keys: readonly K[]): void;
}

export interface IpPrefix {
  readonly address: Uint8Array;
  readonly length: number;
}

export interface VifKey {
  readonly ifindex: number;
  /** VLAN tag of a nested pod; 0 for a device of its own. */
  readonly vlan: number;
}

export type VifKind = 'pod' | 'host';

export interface VifValue {
  readonly kind: VifKind;
  readonly vrf: number;
  readonly identity: number;
  /** 0: no policy programmed, everything is dropped. */
  readonly policy: number;
  readonly portSecurity: boolean;
  readonly mac: Uint8Array;
  readonly mtu: number;
  /** Flows this interface may hold; 0 means no limit. */
  readonly maxFlows: number;
  /** uuid of the VMI as 16 bytes, for people and for read-back after a restart. */
  readonly uuid: Uint8Array;
  /** When it has several (at most 4 count): UDP answers come from the one that was asked. Else empty. */
  readonly addressesV4: readonly Uint8Array[];
}

/** Sources that a Vif with port security may use. */
export interface SourceKey {
  readonly ifindex: number;
  readonly vlan: number;
  readonly prefix: IpPrefix;
}

export interface HostRouteKey {
  readonly vrf: number;
  readonly address: Uint8Array;
}

export interface PrefixRouteKey {
  readonly vrf: number;
  readonly prefix: IpPrefix;
}

export interface RouteValue {
  readonly nextHop: number;
  /** Identity of what is behind the route, for egress policy; absent or 0: unknown, "any" decides. */
  readonly identity?: number;
}

/**
 * encap: a local Vif; tunnel: VXLAN to `remote`; composite: ECMP over members; receive: the node's
 * own stack; gateway: answers ARP and ICMP echo itself; fabric: the underlay, with source
 * translation when `snat`; discard: dropped with a reason.
 */
export type NextHopKind =
  | 'encap'
  | 'tunnel'
  | 'composite'
  | 'receive'
  | 'gateway'
  | 'fabric'
  | 'discard';

export interface NextHopValue {
  readonly kind: NextHopKind;
  readonly ifindex: number;
  readonly vlan: number;
  readonly remote: Uint8Array | undefined;
  /** VRF in which the receiver looks up. */
  readonly vrf: number;
  /** 0: the label is that of {vrf, identity of the sender}; else a fixed VNI (foreign peers). */
  readonly label: number;
  readonly mac: Uint8Array;
  readonly snat: boolean;
  /** Slots of a composite. */
  readonly memberCount: number;
}

export interface CompositeKey {
  readonly nextHop: number;
  readonly slot: number;
}

export interface LabelInValue {
  readonly vrf: number;
  /** 0: identity from the source prefix. */
  readonly identity: number;
  readonly senderVrf: number;
  /** Of the sender's addresses, as `VrfValue.space`. */
  readonly senderSpace: number;
}

export interface LabelOutKey {
  readonly vrf: number;
  readonly identity: number;
}

/**
 * Protocol 0 with port 0 marks the address as a service's: what no other key of the address matches is
 * dropped with its own reason instead of following a route. Address 0.0.0.0 in the fabric VRF with
 * `hostPort` means every address of the node, 127.0.0.0/8 included.
 */
export interface ServiceKey {
  readonly vrf: number;
  readonly address: Uint8Array;
  readonly protocol: number;
  readonly port: number;
}

export interface ServiceValue {
  /** Chosen by the agent, never reused while a flow may name it. */
  readonly id: number;
  /** Slots in `backends`; 0: no endpoints, refused at once (RST, ICMP port unreachable). */
  readonly slotCount: number;
  readonly affinityTimeoutS: number;
  /** Only clients inside `sourceRanges` are served. */
  readonly hasSourceRanges: boolean;
  readonly external: boolean;
  readonly internalLocalOnly: boolean;
  readonly externalLocalOnly: boolean;
  /** A hostPort of a local pod: clients outside the cluster are served too. */
  readonly hostPort: boolean;
}

/** Every slot below slotCount has a backend: the agent fills holes with other members. */
export interface BackendKey {
  readonly service: number;
  readonly slot: number;
}

export interface BackendValue {
  readonly address: Uint8Array;
  readonly port: number;
  readonly vrf: number;
}

export interface SourceRangeKey {
  readonly service: number;
  readonly prefix: IpPrefix;
}

/** Underlay addresses from which tunnel packets are accepted. */
export interface NodeKey {
  readonly address: Uint8Array;
}

export interface NodeValue {
  readonly self: boolean;
}

/** Egress through a service is judged as egress where nothing is said of it. */
export type PolicyDirection = 'ingress' | 'egress' | 'egress-to-service';

export interface PolicyKey {
  readonly policy: number;
  readonly direction: PolicyDirection;
  /** 0 means any. */
  readonly peerIdentity: number;
  /** 0 means any; then port and length are 0. */
  readonly protocol: number;
  readonly port: number;
  /** Bits of the port that count, 0 to 16. */
  readonly portLength: number;
}

export interface PolicyValue {
  readonly verdict: 'pass' | 'deny';
  readonly rule: number;
}

export interface VrfValue {
  /** Flows of the VRF on this node; 0 means no limit. */
  readonly maxFlows: number;
  readonly vni: number;
  /** VRFs of one space never use an address twice, so an end may move between them. 0: of no space. */
  readonly space: number;
}

export interface DatapathGlobals {
  readonly nodeAddressV4: Uint8Array | undefined;
  readonly nodeAddressV6: Uint8Array | undefined;
  readonly uplinkIfindex: number;
  readonly tunnelIfindex: number;
  readonly hostIfindex: number;
  readonly fabricVrf: number;
  readonly hostIdentity: number;
  readonly snatPortMin: number;
  readonly snatPortMax: number;
  readonly hairpinAddressV4: Uint8Array | undefined;
  readonly hairpinAddressV6: Uint8Array | undefined;
  /**
   * 1 to 2^32 - 2, raised by the agent when policy, identities, labels, sources or the place of ends
   * change: live flows are judged again.
   */
  readonly generation: number;
  readonly tcpEstablishedS: number;
  readonly tcpHalfOpenS: number;
  readonly tcpClosingS: number;
  readonly udpS: number;
  readonly udpStreamS: number;
  readonly icmpS: number;
  /** Bytes of IP that the underlay takes; 0: unknown, nothing is too big. */
  readonly uplinkMtu: number;
  /** Bytes of an inner packet that the underlay takes with the tunnel's headers around it. */
  readonly tunnelMtu: number;
}

/** Flow zones below are interfaces, from here on VRFs (ZONE_VRF of bpf/flow_layout.h). */
export const firstVrfZone = 0x8000_0000;

export interface Flow {
  readonly zone: number;
  readonly vlan: number;
  readonly protocol: number;
  readonly localAddress: Uint8Array;
  readonly localPort: number;
  readonly remoteAddress: Uint8Array;
  readonly remotePort: number;
  readonly verdict: 'pass' | 'drop';
  readonly rule: number;
  readonly generation: number;
  /** In words: "tunnel 192.0.2.1 label 7". */
  readonly action: string;
  readonly translation: string;
  readonly packetsOut: bigint;
  readonly bytesOut: bigint;
  readonly packetsIn: bigint;
  readonly bytesIn: bigint;
  readonly idleMs: number;
  readonly tcpState: string;
}

export interface DropCount {
  readonly reason: number;
  readonly reasonName: string;
  readonly vrf: number;
  readonly packets: bigint;
  readonly bytes: bigint;
}

export interface DropEvent {
  readonly timeMs: number;
  readonly reason: number;
  readonly reasonName: string;
  readonly vrf: number;
  readonly ifindex: number;
  readonly protocol: number;
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly rule: number;
}

/** Processes that did not bind get `source` towards `prefix`; length 0 is the default route. */
export interface SourceRoute {
  readonly prefix: IpPrefix;
  readonly source: Uint8Array;
}

export interface PodInterfaceRequest {
  /** Path of the network namespace file (CNI_NETNS). */
  readonly netnsPath: string;
  /** Name inside the pod (CNI_IFNAME). */
  readonly containerInterface: string;
  /** Name in the node's namespace, at most 15 characters. */
  readonly hostInterface: string;
  readonly mac: Uint8Array;
  /** The first is the primary; each is configured as /32 (or /128). */
  readonly addresses: readonly Uint8Array[];
  /** Gateway for each family; undefined: no default route. */
  readonly gatewayV4: Uint8Array | undefined;
  readonly gatewayV6: Uint8Array | undefined;
  /** Where several addresses could be the source; empty: the kernel takes the first of the family. */
  readonly sourceRoutes: readonly SourceRoute[];
  readonly mtu: number;
}

/** A device in the node's namespace. */
export interface NodeDevice {
  readonly ifindex: number;
  readonly mtu: number;
  readonly mac: Uint8Array;
  readonly up: boolean;
  readonly alias: string | undefined;
}

/** What is configured at the pod's end of a pair. */
export interface InsideInterface {
  readonly mac: Uint8Array;
  readonly addresses: Uint8Array[];
  readonly mtu: number;
  readonly up: boolean;
  /** Gateways of its default routes. */
  readonly gateways: Uint8Array[];
  /** Of the routes that the agent made: those that name a source. */
  readonly sourceRoutes: SourceRoute[];
  readonly peerIfindex: number;
}

export interface PodInterface {
  readonly hostIfindex: number;
  readonly containerIfindex: number;
}

/** Network devices of the node. Nothing here blocks the event loop longer than a few milliseconds. */
export interface Devices {
  /** Interface that holds the address. @throws ContrailError NOT_FOUND */
  findUplink(address: Uint8Array): { name: string; ifindex: number; mtu: number; mac: Uint8Array };
  /** One collect-metadata VXLAN device per node, port 4789. Idempotent. */
  ensureTunnel(options: { mtu: number }): { ifindex: number; mac: Uint8Array };
  /** Device through which the node's own processes reach `prefixes`. Idempotent; prunes old prefixes. */
  ensureHostInterface(options: {
    mtu: number;
    nodeAddress: Uint8Array;
    prefixes: readonly IpPrefix[];
  }): { ifindex: number };
  /**
   * The nftables rule that drops what devices of ours bring to the node's stack without a program's
   * mark; idempotent. Before it no pod's interface may come up. It stays when the agent ends.
   * @throws ContrailError FAILED_PRECONDITION
   */
  ensureGuard(): void;
  /** What the rule dropped since it was made: packets that no program saw. undefined: no rule. */
  guardDrops(): { packets: bigint; bytes: bigint } | undefined;
  /** Devices that lost programs or addresses, or went, since the last call, by ifindex. */
  takeDisturbed(): ReadonlySet<number> | 'all';
  /**
   * Creates the pair with the peer in the pod's namespace, addresses, routes. The node's end is down:
   * nothing flows before a program is attached and `activatePodInterface` was called.
   */
  createPodInterface(request: PodInterfaceRequest): PodInterface;
  /**
   * Gives an existing pair what the request says: MACs, MTU, state, addresses, routes. Addresses and
   * routes that are there beside them stay. @throws ContrailError NOT_FOUND when the pair is not there.
   */
  mendPodInterface(request: PodInterfaceRequest): void;
  /**
   * The node's end goes up, under the guard and without a filter by reverse path. Idempotent.
   * @param vmiUuid is kept as the device's alias, for a restarted agent; left out: the alias stays.
   */
  activatePodInterface(ifindex: number, vmiUuid?: string): void;
  /** Ifindex of a pod's interface; undefined when there is none of that name. */
  findPodInterface(hostInterface: string): number | undefined;
  /** Deleting what is absent succeeds. Returns at once; the device goes in the background. */
  deletePodInterface(hostInterface: string): void;
  /** What is configured inside the namespace, for CHECK; undefined when the interface is absent. */
  inspectPodInterface(
    netnsPath: string,
    containerInterface: string,
  ): InsideInterface | undefined;
  inspectDevice(name: string): NodeDevice | undefined;
  /** Prefixes that `ensureHostInterface` has routed to the host interface. */
  listHostRoutes(): IpPrefix[];
  /** Every device of ours: name, ifindex, and the VMI uuid kept in its alias (IFLA_IFALIAS). */
  listPodInterfaces(): Array<{ name: string; ifindex: number; vmiUuid: string | undefined }>;
}

export type Hook = 'pod' | 'tunnel' | 'uplink' | 'host' | 'loopback';

/** Names of the node's own devices. */
export const tunnelDevice = 'vxlan-contrail';
export const hostDevice = 'vhost0';

/** Something of the kernel's that can be swapped under us: a program or a map, named with its id. */
export interface Held {
  readonly object: string;
  readonly expected: string;
  /** undefined: nothing is there. */
  readonly found: string | undefined;
}

/** Looks at what is attached and pinned, and puts it back. */
export interface Upkeep {
  /** The program at the hook; expected is this agent's own. */
  inspectHook(ifindex: number, hook: Hook): Held;
  /** The second halves of the programs, reached by tail calls. */
  inspectSlowPrograms(): Held[];
  /** The files that keep maps beyond the life of the agent. */
  inspectPins(): Held[];
  readGlobals(): DatapathGlobals | undefined;
  /** Puts slow programs and pins back. */
  restore(): void;
}

export interface Datapath {
  readonly vifs: Table<VifKey, VifValue>;
  readonly sources: Table<SourceKey, true>;
  readonly hostRoutes: Table<HostRouteKey, RouteValue>;
  readonly prefixRoutes: Table<PrefixRouteKey, RouteValue>;
  readonly nextHops: Table<number, NextHopValue>;
  readonly composites: Table<CompositeKey, RouteValue>;
  readonly labelsIn: Table<number, LabelInValue>;
  readonly labelsOut: Table<LabelOutKey, number>;
  readonly services: Table<ServiceKey, ServiceValue>;
  readonly backends: Table<BackendKey, BackendValue>;
  readonly sourceRanges: Table<SourceRangeKey, true>;
  readonly nodes: Table<NodeKey, NodeValue>;
  readonly policies: Table<PolicyKey, PolicyValue>;
  readonly vrfs: Table<number, VrfValue>;
  readonly devices: Devices;
  readonly upkeep: Upkeep;
  /** Number of the layout of tables and flows; another number, other structs. */
  readonly layoutVersion: number;
  setGlobals(globals: DatapathGlobals): void;
  /** Attaches the program of the hook (clsact); attaching again replaces atomically. */
  attach(ifindex: number, hook: Hook): void;
  detach(ifindex: number): void;
  /**
   * After every device has this version's programs: flows that programs of another layout made move
   * here in the background, then their maps go. Until then the programs find them there.
   */
  retireOtherLayouts(): void;
  /** Flows in batches of at most 1000. */
  flows(): AsyncIterable<readonly Flow[]>;
  flowCount(): { used: number; capacity: number };
  /** Records that count against `maxFlows` of the Vif: those of connections that it began. */
  vifFlows(ifindex: number, vlan: number): number;
  /** The same of a VRF; 0 when it has no limit. */
  vrfFlows(vrf: number): number;
  /** Removes every flow of a Vif (DEL). */
  removeFlows(ifindex: number, vlan: number): void;
  /** Removes flows whose service backend is gone so that UDP clients move at once. */
  removeFlowsToBackend(vrf: number, address: Uint8Array, port: number, protocol: number): void;
  drops(): DropCount[];
  /** Forgets drop counts of VRFs that are not among these; those of no VRF (0) stay. */
  pruneDrops(vrfs: ReadonlySet<number>): void;
  onDrop(listener: (event: DropEvent) => void): void;
  /** Stops timers and event threads; maps and programs stay. */
  close(): Promise<void>;
}
