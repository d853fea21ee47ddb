import { LRUCache } from 'lru-cache';
import { ContrailError } from '@contrail/errors';
import { responseCodes, type Query } from '../wire/query';
import { flagBits } from '../wire/query';
import type { UpstreamMessage } from '../wire/upstream-message';
import { Quota } from './quota';
import type { Upstream } from './resolv-conf';

/** An answer of another name server and how long it has been kept. */
export interface ForwardedAnswer {
  readonly message: UpstreamMessage;
  readonly ageSeconds: number;
  readonly isCached: boolean;
}

export interface ForwarderOptions {
  /** Asked in this order, beginning with the one that answered last; empty: nothing can be forwarded. */
  readonly upstreams: readonly Upstream[];
  /** Asks one server. @throws ContrailError */
  readonly exchange: (upstream: Upstream, query: Query, timeoutMs: number) => Promise<UpstreamMessage>;
  readonly timeoutMs: number;
  /** Answers under way, in all and for each client. */
  readonly outstanding: { readonly total: number; readonly perClient: number };
  readonly cache: { readonly entriesMax: number; readonly bytesMax: number };
  readonly now: () => number;
}

/** Longest times that answers are kept, seconds; as CoreDNS' cache has them for negative ones. */
const positiveTtlMax = 3600;
const negativeTtlMax = 30;
/** Of each try: a server that is away must not eat the client's patience, 5 s with most resolvers. */
const triesMax = 3;

interface Kept {
  readonly message: UpstreamMessage;
  readonly atMs: number;
  readonly untilMs: number;
}

/** Asks other name servers for names that are not the cluster's, and remembers their answers. */
export class Forwarder {
  readonly #cache: LRUCache<string, Kept>;
  readonly #underWay = new Map<string, Promise<UpstreamMessage>>();
  readonly #quota: Quota;
  #preferred = 0;

  constructor(private readonly options: ForwarderOptions) {
    const { entriesMax, bytesMax } = options.cache;
    this.#cache = new LRUCache({
      max: entriesMax,
      maxSize: bytesMax,
      // Beside the message: the key and the places of the records.
      sizeCalculation: (kept) => kept.message.bytes.length + 200 + 32 * kept.message.records.length,
    });
    this.#quota = new Quota(options.outstanding);
  }

  get isAvailable(): boolean {
    return this.options.upstreams.length > 0;
  }

  get cacheEntries(): number {
    return this.#cache.size;
  }

  get outstanding(): number {
    return this.#quota.total;
  }

  /** The kept answer, if there is one: no waiting, no quota. */
  findCached(query: Query): ForwardedAnswer | undefined {
    const kept = this.#cache.get(keyOf(query));
    const nowMs = this.options.now();
    if (kept === undefined || kept.untilMs <= nowMs) return undefined;
    return { message: kept.message, ageSeconds: Math.floor((nowMs - kept.atMs) / 1000), isCached: true };
  }

  /**
   * Equal questions that are asked at the same time are forwarded once.
   *
   * @param client counts against its share while it waits.
   * @throws ContrailError RESOURCE_EXHAUSTED when too many wait, else what the last server asked failed with.
   */
  async ask(query: Query, client: string): Promise<ForwardedAnswer> {
    const cached = this.findCached(query);
    if (cached !== undefined) return cached;
    if (!this.#quota.tryEnter(client)) {
      throw new ContrailError('RESOURCE_EXHAUSTED', `client ${client}: has too many questions under way; it must wait for answers`);
    }
    try {
      return { message: await this.#askOnce(query), ageSeconds: 0, isCached: false };
    } finally {
      this.#quota.leave(client);
    }
  }

  #askOnce(query: Query): Promise<UpstreamMessage> {
    const key = keyOf(query);
    const known = this.#underWay.get(key);
    if (known !== undefined) return known;
    const asked = this.#askServers(query)
      .then((message) => {
        this.#keep(key, message);
        return message;
      })
      .finally(() => {
        this.#underWay.delete(key);
      });
    this.#underWay.set(key, asked);
    return asked;
  }

  async #askServers(query: Query): Promise<UpstreamMessage> {
    const { upstreams, exchange } = this.options;
    const timeoutMs = Math.floor(this.options.timeoutMs / triesMax);
    let failure: unknown = new ContrailError('FAILED_PRECONDITION', 'no name server to forward to; set FORWARDERS');
    for (let attempt = 0; attempt < triesMax; attempt++) {
      const index = (this.#preferred + attempt) % Math.max(1, upstreams.length);
      const upstream = upstreams[index];
      if (upstream === undefined) break;
      try {
        const message = await exchange(upstream, query, timeoutMs);
        const isLastTry = attempt === triesMax - 1;
        // A server that cannot or will not answer may have a neighbour that can.
        if (isFinal(message) || isLastTry) {
          this.#preferred = index;
          return message;
        }
        failure = new ContrailError('UNAVAILABLE', `name server ${upstream.host}: answered with code ${message.code}`);
      } catch (error: unknown) {
        failure = error;
      }
    }
    throw failure;
  }

  #keep(key: string, message: UpstreamMessage): void {
    if (message.ttl === undefined || message.isTruncated) return;
    const isNegative = message.answerCount === 0 || message.code !== responseCodes.NOERROR;
    const seconds = Math.min(message.ttl, isNegative ? negativeTtlMax : positiveTtlMax);
    const atMs = this.options.now();
    if (seconds > 0) this.#cache.set(key, { message, atMs, untilMs: atMs + seconds * 1000 });
  }
}

function isFinal(message: UpstreamMessage): boolean {
  return message.code === responseCodes.NOERROR || message.code === responseCodes.NXDOMAIN;
}

/** Whatever changes the answer: name, type, class, and whether signatures and unchecked data are wanted. */
function keyOf(query: Query): string {
  const isUnchecked = (query.flags & flagBits.checkingDisabled) !== 0;
  const wantsAuthenticity = (query.flags & flagBits.authenticData) !== 0;
  const flags = (query.edns?.wantsDnssec === true ? 1 : 0) + (isUnchecked ? 2 : 0) + (wantsAuthenticity ? 4 : 0);
  return `${query.name}${query.type} ${query.class} ${flags}`;
}
