import { ContrailError } from '@contrail/errors';
import type { ConfigServiceClient } from '@contrail/proto-gen/config/v1/config_service';
import type { Operation, OperationResult, TransactResponse } from '@contrail/proto-gen/config/v1/messages';
import { metaOf } from '@contrail/resource-model';
import { callUnary } from '@contrail/rpc';
import { currentTraceparent } from '@contrail/telemetry';
import type { ResourceCache } from '../watch/resource-cache';
import { Batcher } from './batcher';

/** One transaction of several root objects, or of one whose parts may come one after the other. */
const operationsMax = 1000;
/** config-api takes no more in one transaction. */
const wholeOperationsMax = 5_000;
const transactionsAtOnce = 4;
const deadlineMs = 15_000;

interface Written {
  readonly revision: bigint;
  readonly results: readonly OperationResult[];
}

/** Why the operations of one root object were refused, while others of the same batch may stand. */
interface Refused {
  readonly error: unknown;
}

/**
 * Writes to config-api: the operations of one root object in one transaction (in several when there are more
 * than 1000), under load those of several root objects together. What is written is in the cache at once.
 */
export class TransactionWriter {
  private readonly batcher: Batcher<readonly Operation[], Written | Refused>;
  private written = 0n;

  constructor(
    private readonly client: ConfigServiceClient,
    private readonly cache: ResourceCache,
    private readonly onWritten: (operations: number) => void = () => undefined,
  ) {
    this.batcher = new Batcher({
      concurrency: transactionsAtOnce,
      weightMax: operationsMax,
      weightOf: (operations) => operations.length,
      send: (batch) => this.send(batch),
    });
  }

  /** Revision of the last change of ours. */
  get revision(): bigint {
    return this.written;
  }

  /**
   * @param wanted in an order in which each prefix may be applied alone.
   * @returns revision of the store with all of them.
   */
  write(wanted: readonly Operation[]): Promise<bigint> {
    return this.writeInParts(wanted, operationsMax);
  }

  /** As `write`, but in one transaction up to 5000 operations, though it keeps others waiting longer. */
  writeWhole(wanted: readonly Operation[]): Promise<bigint> {
    return this.writeInParts(wanted, wholeOperationsMax);
  }

  private async writeInParts(wanted: readonly Operation[], partMax: number): Promise<bigint> {
    // A batch is one call in one trace; each object's change belongs to the trace of its own event.
    const traceparent = currentTraceparent();
    const operations = wanted.map((operation) => ({ ...operation, traceparent }));
    let revision = 0n;
    for (let from = 0; from < operations.length; from += partMax) {
      revision = await this.writePart(operations.slice(from, from + partMax));
    }
    return revision;
  }

  private async writePart(operations: readonly Operation[]): Promise<bigint> {
    const uuids = operations.map(uuidOf);
    const revisions = new Map<string, bigint>();
    this.cache.beginWrite(uuids);
    try {
      const written = await this.batcher.add(operations);
      if ('error' in written) throw written.error;
      for (const { resource } of written.results) {
        if (resource !== undefined) revisions.set(metaOf(resource).uuid, metaOf(resource).revision);
      }
      this.remember(operations, written);
      return written.revision;
    } finally {
      this.cache.endWrite(uuids, revisions);
    }
  }

  private async send(batch: readonly (readonly Operation[])[]): Promise<(Written | Refused)[]> {
    try {
      return split(batch, await this.transact(batch.flat()));
    } catch (error) {
      if (batch.length === 1 || isOutage(error)) throw error;
      // One root object spoils it for the others: each alone, so that only that one fails.
      return Promise.all(batch.map((operations) => this.alone(operations)));
    }
  }

  private alone(operations: readonly Operation[]): Promise<Written | Refused> {
    return this.transact(operations).catch((error: unknown) => ({ error }));
  }

  private transact(operations: readonly Operation[]): Promise<TransactResponse> {
    return callUnary(this.client, 'transact', { operations: [...operations] }, { deadlineMs });
  }

  private remember(operations: readonly Operation[], written: Written): void {
    for (const [index, { kind }] of operations.entries()) {
      const resource = written.results[index]?.resource;
      if (kind?.$case === 'delete') this.cache.remove(kind.value.key?.uuid ?? '', written.revision, 'own');
      else if (resource !== undefined) this.cache.upsert(resource, 'own');
    }
    if (written.revision > this.written) this.written = written.revision;
    this.onWritten(operations.length);
  }
}

function uuidOf({ kind }: Operation): string {
  if (kind?.$case === 'delete') return kind.value.key?.uuid ?? '';
  return kind?.value.resource === undefined ? '' : metaOf(kind.value.resource).uuid;
}

function split(batch: readonly (readonly Operation[])[], response: TransactResponse): Written[] {
  let from = 0;
  return batch.map((operations) => {
    const results = response.results.slice(from, from + operations.length);
    from += operations.length;
    return { revision: response.revision, results };
  });
}

function isOutage(error: unknown): boolean {
  return error instanceof ContrailError && ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'CANCELLED'].includes(error.code);
}
