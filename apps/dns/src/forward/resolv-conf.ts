import { formatAddress, tryParseAddress } from '@contrail/net';

/** Where another name server listens. */
export interface Upstream {
  readonly host: string;
  readonly port: number;
}

export const dnsPort = 53;
const upstreamsMax = 8;

/**
 * The name servers of a resolv.conf. Loopback addresses are left out: they mean the node's own cache, which a pod does not
 * reach, or ourselves.
 */
export function upstreamsOfResolvConf(text: string): Upstream[] {
  const found = text.split('\n').flatMap((line) => {
    const [, word] = /^\s*nameserver\s+(\S+)/.exec(line) ?? [];
    const upstream = word === undefined ? undefined : parseUpstreamAddress(word);
    return upstream === undefined || isLoopback(upstream.host) ? [] : [upstream];
  });
  return found.slice(0, upstreamsMax);
}

/** `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1`, `[2001:db8::1]:5353`; undefined for anything else. */
export function parseUpstreamAddress(text: string): Upstream | undefined {
  const match = /^\[([^\]]+)\]:(\d{1,5})$/.exec(text) ?? /^([^:]+):(\d{1,5})$/.exec(text);
  const address = tryParseAddress(match?.[1] ?? text);
  const port = match === null ? dnsPort : Number(match[2]);
  if (address === undefined || port < 1 || port > 65_535) return undefined;
  return { host: formatAddress(address), port };
}

export function formatUpstream({ host, port }: Upstream): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function isLoopback(host: string): boolean {
  return host === '::1' || host.startsWith('127.');
}
