import type { Interface } from '@contrail/proto-gen/control/v1/messages';
import type { DeviceHostPort, Facts } from './facts';
import type { BackendValue } from '../datapath/port';
import type { ServiceSpec } from './unit-rows';

/** In the fabric VRF the datapath reads these as every address of the node, 127.0.0.0/8 included. */
const anyV4 = new Uint8Array(4);
const anyV6 = new Uint8Array(16);

/**
 * Ports of the node that lead to one pod: services of the fabric VRF with the pod as only backend.
 * An empty or unspecified host address means every address of the node.
 */
export function hostPortServices(
  entry: Interface,
  ports: readonly DeviceHostPort[],
  facts: Facts,
): ServiceSpec[] {
  const fabricVrf = facts.global()?.fabricVrf;
  if (fabricVrf === undefined) return [];
  return ports.flatMap((port) =>
    listenAddresses(port.hostAddress, facts).flatMap((address) => {
      const backend = backendOf(entry, port, address.length);
      if (!backend) return [];
      const key = { vrf: fabricVrf, address, protocol: port.protocol, port: port.hostPort };
      return [{ key, flags: hostPortFlags, sourceRanges: [], backends: [backend] }];
    }),
  );
}

const hostPortFlags: ServiceSpec['flags'] = {
  affinityTimeoutS: 0,
  hasSourceRanges: false,
  external: false,
  internalLocalOnly: false,
  externalLocalOnly: false,
  hostPort: true,
};

function listenAddresses(hostAddress: Uint8Array, facts: Facts): Uint8Array[] {
  if (hostAddress.some((byte) => byte !== 0)) return [hostAddress];
  const { nodeAddressV4, nodeAddressV6 } = facts.local();
  const any = [...(nodeAddressV4 ? [anyV4] : []), ...(nodeAddressV6 ? [anyV6] : [])];
  return any.filter(({ length }) => hostAddress.length === 0 || hostAddress.length === length);
}

/**
 * The pod's first address of the family, an alias before others: clients of the node's ports are outside
 * of the pod's network, and towards them the alias is the source of its answers.
 */
function backendOf(
  entry: Interface,
  port: DeviceHostPort,
  byteLength: number,
): BackendValue | undefined {
  const usable = entry.addresses.filter(({ address }) => address.length === byteLength);
  const chosen = usable.find(({ alias }) => alias) ?? usable[0];
  return chosen && { address: chosen.address, port: port.containerPort, vrf: entry.vrf };
}
