import type { Traffic } from './judge-policies';

const names: Readonly<Record<number, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'icmp6', 132: 'sctp' };

/** "tcp port 80", "icmp". */
export function trafficText({ protocol, port }: Traffic): string {
  const name = names[protocol] ?? `protocol ${protocol}`;
  return port === 0 ? name : `${name} port ${port}`;
}
