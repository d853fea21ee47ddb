import { tryParseAddress } from '@contrail/net';
import type { PropertyFormat } from './schema';

const uuidForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const macForm = /^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i;

/** RFC 4122, lower case. */
export function isUuid(text: string): boolean {
  return uuidForm.test(text);
}

/** What a format demands, as the end of "but it must be …"; undefined when the text obeys. */
export function formatProblem(format: PropertyFormat, text: string): string | undefined {
  switch (format) {
    case 'ip':
      return tryParseAddress(text) === undefined
        ? 'an IP address such as 192.0.2.1 or 2001:db8::1'
        : undefined;
    case 'ipv4':
      return tryParseAddress(text)?.length === 4 ? undefined : 'an IPv4 address such as 192.0.2.1';
    case 'cidr-address':
      return isCidr(text) ? undefined : 'an address with prefix length such as 192.0.2.0/24';
    case 'mac':
      return macForm.test(text) ? undefined : 'a MAC address such as 02:00:5e:10:00:01';
    case 'uuid':
      return isUuid(text) ? undefined : 'a lower-case UUID as in RFC 4122';
    case 'route-target':
      return isRouteTarget(text) ? undefined : 'a route target such as target:64512:8000001';
    case 'fq-name':
      return text.split(':').every((part) => part !== '')
        ? undefined
        : 'a fully qualified name such as default-domain:default-project:blue';
  }
}

function isCidr(text: string): boolean {
  const match = /^(.+)\/(\d{1,3})$/.exec(text);
  const address = match?.[1] === undefined ? undefined : tryParseAddress(match[1]);
  return address !== undefined && Number(match?.[2]) <= address.length * 8;
}

/** `target:<asn or IPv4>:<number>`; a 2-byte asn leaves 32 bits for the number, all others 16. */
function isRouteTarget(text: string): boolean {
  const match = /^target:([^:]+):(\d{1,10})$/.exec(text);
  if (match?.[1] === undefined) return false;
  const number = Number(match[2]);
  if (/^\d{1,10}$/.test(match[1])) {
    const asn = Number(match[1]);
    if (asn < 1 || asn > 0xffffffff) return false;
    return number <= (asn > 0xffff ? 0xffff : 0xffffffff);
  }
  return tryParseAddress(match[1])?.length === 4 && number <= 0xffff;
}
