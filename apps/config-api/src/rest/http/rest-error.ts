import { ContrailError } from '@contrail/errors';
import type { ErrorCode } from '@contrail/errors';
import { OverQuotaError } from '../../transact/quotas';

/** An answer that is not the one of the error's code: 404 in one place is 400 in another. */
export class RestError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'RestError';
    this.status = status;
  }
}

const statusByCode: Readonly<Record<ErrorCode, number>> = {
  CANCELLED: 503,
  UNKNOWN: 500,
  INVALID_ARGUMENT: 400,
  DEADLINE_EXCEEDED: 503,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  PERMISSION_DENIED: 403,
  RESOURCE_EXHAUSTED: 400,
  FAILED_PRECONDITION: 409,
  // Clients of the original try 503 again, which is what helps here.
  ABORTED: 503,
  OUT_OF_RANGE: 400,
  UNIMPLEMENTED: 405,
  INTERNAL: 500,
  UNAVAILABLE: 503,
  DATA_LOSS: 500,
  UNAUTHENTICATED: 401,
};

/** Status of whatever a handler threw; anything unknown is a bug of ours, 500. */
export function statusOf(error: unknown): number {
  if (error instanceof RestError) return error.status;
  if (error instanceof OverQuotaError) return 412;
  return error instanceof ContrailError ? statusByCode[error.code] : 500;
}

/** Runs work whose NOT_FOUND means that the request itself is wrong. */
export async function notFoundIs<T>(status: number, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ContrailError && error.code === 'NOT_FOUND')
      throw new RestError(status, error.message);
    throw error;
  }
}
