import { ContrailError } from '@contrail/errors';
import { describe, metaOf, typeOf } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import type { ResourceStore, TransactionFailure, Write } from '@contrail/store';
import { OverQuotaError } from './quotas';
import type { QuotaLimit } from './quotas';
import { prefixOfSubnet } from './subnet-guards';

/** True when the same request can succeed after reading again: somebody else was faster. */
export function isRepeatable(failure: TransactionFailure): boolean {
  switch (failure.kind) {
    case 'conflict':
    case 'claim-lost':
    // The next attempt reads the object and answers ALREADY_EXISTS, or updates it.
    case 'uuid-taken':
      return true;
    case 'subnet-in-use':
    case 'over-limit':
      return false;
    case 'held':
      // A weak referrer appeared since: the next attempt removes its reference.
      return failure.dependents.some(({ kind }) => kind === 'w');
    case 'name-taken':
    case 'parent-missing':
    case 'reference-missing':
      return false;
  }
}

/** The error that tells a client why its transaction was refused, with names instead of uuids. */
export async function explainFailure(
  store: ResourceStore,
  { writes, quotas }: { readonly writes: readonly Write[]; readonly quotas: readonly QuotaLimit[] },
  failure: TransactionFailure,
): Promise<ContrailError> {
  switch (failure.kind) {
    case 'conflict':
    case 'claim-lost':
    case 'uuid-taken':
      return new ContrailError(
        'ABORTED',
        'the objects changed again and again meanwhile; repeat the request later',
      );
    case 'name-taken':
      return new ContrailError(
        'ALREADY_EXISTS',
        `${nameOf(writes, failure.write)} meta.fq_name: belongs to the object ${failure.uuid}; use that uuid, or another name`,
      );
    case 'parent-missing':
      return new ContrailError(
        'NOT_FOUND',
        `${nameOf(writes, failure.write)} meta.parent_uuid: ${failure.uuid} does not exist; create the parent first`,
      );
    case 'reference-missing':
      return new ContrailError(
        'NOT_FOUND',
        `${nameOf(writes, failure.write)} ${fieldOf(writes, failure)}: ${failure.uuid} does not exist; create it first`,
      );
    case 'over-limit':
      return quotas[failure.limit]?.error ?? new OverQuotaError('a quota limit is exceeded');
    case 'subnet-in-use': {
      const { subnet, count } = failure;
      const prefix = prefixOfSubnet(previousAt(writes, failure.write), subnet);
      return new ContrailError(
        'FAILED_PRECONDITION',
        `${nameOf(writes, failure.write)} subnet ${prefix === '' ? subnet : `${prefix} (${subnet})`}: ${count} of its ` +
          'addresses are in use, so it can neither go nor change its prefix or allocation unit; keep it as it is ' +
          'and add another subnet, or delete what uses the addresses first',
      );
    }
    case 'held': {
      const holders = await store.getMany(failure.dependents.map(({ uuid }) => uuid));
      const names = holders.map((holder, i) =>
        holder === undefined ? (failure.dependents[i]?.uuid ?? '') : describe(holder),
      );
      const more = failure.count > names.length ? ` and ${failure.count - names.length} more` : '';
      const how = failure.dependents.every(({ kind }) => kind === 'c')
        ? 'still has'
        : 'is still used by';
      return new ContrailError(
        'FAILED_PRECONDITION',
        `${nameOf(writes, failure.write)} ${how} ${names.join(', ')}${more}; delete or change those first`,
      );
    }
  }
}

function subjectAt(writes: readonly Write[], index: number): Resource | undefined {
  const write = writes[index];
  return write?.kind === 'put' ? write.resource : write?.previous;
}

function previousAt(writes: readonly Write[], index: number): Resource | undefined {
  return writes[index]?.previous;
}

function nameOf(writes: readonly Write[], index: number): string {
  const subject = subjectAt(writes, index);
  return subject === undefined ? 'an object of the transaction' : describe(subject);
}

/** Name of the field in which an object refers to a uuid. */
function fieldOf(
  writes: readonly Write[],
  failure: { readonly write: number; readonly uuid: string },
): string {
  const subject = subjectAt(writes, failure.write);
  if (subject === undefined) return 'references';
  const fields = Object.entries(subject.kind?.value ?? {}).find(
    ([, value]) =>
      Array.isArray(value) && value.some((item: unknown) => isReferenceTo(item, failure.uuid)),
  );
  return fields === undefined
    ? `${typeOf(subject)} ${metaOf(subject).uuid}`
    : fields[0].replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function isReferenceTo(item: unknown, uuid: string): boolean {
  return typeof item === 'object' && item !== null && 'uuid' in item && item.uuid === uuid;
}
