/** The node's own devices and hooks, as the agent makes them. */
import { parseAddress } from '@contrail/net';
import type { KernelDatapath } from '../kernel-datapath';
import type { DatapathGlobals } from '../port';
import { fabricVrf, gateway, hostIdentity, overhead } from './lab-plan';

export function prepareDevices(datapath: KernelDatapath, address: string): DatapathGlobals {
  const { devices } = datapath;
  const uplink = devices.findUplink(parseAddress(address));
  const mtu = uplink.mtu - overhead;
  const tunnel = devices.ensureTunnel({ mtu });
  const host = devices.ensureHostInterface({
    mtu,
    nodeAddress: parseAddress(address),
    prefixes: [
      { address: parseAddress('198.51.100.0'), length: 24 },
      { address: parseAddress('203.0.113.0'), length: 24 },
    ],
  });
  const globals: DatapathGlobals = {
    nodeAddressV4: parseAddress(address),
    nodeAddressV6: undefined,
    uplinkIfindex: uplink.ifindex,
    tunnelIfindex: tunnel.ifindex,
    hostIfindex: host.ifindex,
    fabricVrf,
    hostIdentity,
    snatPortMin: 61_000,
    snatPortMax: 65_535,
    hairpinAddressV4: parseAddress(gateway),
    hairpinAddressV6: undefined,
    generation: 1,
    tcpEstablishedS: 8000,
    tcpHalfOpenS: 60,
    tcpClosingS: 10,
    udpS: 60,
    udpStreamS: 180,
    icmpS: 30,
    uplinkMtu: uplink.mtu,
    tunnelMtu: mtu,
  };
  datapath.setGlobals(globals);
  return globals;
}

export function attachPrograms(datapath: KernelDatapath, globals: DatapathGlobals): void {
  datapath.attach(globals.tunnelIfindex, 'tunnel');
  datapath.attach(globals.uplinkIfindex, 'uplink');
  datapath.attach(globals.hostIfindex, 'host');
  datapath.attach(1, 'loopback');
}
