import { describe, describeName, isResourceType, metaOf } from '@contrail/resource-model';
import type { ObjectKey, Operation } from '@contrail/proto-gen/config/v1/messages';
import type { TransactionOutcome } from '../transact/transactor';
import { audit, auditDerived, isDerivedWritten } from './audit';
import type { AuditVerb } from './audit';

/** Services that change objects because a person told them to. */
const people: readonly string[] = ['contrailctl', 'web-ui'];

/** Writes down what a user changed over gRPC. */
export function auditUser(
  user: string,
  operations: readonly Operation[],
  outcome: TransactionOutcome,
): void {
  for (const [verb, objects] of changesOf(operations, outcome)) audit({ user, verb, objects, result: 'done' });
}

/** The same for one of our services; what kube-manager derives from Kubernetes is in Kubernetes' own audit log. */
export function auditService(
  service: string,
  operations: readonly Operation[],
  outcome: TransactionOutcome,
): void {
  const isOfPerson = people.includes(service);
  if (!isOfPerson && !isDerivedWritten()) return;
  const write = isOfPerson ? audit : auditDerived;
  for (const [verb, objects] of changesOf(operations, outcome))
    write({ user: `service:${service}`, verb, objects, result: 'done' });
}

/** Names of what the operations changed, by verb; what was equal already is no change. */
function changesOf(
  operations: readonly Operation[],
  { outcomes, deleted }: TransactionOutcome,
): ReadonlyMap<AuditVerb, string[]> {
  const removed = new Map(deleted.map((resource) => [metaOf(resource).uuid, describe(resource)]));
  const changes = new Map<AuditVerb, string[]>();
  for (const [i, { kind }] of operations.entries()) {
    if (kind === undefined || outcomes[i]?.changed !== true) continue;
    const name =
      kind.$case === 'delete'
        ? (removed.get(kind.value.key?.uuid ?? '') ?? nameOfKey(kind.value.key))
        : nameOfResource(kind.value.resource);
    const names = changes.get(kind.$case);
    if (names === undefined) changes.set(kind.$case, [name]);
    else names.push(name);
  }
  return changes;
}

function nameOfKey(key: ObjectKey | undefined): string {
  if (key === undefined) return '';
  return isResourceType(key.type) && key.fqName.length > 0 ? describeName(key.type, key.fqName) : key.uuid;
}

function nameOfResource(resource: Parameters<typeof describe>[0] | undefined): string {
  return resource?.kind === undefined ? '' : describe(resource);
}
