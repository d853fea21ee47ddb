import type { Interface } from '@contrail/proto-gen/control/v1/messages';
import { formatAddress, formatMac } from '@contrail/net';
import type { CniVersion } from './cni-request';
import { aliasFirst, gatewayOf } from './pod-addressing';

export interface AddedInterface {
  readonly cniVersion: CniVersion;
  readonly vmi: Interface;
  readonly ifname: string;
  readonly netns: string;
  readonly hostInterface: string;
  readonly mtu: number;
}

/** Result of ADD in the version that the configuration has; keys that a version lacks are left out. */
export function toCniResult(added: AddedInterface): Record<string, unknown> {
  const { cniVersion, vmi } = added;
  const mtu = cniVersion === '1.1.0' ? { mtu: added.mtu } : {};
  const families = [4, 16] as const;
  const routes = families.flatMap((byteLength) => {
    const gateway = gatewayOf(vmi, byteLength);
    return gateway ? [{ dst: byteLength === 4 ? '0.0.0.0/0' : '::/0', gw: formatAddress(gateway) }] : [];
  });
  const servers = vmi.addresses.filter(({ dnsServer }) => dnsServer.length > 0);
  const nameservers = [...new Set(servers.map(({ dnsServer }) => formatAddress(dnsServer)))];
  return {
    cniVersion,
    interfaces: [
      { name: added.hostInterface, ...mtu },
      { name: added.ifname, mac: formatMac(vmi.mac), ...mtu, sandbox: added.netns },
    ],
    ips: aliasFirst(vmi.addresses).map(({ address, gateway }) => ({
      ...(cniVersion.startsWith('0.') ? { version: address.length === 4 ? '4' : '6' } : {}),
      interface: 1,
      address: `${formatAddress(address)}/${address.length * 8}`,
      ...(gateway.length > 0 ? { gateway: formatAddress(gateway) } : {}),
    })),
    routes,
    dns: nameservers.length > 0 ? { nameservers } : {},
  };
}
