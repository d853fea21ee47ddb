/** IP protocols by the names that rules may use (IANA's, and `any`); 0 stands for every protocol. */
const numbers: ReadonlyMap<string, number> = new Map([
  ...([['any', 0], ['icmp', 1], ['igmp', 2], ['tcp', 6], ['egp', 8], ['udp', 17]] as const),
  ...([['rsvp', 46], ['gre', 47], ['esp', 50], ['ah', 51]] as const),
  ...([['icmp6', 58], ['icmpv6', 58], ['ipv6-icmp', 58]] as const),
  ...([['ospf', 89], ['pim', 103], ['vrrp', 112], ['pgm', 113], ['sctp', 132], ['udplite', 136]] as const),
]);

export const protocolNames: readonly string[] = [...numbers.keys()];

/** The number of a protocol given by name, in any case, or by number; undefined for what is neither. */
export function protocolNumber(protocol: string): number | undefined {
  if (!/^\d{1,3}$/.test(protocol)) return numbers.get(protocol.toLowerCase());
  const number = Number(protocol);
  return number <= 255 ? number : undefined;
}

export function isProtocol(protocol: string): boolean {
  return protocolNumber(protocol) !== undefined;
}
