import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { SyncResponse, TracedChange } from '@contrail/proto-gen/control/v1/messages';
import type { Trace } from '../engine/entry-table';

/** What goes into one message; entries and removals are encoded already. */
export interface BatchParts {
  readonly revision: bigint;
  readonly entries: readonly Uint8Array[];
  readonly removals: readonly Uint8Array[];
  readonly traces: readonly Trace[];
  /** Number of the batch in its stream. */
  readonly sequence: number;
}

/** Field number and wire type "bytes" of the fields that are written here by hand. */
const bytesTag = (field: number): number => (field << 3) | 2;
const tags = {
  responseBatch: bytesTag(1),
  batchRevision: 1 << 3,
  batchEntries: bytesTag(2),
  batchRemovals: bytesTag(3),
  batchTraced: bytesTag(4),
  batchSequence: 5 << 3,
};

/** An encoded `SyncResponse` with a batch, put together from entries that were encoded once for all agents. */
export function encodeBatch({ revision, entries, removals, traces, sequence }: BatchParts): Buffer {
  const batch = new BinaryWriter();
  batch.uint32(tags.batchRevision).uint64(revision);
  for (const entry of entries) batch.uint32(tags.batchEntries).bytes(entry);
  for (const removal of removals) batch.uint32(tags.batchRemovals).bytes(removal);
  for (const trace of traces) batch.uint32(tags.batchTraced).bytes(TracedChange.encode(trace).finish());
  batch.uint32(tags.batchSequence).uint64(sequence);
  const response = new BinaryWriter();
  response.uint32(tags.responseBatch).bytes(batch.finish());
  return Buffer.from(response.finish().buffer);
}

export function encodeInSync(revision: bigint): Buffer {
  return Buffer.from(SyncResponse.encode({ kind: { $case: 'inSync', value: { revision } } }).finish());
}
