import { Metadata, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { ContrailError, errorText } from '@contrail/errors';
import type { ErrorCode } from '@contrail/errors';

/** What grpc-js sends for a thrown error; anything but a ContrailError is INTERNAL. */
export function toServiceError(error: unknown): ServiceError {
  const contrail = error instanceof ContrailError ? error : new ContrailError('INTERNAL', errorText(error), { cause: error });
  return Object.assign(new Error(contrail.message), {
    code: status[contrail.code],
    details: contrail.message,
    metadata: new Metadata(),
  });
}

/** The error of a call, as the server threw it. @param what names the call for the reader. */
export function fromServiceError(error: unknown, what: string): ContrailError {
  if (error instanceof ContrailError) return error;
  if (isServiceError(error)) {
    const code = status[error.code] as ErrorCode | undefined;
    // The text is complete; as a cause it would stand twice in every log line.
    return new ContrailError(code ?? 'UNKNOWN', `${what}: ${(error.details || error.message).replace(/ Resolution note: $/, '')}`);
  }
  return new ContrailError('INTERNAL', `${what}: ${errorText(error)}`, { cause: error });
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error;
}
