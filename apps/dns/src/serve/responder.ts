import { decode, encode } from 'dns-packet';
import { errorText } from '@contrail/errors';
import type { Address } from '@contrail/net';
import { annotateSpan, logger, withSpan } from '@contrail/telemetry';
import type { ForwardedAnswer, Forwarder } from '../forward/forwarder';
import { writeForwarded } from '../wire/forwarded-response';
import { classInternet, flagBits, headerBytes, parseQuery, responseCodes, type Query } from '../wire/query';
import {
  datagramBytesMax,
  emptyParts,
  writeBadVersion,
  writeFormatError,
  writeResponse,
  type ResponseParts,
} from '../wire/response';
import { formatName, type WireName } from '../zone/domain-name';
import { questionTypes } from '../zone/record';
import type { View, ViewOf } from '../zone/view';
import { countDropped, countQuery, typeName, type AnswerSource } from './metrics';
import { PreparedAnswers } from './prepared-answers';

/** Who asks, and how. */
export interface Client {
  readonly address: Address;
  /** The address as text. */
  readonly name: string;
  readonly transport: 'udp' | 'tcp';
}

export interface ResponderOptions {
  readonly viewOf: ViewOf;
  readonly forwarder: Forwarder;
  /** False until all that Kubernetes has is known; a premature "does not exist" would be kept by clients. */
  readonly isSynced: () => boolean;
  /** Part of the questions that get a trace span, 0 to 1. */
  readonly spanRatio: number;
  readonly random: () => number;
}

/** An answer, and what is counted of it. */
interface Outcome {
  readonly bytes: Buffer;
  readonly code: number;
  readonly source: AnswerSource;
}

const messageBytesMax = 65_535;
/** Longest question that we read; with all options it stays below 1 kB. */
const queryBytesMax = 4096;
const log = logger('responder');

/** Turns the bytes of a question into the bytes of its answer, whatever the transport. */
export class Responder {
  readonly #prepared = new PreparedAnswers();
  #turn = 0;
  #queries = 0n;

  constructor(private readonly options: ResponderOptions) {}

  /** Questions answered since the start. */
  get queries(): bigint {
    return this.#queries;
  }

  /**
   * Answers one message; never throws and never rejects.
   *
   * @returns the answer, at once whenever no other server must be asked and no span is made; undefined: stay silent.
   */
  respond(message: Buffer, client: Client): Buffer | undefined | Promise<Buffer | undefined> {
    if (message.length > queryBytesMax) return drop('too long');
    const query = parseQuery(message);
    if (query === undefined) return drop('no question');
    this.#queries += 1n;
    if ('broken' in query) {
      countQuery({ client, type: 0, code: responseCodes.FORMERR, source: 'refused' });
      return writeFormatError(query);
    }
    if (this.options.spanRatio <= this.options.random()) return this.#respondUntraced(query, client);
    const attributes = {
      'dns.question.name': formatName(query.name),
      'dns.question.type': typeName(query.type),
      'client.address': client.name,
      'network.transport': client.transport,
    };
    return withSpan('dns query', { kind: 'server', attributes }, async () => {
      const outcome = await this.#outcome(query, client);
      annotateSpan({ 'dns.response_code': outcome.code, 'dns.source': outcome.source });
      return count(outcome, query, client);
    });
  }

  #respondUntraced(query: Query, client: Client): Buffer | Promise<Buffer> {
    const outcome = this.#outcome(query, client);
    return outcome instanceof Promise ? outcome.then((o) => count(o, query, client)) : count(outcome, query, client);
  }

  #outcome(query: Query, client: Client): Outcome | Promise<Outcome> {
    const refusal = refusalCode(query);
    if (refusal !== undefined) return this.#write(query, client, emptyParts(refusal), 'refused');
    if (query.edns !== undefined && query.edns.version !== 0) {
      const bytes = writeBadVersion(query, { bytesMax: messageBytesMax, isRecursionAvailable: false });
      return { bytes, code: responseCodes.FORMERR, source: 'refused' };
    }
    const view = this.options.viewOf(client.address);
    return this.#answerLocally(query, client, view) ?? this.#forward(query, client);
  }

  /** @returns undefined when the name is not the cluster's. */
  #answerLocally(query: Query, client: Client, view: View): Outcome | Promise<Outcome> | undefined {
    const node = view.zone.find(query.name);
    const known = node === undefined ? undefined : this.#prepared.find(node, query.type);
    if (known !== undefined && this.options.isSynced()) {
      const firstAnswer = known.isRotatable ? this.#turn++ % known.answers.length : 0;
      return this.#write(query, client, known, 'zone', firstAnswer);
    }
    const resolution = view.zone.resolve(query.name, query.type);
    if (resolution === undefined) return undefined;
    if (!this.options.isSynced()) return this.#write(query, client, emptyParts(responseCodes.SERVFAIL), 'zone');
    const prepared = this.#prepared.prepare(query.name, query.type, resolution, node);
    const mayContinue = (query.flags & flagBits.recursionDesired) !== 0 && this.options.forwarder.isAvailable;
    if (prepared.outsideAlias === undefined || !mayContinue) return this.#write(query, client, prepared, 'zone');
    return this.#followOutside(query, client, prepared, prepared.outsideAlias);
  }

  /** An ExternalName Service: its alias, and what other servers say to that name. */
  async #followOutside(query: Query, client: Client, alias: ResponseParts, target: WireName): Promise<Outcome> {
    const question = Buffer.concat([Buffer.from(target, 'latin1'), query.question.subarray(-4)]);
    const continued: Query = { ...query, name: target, question };
    try {
      const { message, ageSeconds } = await this.options.forwarder.ask(continued, client.name);
      // Names in the records may point into their own message, so they are read and written anew.
      const answers = decode(writeForwarded(continued, message, ageSeconds, messageBytesMax)).answers ?? [];
      const records = answers.map((answer) => encode({ type: 'response', answers: [answer] }).subarray(headerBytes));
      const parts = { ...alias, code: message.code, answers: [...alias.answers, ...records], authority: [], additional: [] };
      return this.#write(query, client, parts, 'forward');
    } catch (error: unknown) {
      return this.#failed(query, client, error);
    }
  }

  #forward(query: Query, client: Client): Outcome | Promise<Outcome> {
    const { forwarder } = this.options;
    const cached = forwarder.findCached(query);
    if (cached !== undefined) return this.#writeForwarded(query, client, cached);
    const isWanted = (query.flags & flagBits.recursionDesired) !== 0;
    if (!isWanted || !forwarder.isAvailable) {
      return this.#write(query, client, emptyParts(responseCodes.REFUSED), 'refused');
    }
    return forwarder.ask(query, client.name).then(
      (answer) => this.#writeForwarded(query, client, answer),
      (error: unknown) => this.#failed(query, client, error),
    );
  }

  #writeForwarded(query: Query, client: Client, { message, ageSeconds, isCached }: ForwardedAnswer): Outcome {
    const bytes = writeForwarded(query, message, ageSeconds, bytesMaxFor(query, client));
    return { bytes, code: message.code, source: isCached ? 'cache' : 'forward' };
  }

  #failed(query: Query, client: Client, error: unknown): Outcome {
    log.debug('a question could not be forwarded', { name: formatName(query.name), error: errorText(error) });
    annotateSpan({ 'error.message': errorText(error) });
    return this.#write(query, client, emptyParts(responseCodes.SERVFAIL), 'forward');
  }

  #write(query: Query, client: Client, parts: ResponseParts, source: AnswerSource, firstAnswer = 0): Outcome {
    const isRecursionAvailable = this.options.forwarder.isAvailable;
    const bytesMax = bytesMaxFor(query, client);
    return { bytes: writeResponse(query, parts, { bytesMax, isRecursionAvailable, firstAnswer }), code: parts.code, source };
  }
}

/** Questions that are understood and never answered. */
function refusalCode(query: Query): number | undefined {
  if (query.opcode !== 0) return responseCodes.NOTIMP;
  if (query.class !== classInternet) return responseCodes.REFUSED;
  return query.type === questionTypes.AXFR || query.type === questionTypes.IXFR ? responseCodes.REFUSED : undefined;
}

function bytesMaxFor(query: Query, client: Client): number {
  return client.transport === 'tcp' ? messageBytesMax : datagramBytesMax(query);
}

function count(outcome: Outcome, query: Query, client: Client): Buffer {
  countQuery({ client, type: query.type, code: outcome.code, source: outcome.source });
  return outcome.bytes;
}

function drop(reason: 'too long' | 'no question'): undefined {
  countDropped(reason);
  return undefined;
}
