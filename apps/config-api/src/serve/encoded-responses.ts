/**
 * Answers with objects as they are stored: field numbers are those of messages.proto. Nothing is decoded
 * here but what a client asks to be looked at.
 */
import { EncodedMessage } from '@contrail/rpc';
import type {
  CreateResponse,
  GetResponse,
  ListResponse,
  TransactResponse,
  UpdateResponse,
} from '@contrail/proto-gen/config/v1/messages';
import type { StoredObject, WatchEvent, WatchPosition } from '@contrail/store';
import { MessageParts } from './message-parts';

/** @param resource protobuf of Resource. */
export function resourceResponse(
  resource: Uint8Array,
): EncodedMessage<GetResponse & CreateResponse & UpdateResponse> {
  return new EncodedMessage(new MessageParts().message(1, resource).bytes());
}

export function listResponse(
  objects: readonly StoredObject[],
  nextPageToken: string,
): EncodedMessage<ListResponse> {
  return new EncodedMessage(resourcesIn(objects).text(2, nextPageToken).bytes());
}

export interface OperationResult {
  /** Protobuf of Resource; undefined for a deletion. */
  readonly resource: Uint8Array | undefined;
  readonly changed: boolean;
}

export function transactResponse(
  revision: bigint,
  results: readonly OperationResult[],
): EncodedMessage<TransactResponse> {
  const response = new MessageParts().number(1, Number(revision));
  for (const { resource, changed } of results) {
    const result = new MessageParts();
    if (resource !== undefined) result.message(1, resource);
    response.message(2, result.number(2, changed ? 1 : 0));
  }
  return new EncodedMessage(response.bytes());
}

/** WatchResponse with a Snapshot. */
export function snapshotResponse(objects: readonly StoredObject[]): Buffer {
  return new MessageParts().message(1, resourcesIn(objects)).bytes();
}

/** WatchResponse with Changes. */
export function changesResponse({
  changes,
  position,
}: Extract<WatchEvent, { kind: 'changes' }>): Buffer {
  const message = new MessageParts();
  for (const { revision, type, uuid, object, traceparent } of changes) {
    const change = new MessageParts().number(1, Number(revision)).text(2, type).text(3, uuid);
    if (object !== undefined) change.message(4, object.encoded);
    message.message(1, change.text(5, traceparent));
  }
  return new MessageParts().message(3, message.message(2, tokenOf(position))).bytes();
}

function tokenOf({ epoch, revision }: WatchPosition): MessageParts {
  return new MessageParts().text(1, epoch).number(2, Number(revision));
}

function resourcesIn(objects: readonly StoredObject[]): MessageParts {
  const message = new MessageParts();
  for (const object of objects) message.message(1, object.encoded);
  return message;
}
