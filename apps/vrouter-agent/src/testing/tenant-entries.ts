import type { Entry, Path } from '@contrail/proto-gen/control/v1/messages';
import { macFromUuid } from '@contrail/net';
import * as make from './entries';

/** An interface of one of many networks that all have the same subnet. */
export interface TenantPod {
  /** From 1; `vmiUuid(n)` is its interface. */
  readonly n: number;
  readonly network: number;
  readonly node: string;
  /** The same for the pods of this index in every network. */
  readonly address: string;
  /** Nobody else has it. */
  readonly alias: string;
}

/** Of each network: every pod is a backend, and it has the same address everywhere. */
export const tenantService = { address: '203.0.113.10', port: 80, targetPort: 7000 } as const;

export const tenantNodes = [
  { name: 'node1', address: '192.0.2.1' },
  { name: 'node2', address: '192.0.2.2' },
] as const;

const gateway = '198.18.0.1';
const firstVrf = 100;
const tcp = 6;
const udp = 17;

/** The first half of each network's pods is on the first node, the rest on the second. */
export function tenantPods(networks: number, interfaces: number): TenantPod[] {
  return Array.from({ length: networks * interfaces }, (_, index) => {
    const place = index % interfaces;
    const alias = index + 1;
    return {
      n: index + 1,
      network: Math.floor(index / interfaces),
      node: tenantNodes[place < interfaces / 2 ? 0 : 1].name,
      address: `198.18.0.${5 + place}`,
      alias: `10.32.${alias >> 8}.${alias & 255}`,
    };
  });
}

/** What control says to either node. */
export function tenantEntries(pods: readonly TenantPod[]): Entry[] {
  const networks = [...new Set(pods.map(({ network }) => network))];
  return [
    make.globalEntry(),
    ...tenantNodes.map(({ name, address }) => make.nodeEntry(name, address)),
    make.vrfEntry(make.fabricVrf),
    make.policyEntry(make.policyId),
    ...tenantNodes.map(({ name, address }) => make.routeEntry(make.fabricVrf, `${address}/32`, make.nodePath(name))),
    ...networks.flatMap((network) => networkEntries(network, pods.filter((pod) => pod.network === network))),
  ];
}

function networkEntries(network: number, pods: readonly TenantPod[]): Entry[] {
  const vrf = firstVrf + network;
  const identity = vrf;
  const backends = pods.map(({ n, alias, node }) =>
    make.backend(n, { memberUuid: make.vmiUuid(0x10000 + n), address: make.bytes(alias), port: tenantService.targetPort, vrf, node }),
  );
  return [
    make.vrfEntry(vrf, gateway),
    // Of its own senders, and of the nodes' both ways.
    labelEntry(10_000 + network, { vrf, identity, senderVrf: vrf }),
    labelEntry(20_000 + network, { vrf: make.fabricVrf, identity, senderVrf: vrf }),
    labelEntry(30_000 + network, { vrf, identity: hostIdentity, senderVrf: make.fabricVrf }),
    ...pods.flatMap((pod) => podEntries(pod, vrf)),
    ...[tcp, udp].map((protocol) =>
      make.serviceEntry(tenantService.address, backends, {
        key: { vrf, address: make.bytes(tenantService.address), protocol, port: tenantService.port },
        listenerUuid: make.vmiUuid(0x20000 + 2 * network + (protocol === tcp ? 0 : 1)),
      }),
    ),
  ];
}

/** That of `globalEntry`. */
const hostIdentity = 2;

function labelEntry(label: number, fields: { vrf: number; identity: number; senderVrf: number }): Entry {
  return { kind: { $case: 'label', value: { label, ...fields, senderAddressSpace: Buffer.alloc(0) } } };
}

function podEntries({ n, node, address, alias }: TenantPod, vrf: number): Entry[] {
  const mac = Buffer.from(macFromUuid(make.vmiUuid(n)));
  const path: Path = { nextHop: { $case: 'interface', value: { node, interfaceUuid: make.vmiUuid(n), vrf, mac } }, preference: 0 };
  return [
    make.interfaceEntry(n, {
      node,
      vrf,
      identity: vrf,
      addresses: [
        make.podAddress(address, { gateway: make.bytes(gateway), prefixLength: 24 }),
        make.podAddress(alias, { alias: true, gateway: Buffer.alloc(0), prefixLength: 32 }),
      ],
      networkPrefixes: [make.prefix('198.18.0.0/24')],
    }),
    make.routeEntry(vrf, `${address}/32`, path),
    ...[vrf, make.fabricVrf].map((each) => make.routeEntry(each, `${alias}/32`, path)),
  ];
}
