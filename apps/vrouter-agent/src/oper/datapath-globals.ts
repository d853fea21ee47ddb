import type { GlobalConfig } from '@contrail/proto-gen/control/v1/messages';
import type { DatapathGlobals } from '../datapath/port';
import type { LocalFacts } from './facts';

const defaultTimeoutsS = {
  tcpEstablishedS: 8000,
  tcpHalfOpenS: 60,
  tcpClosingS: 10,
  udpS: 60,
  udpStreamS: 180,
  icmpS: 60,
};

const defaultSnatPorts = { min: 61000, max: 65535 };

/** What programs read on every packet. @param generation raised when verdicts may have changed. */
export function toDatapathGlobals(
  config: GlobalConfig,
  local: LocalFacts,
  generation: number,
): DatapathGlobals {
  return {
    nodeAddressV4: local.nodeAddressV4,
    nodeAddressV6: local.nodeAddressV6,
    uplinkIfindex: local.uplinkIfindex,
    tunnelIfindex: local.tunnelIfindex,
    hostIfindex: local.hostIfindex,
    fabricVrf: config.fabricVrf,
    hostIdentity: config.hostIdentity,
    snatPortMin: config.snatPortMin || defaultSnatPorts.min,
    snatPortMax: config.snatPortMax || defaultSnatPorts.max,
    hairpinAddressV4: addressOrNone(config.hairpinAddressV4, 4),
    hairpinAddressV6: addressOrNone(config.hairpinAddressV6, 16),
    generation,
    uplinkMtu: local.uplinkMtu,
    tunnelMtu: local.podMtu,
    ...defaultTimeoutsS,
    ...configuredTimeouts(config),
  };
}

function configuredTimeouts(config: GlobalConfig): Partial<typeof defaultTimeoutsS> {
  const found: { -readonly [Name in keyof typeof defaultTimeoutsS]?: number } = {};
  for (const { protocol, timeoutS } of config.flowTimeouts) {
    if (timeoutS === 0) continue;
    if (protocol === 'tcp' || protocol === '6') found.tcpEstablishedS = timeoutS;
    if (protocol === 'udp' || protocol === '17') {
      found.udpS = timeoutS;
      found.udpStreamS = Math.max(timeoutS, defaultTimeoutsS.udpStreamS);
    }
    if (protocol === 'icmp' || protocol === '1') found.icmpS = timeoutS;
  }
  return found;
}

function addressOrNone(address: Uint8Array, byteLength: number): Uint8Array | undefined {
  return address.length === byteLength ? address : undefined;
}
