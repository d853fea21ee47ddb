import { ContrailError } from '@contrail/errors';
import { tryParseAddress } from '@contrail/net';
import type { ReachEnd } from '@contrail/proto-gen/control/v1/reach';

const spellings = 'write NAMESPACE/POD, pod/NAMESPACE/NAME, svc/NAMESPACE/NAME, node/NAME or an address';

/** "default/web", "pod/default/web", "svc/default/web", "node/node1", "10.32.0.7". @throws ContrailError INVALID_ARGUMENT */
export function parseEnd(text: string): ReachEnd {
  const address = tryParseAddress(text);
  if (address !== undefined) return { kind: { $case: 'address', value: Buffer.from(address) } };
  const words = text.split('/');
  if (words.includes('') || words.length < 2 || words.length > 3) throw new ContrailError('INVALID_ARGUMENT', `"${text}": is no end of a connection; ${spellings}`);
  const [kind = '', first = '', second] = words;
  if (second === undefined) return parsePair(text, kind, first);
  switch (kind) {
    case 'pod':
    case 'pods':
    case 'po':
      return { kind: { $case: 'pod', value: { namespace: first, name: second } } };
    case 'svc':
    case 'service':
    case 'services':
      return { kind: { $case: 'service', value: { namespace: first, name: second } } };
    default:
      throw new ContrailError('INVALID_ARGUMENT', `"${text}": "${kind}" is no kind of end; ${spellings}`);
  }
}

/** A node, or a pod with its namespace. */
function parsePair(text: string, first: string, second: string): ReachEnd {
  if (['node', 'nodes', 'no'].includes(first)) return { kind: { $case: 'node', value: second } };
  if (['pod', 'pods', 'po', 'svc', 'service', 'services'].includes(first)) {
    throw new ContrailError('INVALID_ARGUMENT', `"${text}": has no namespace; write ${first}/NAMESPACE/${second}`);
  }
  return { kind: { $case: 'pod', value: { namespace: first, name: second } } };
}

export function endText({ kind }: ReachEnd): string {
  switch (kind?.$case) {
    case undefined:
      return '';
    case 'pod':
    case 'service':
      return `${kind.$case} ${kind.value.namespace}/${kind.value.name}`;
    case 'node':
      return `node ${kind.value}`;
    case 'address':
      return 'address';
  }
}

const protocols: Readonly<Record<string, number>> = { icmp: 1, ping: 1, tcp: 6, udp: 17, sctp: 132 };

export interface AskedTraffic {
  /** IP protocol number; 0: not said. */
  readonly protocol: number;
  /** 0: not said. */
  readonly port: number;
}

/** "80", "80/udp", "udp/80", "icmp"; nothing when it is absent. @throws ContrailError INVALID_ARGUMENT */
export function parsePort(text: string | undefined): AskedTraffic {
  if (text === undefined) return { protocol: 0, port: 0 };
  const words = text.toLowerCase().split('/');
  const numbers = words.filter((word) => /^\d{1,5}$/.test(word)).map(Number);
  const names = words.flatMap((word) => protocols[word] ?? []);
  const [port = 0] = numbers;
  const isGood = numbers.length + names.length === words.length && numbers.length <= 1 && names.length <= 1;
  if (!isGood || port > 65_535 || (numbers.length === 1 && port === 0)) {
    throw new ContrailError('INVALID_ARGUMENT', `"${text}": is no port; write 1 to 65535, with /tcp, /udp or /sctp behind it, or icmp`);
  }
  return { protocol: names[0] ?? 0, port };
}
