import { addressEquals, formatAddress, formatPrefix } from '@contrail/net';
import type { InsideInterface, SourceRoute } from '../datapath/port';

/** As `ip route` says it: "default src 192.0.2.7". */
export function sourceRouteText({ prefix, source }: SourceRoute): string {
  return `${prefix.length === 0 ? 'default' : formatPrefix(prefix)} src ${formatAddress(source)}`;
}

/** Those of the wanted routes that a pod does not have, or with another source. */
export function missingSourceRoutes(wanted: readonly SourceRoute[], inside: InsideInterface): SourceRoute[] {
  return wanted.filter((route) => !inside.sourceRoutes.some((found) => isSame(route, found)));
}

function isSame(a: SourceRoute, b: SourceRoute): boolean {
  return a.prefix.length === b.prefix.length && addressEquals(a.prefix.address, b.prefix.address) && addressEquals(a.source, b.source);
}
