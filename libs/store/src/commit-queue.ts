import { ContrailError } from '@contrail/errors';
import { listOf } from './change-feed';
import { typeOfNumber } from './keys';
import type { DependentKind } from './keys';
import type { RedisConnection, Reply } from './redis/connection';
import type { Dependent, TransactionFailure, TransactionRequest, TransactionResult } from './store';
import { StoredObject } from './stored-object';
import { encodeTransaction } from './transaction-request';
import type { EncodedTransaction } from './transaction-request';

export interface CommitQueueOptions {
  readonly prefix: string;
  /** Changes that the log keeps, at least. */
  readonly logLength: number;
}

interface Waiting {
  readonly transaction: EncodedTransaction;
  readonly resolve: (result: TransactionResult) => void;
  readonly reject: (reason: unknown) => void;
}

/** One call of Redis keeps others waiting no longer than a transaction of that size would. */
const groupWritesMax = 1_000;
const groupBytesMax = 4_194_304;

/**
 * Sends transactions to Redis: those that come while one call is under way go together in the next one. Each is
 * all or nothing by itself, and sees what those before it did.
 */
export class CommitQueue {
  readonly #connection: RedisConnection;
  readonly #options: CommitQueueOptions;
  readonly #waiting: Waiting[] = [];
  #isRunning = false;

  constructor(connection: RedisConnection, options: CommitQueueOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /** @throws ContrailError UNAVAILABLE, INTERNAL; INVALID_ARGUMENT for an object that is too big. */
  async commit(request: TransactionRequest): Promise<TransactionResult> {
    const transaction = encodeTransaction(request, this.#options.logLength);
    return await new Promise((resolve, reject) => {
      this.#waiting.push({ transaction, resolve, reject });
      if (!this.#isRunning) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    for (let group = this.#takeGroup(); group.length > 0; group = this.#takeGroup()) await this.#send(group);
    this.#isRunning = false;
  }

  #takeGroup(): Waiting[] {
    let writes = 0;
    let bytes = 0;
    let count = 0;
    for (const { transaction } of this.#waiting) {
      writes += transaction.values.length;
      bytes += transaction.bytes;
      if (count > 0 && (writes > groupWritesMax || bytes > groupBytesMax)) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #send(group: readonly Waiting[]): Promise<void> {
    try {
      const descriptions = group.map(({ transaction }) => transaction.description);
      const values = group.flatMap(({ transaction }) => transaction.values);
      const args = [`[${descriptions.join(',')}]`, ...values.map((value) => value?.bytes ?? '')];
      const answers = listOf(await this.#connection.call('commit', this.#options.prefix, args));
      for (const [i, { transaction, resolve, reject }] of group.entries()) {
        try {
          resolve(decodeAnswer(transaction, answers[i]));
        } catch (error) {
          reject(error);
        }
      }
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }
}

/** `ok`, a revision for each write, and that of the store; or what failed. */
function decodeAnswer({ values }: EncodedTransaction, answer: Reply | undefined): TransactionResult {
  const [outcome = '', ...rest] = listOf(answer).map(String);
  if (outcome !== 'ok') return { ok: false, failure: decodeFailure(outcome, rest) };
  const revisions = rest.map(BigInt);
  const objects = values.map(
    (value, i) => value && new StoredObject(value.type, revisions[i] ?? 0n, value.bytes),
  );
  return { ok: true, revision: revisions.at(-1) ?? 0n, objects };
}

function decodeFailure(outcome: string, fields: readonly string[]): TransactionFailure {
  const write = Number(fields[0]) - 1;
  const uuid = fields[1] ?? '';
  switch (outcome) {
    case 'conflict':
      return { kind: 'conflict', write };
    case 'claim-lost':
      return { kind: 'claim-lost' };
    case 'uuid-taken':
      return { kind: 'uuid-taken', write, type: typeOfNumber(Number(uuid)) };
    case 'name-taken':
    case 'parent-missing':
    case 'reference-missing':
      return { kind: outcome, write, uuid };
    case 'subnet-in-use':
      return { kind: 'subnet-in-use', write, subnet: uuid, count: Number(fields[2]) };
    case 'over-limit':
      return { kind: 'over-limit', limit: write };
    case 'held':
      return {
        kind: 'held',
        write,
        count: Number(uuid),
        dependents: fields.slice(2).map(decodeDependent),
      };
    default:
      throw new ContrailError('INTERNAL', `the store answered a transaction with "${outcome}"`);
  }
}

function decodeDependent(member: string): Dependent {
  return { kind: member.charAt(0) as DependentKind, uuid: member.slice(1) };
}
