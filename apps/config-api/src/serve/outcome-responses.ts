/** Answers to who changed objects. */
import { ContrailError } from '@contrail/errors';
import type {
  CreateResponse,
  TransactResponse,
  UpdateResponse,
} from '@contrail/proto-gen/config/v1/messages';
import { encodeResource } from '@contrail/resource-model';
import type { EncodedMessage } from '@contrail/rpc';
import type { OperationOutcome, TransactionOutcome } from '../transact/transactor';
import { resourceResponse, transactResponse } from './encoded-responses';
import type { OperationResult } from './encoded-responses';

/** To a request with one operation that leaves an object. */
export function changedResponse({
  outcomes,
}: TransactionOutcome): EncodedMessage<CreateResponse & UpdateResponse> {
  const [outcome] = outcomes;
  const bytes = outcome && resultOf(outcome).resource;
  if (bytes === undefined) throw new ContrailError('INTERNAL', 'the transaction gave no object back');
  return resourceResponse(bytes);
}

export function outcomesResponse({
  revision,
  outcomes,
}: TransactionOutcome): EncodedMessage<TransactResponse> {
  return transactResponse(revision, outcomes.map(resultOf));
}

/** What was written is encoded already; what was equal to it comes decoded. */
function resultOf(outcome: OperationOutcome): OperationResult {
  const { object, changed } = outcome;
  if (object !== undefined) return { resource: object.encoded, changed };
  return { resource: outcome.resource && encodeResource(outcome.resource), changed };
}
