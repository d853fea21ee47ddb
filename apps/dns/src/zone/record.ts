import type { Address } from '@contrail/net';
import type { WireName } from './domain-name';

/** The types that we make records of, with their numbers in messages. */
export const recordTypes = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, TXT: 16, AAAA: 28, SRV: 33 } as const;
export type RecordType = keyof typeof recordTypes;

/** Types that exist in questions only. */
export const questionTypes = { IXFR: 251, AXFR: 252, ANY: 255 } as const;

export type RecordData =
  | { readonly type: 'A' | 'AAAA'; readonly address: Address }
  | { readonly type: 'CNAME' | 'NS' | 'PTR'; readonly target: WireName }
  | {
      readonly type: 'SRV';
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: WireName;
    }
  | { readonly type: 'TXT'; readonly text: string; readonly ttl: number }
  | {
      readonly type: 'SOA';
      readonly primary: WireName;
      readonly mailbox: WireName;
      readonly serial: number;
      readonly refresh: number;
      readonly retry: number;
      readonly expire: number;
      /** How long a negative answer may be kept, seconds. */
      readonly minimum: number;
    };

export interface ResourceRecord {
  readonly name: WireName;
  /** Seconds. */
  readonly ttl: number;
  readonly data: RecordData;
}

export type ResponseCode = 'NOERROR' | 'FORMERR' | 'SERVFAIL' | 'NXDOMAIN' | 'NOTIMP' | 'REFUSED';

/** What a zone says to one question. */
export interface Resolution {
  readonly code: ResponseCode;
  readonly answers: readonly ResourceRecord[];
  readonly authority: readonly ResourceRecord[];
  readonly additional: readonly ResourceRecord[];
  /** The answers end with an alias to this name, which somebody else knows. */
  readonly outsideAlias?: WireName;
  /** Which objects made the answer, or why there is none; sentences for people, made when asked for. */
  readonly reasons: () => readonly string[];
}

/** The record of an address in its family's type. */
export function addressData(address: Address): RecordData {
  return { type: address.length === 4 ? 'A' : 'AAAA', address };
}

/** `A` for 1; undefined for types that we make no records of. */
export function recordTypeOf(number: number): RecordType | undefined {
  return typesByNumber.get(number);
}

const typesByNumber = new Map<number, RecordType>(
  (Object.keys(recordTypes) as RecordType[]).map((type) => [recordTypes[type], type]),
);
