import { decode, encode, RECURSION_DESIRED, type DecodedPacket, type Packet } from 'dns-packet';
import { parseAddress } from '@contrail/net';
import { Forwarder, type ForwarderOptions } from '../forward/forwarder';
import { Responder, type Client, type ResponderOptions } from '../serve/responder';
import type { ClusterZone } from '../zone/cluster-zone';

const client: Client = { address: parseAddress('10.32.0.99'), name: '10.32.0.99', transport: 'udp' };

/** A responder of one zone, with nothing to forward to unless options say otherwise. */
export function responderOf(
  zone: ClusterZone,
  options: Partial<Omit<ResponderOptions, 'forwarder'>> & { readonly forwarder?: Partial<ForwarderOptions> } = {},
): Responder {
  const forwarder = new Forwarder({
    upstreams: [],
    exchange: () => Promise.reject(new Error('nobody to ask')),
    timeoutMs: 3000,
    outstanding: { total: 10, perClient: 5 },
    cache: { entriesMax: 100, bytesMax: 1 << 20 },
    now: Date.now,
    ...options.forwarder,
  });
  const viewOf = (): { name: string; zone: ClusterZone } => ({ name: 'cluster', zone });
  return new Responder({ viewOf, isSynced: () => true, spanRatio: 0, random: () => 0.5, ...options, forwarder });
}

export interface Question {
  readonly name: string;
  readonly type: string;
  readonly transport?: Client['transport'];
  readonly packet?: Partial<Packet>;
}

/** The bytes of a question, written by dns-packet. */
export function questionBytes({ name, type, packet = {} }: Question): Buffer {
  const questions = [{ name, type: type as 'A', class: 'IN' as const }];
  return encode({ type: 'query', id: 4711, flags: RECURSION_DESIRED, questions, ...packet });
}

export interface Reply extends DecodedPacket {
  readonly rcode: string;
  readonly flags: number;
  readonly byteLength: number;
  /** Answers as in a zone file: `web.blue.svc.cluster.local 5 A 10.96.0.20`. */
  readonly answerLines: readonly string[];
  readonly additionalLines: readonly string[];
  /** Owners of the SOA records in the authority section. */
  readonly soaOf: readonly string[];
}

/** Asks in bytes and reads the answer with dns-packet, which shares no code with ours. */
export async function ask(responder: Responder, question: Question): Promise<Reply> {
  const bytes = await responder.respond(questionBytes(question), { ...client, transport: question.transport ?? 'udp' });
  if (bytes === undefined) throw new Error('no answer');
  return readReply(bytes);
}

export function readReply(bytes: Buffer): Reply {
  const reply = decode(bytes) as DecodedPacket & { rcode: string };
  return {
    ...reply,
    flags: bytes.readUInt16BE(2),
    byteLength: bytes.length,
    answerLines: (reply.answers ?? []).map(line),
    additionalLines: (reply.additionals ?? []).filter(({ type }) => type !== 'OPT').map(line),
    soaOf: (reply.authorities ?? []).filter(({ type }) => type === 'SOA').map(({ name }) => name),
  };
}

function line(answer: NonNullable<DecodedPacket['answers']>[number]): string {
  const data = 'data' in answer ? answer.data : '';
  const ttl = 'ttl' in answer ? answer.ttl : 0;
  return `${answer.name} ${ttl} ${answer.type} ${textOf(data)}`;
}

function textOf(data: unknown): string {
  if (Buffer.isBuffer(data)) return data.toString('latin1');
  if (Array.isArray(data)) return data.map(textOf).join(' ');
  if (typeof data !== 'object' || data === null) return String(data);
  return Object.values(data).join(' ');
}
