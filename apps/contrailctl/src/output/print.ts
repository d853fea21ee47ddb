import Table from 'cli-table3';
import { Document, isScalar, visit } from 'yaml';
import { formatAddress } from '@contrail/net';

export const formats = ['table', 'wide', 'json', 'yaml', 'name'] as const;
export type Format = (typeof formats)[number];

/** A value of a message as people write it: addresses as text, big numbers in full. */
export function toPlain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return bytesText(value);
  if (Array.isArray(value)) return value.map(toPlain);
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, toPlain(field)]));
}

/** 4 or 16 bytes are an address, 6 a MAC, none nothing; anything else is hexadecimal. */
export function bytesText(bytes: Uint8Array): string {
  if (bytes.length === 4 || bytes.length === 16) return formatAddress(bytes);
  return Buffer.from(bytes).toString('hex').replace(bytes.length === 6 ? /(..)(?=.)/g : /$^/, '$1:');
}

export function toJson(value: unknown): string {
  return `${JSON.stringify(toPlain(value), undefined, 2)}\n`;
}

/** Lists of texts and numbers stand on one line, as people write names. */
export function toYaml(value: unknown): string {
  const document = new Document(toPlain(value));
  visit(document, {
    Seq: (_, list) => {
      if (list.items.length > 0 && list.items.every(isScalar)) list.flow = true;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** @param table for the formats that people read. */
export function toFormat(format: Format, value: unknown, table: () => string): string {
  switch (format) {
    case 'json':
      return toJson(value);
    case 'yaml':
      return toYaml(value);
    case 'table':
    case 'wide':
    case 'name':
      return table();
  }
}

export type Cell = string | number | bigint | boolean;

/** Columns without lines, so that the output can be cut by other programs. */
export function toTable(head: readonly string[], rows: ReadonlyArray<readonly Cell[]>): string {
  const none = '';
  const table = new Table({
    head: [...head],
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    chars: {
      top: none, 'top-mid': none, 'top-left': none, 'top-right': none,
      bottom: none, 'bottom-mid': none, 'bottom-left': none, 'bottom-right': none,
      left: none, 'left-mid': none, mid: none, 'mid-mid': none, right: none, 'right-mid': none, middle: none,
    },
  });
  for (const row of rows) table.push(row.map((cell) => (cell === '' ? '-' : String(cell))));
  const lines = table.toString().split('\n');
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

/** One fact a line. */
export function toFacts(facts: ReadonlyArray<readonly [string, Cell]>): string {
  const width = Math.max(...facts.map(([name]) => name.length)) + 2;
  return facts.map(([name, value]) => `${`${name}:`.padEnd(width)}${String(value) === '' ? '-' : String(value)}\n`).join('');
}

const protocolNames: Readonly<Record<number, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'icmp6', 132: 'sctp' };

export function protocolText(protocol: number): string {
  return protocolNames[protocol] ?? String(protocol);
}

/** "192.0.2.1:80", "[2001:db8::1]:80". */
export function endpointText(address: Uint8Array, port: number): string {
  const text = bytesText(address);
  return text.includes(':') ? `[${text}]:${port}` : `${text}:${port}`;
}
