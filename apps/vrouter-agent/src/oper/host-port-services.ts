import type { Interface } from '@contrail/proto-gen/control/v1/messages';
import type { DeviceHostPort, Facts } from './facts';
import type { BackendValue } from '../datapath/port';
import type { ServiceSpec } from './unit-rows';

const loopbackV4 = new Uint8Array([127, 0, 0, 1]);

/**
 * Ports of the node that lead to one pod: services of the fabric VRF with the pod as only backend.
 * An empty or unspecified host address means the node's address and 127.0.0.1.
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
  const v4 = nodeAddressV4 ? [nodeAddressV4, loopbackV4] : [];
  const v6 = nodeAddressV6 ? [nodeAddressV6] : [];
  if (hostAddress.length === 4) return v4;
  return hostAddress.length === 16 ? v6 : [...v4, ...v6];
}

/** The pod's first own address of the family; an alias only when there is no other. */
function backendOf(
  entry: Interface,
  port: DeviceHostPort,
  byteLength: number,
): BackendValue | undefined {
  const usable = entry.addresses.filter(({ address }) => address.length === byteLength);
  const chosen = usable.find(({ alias }) => !alias) ?? usable[0];
  return chosen && { address: chosen.address, port: port.containerPort, vrf: entry.vrf };
}
