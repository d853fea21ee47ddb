import { randomUUID } from 'node:crypto';
import { describe, fieldsOf, mapRefs, metaOf, setMeta, typeOf, withFields } from '@contrail/resource-model';
import type { Operation } from '@contrail/proto-gen/config/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { currentTraceparent } from '@contrail/telemetry';
import { audit } from '../../audit/audit';
import type { RestContext } from '../context';
import { committedName, draftScope, pendingObjects } from '../draft/draft-scope';
import type { DraftScope } from '../draft/draft-scope';
import { RestError } from '../http/rest-error';
import { json } from '../http/request';
import type { Reply, UserRequest } from '../http/request';
import { getObject } from '../objects/find-object';
import { badField, textMember } from '../wire/json';
import type { JsonObject } from '../wire/json';

/** A pending object with the one that it becomes, changes or deletes. */
interface PendingChange {
  readonly pending: Resource;
  readonly uuid: string;
  readonly current: Resource | undefined;
}

/** `POST /security-policy-draft`: makes the pending changes of a scope real, all at once, or drops them. */
export async function securityPolicyDraft(
  context: RestContext,
  request: UserRequest,
  body: JsonObject,
): Promise<Reply> {
  const parent = await getObject(context.store, undefined, textMember(body, 'scope_uuid'));
  const action = textMember(body, 'action');
  if (action !== 'commit' && action !== 'discard') throw badField('action', action, 'commit or discard');
  const scope = draftScope(parent);
  if (scope === undefined)
    throw new RestError(400, `scope_uuid: is ${describe(parent)}, but only a project or a policy-management has pending changes`);
  await context.authorizer.check(request.user, 'update', parent);
  const pending = await pendingObjects(context.store, scope);
  const changes = await Promise.all(pending.map((item) => toChange(context, scope, item)));
  const operations =
    action === 'commit' ? changes.flatMap((change) => toOperations(scope, change, changes)) : [];
  // Referrers go before what they refer to, but one transaction has no order: all of them go.
  const drops = pending.map((item) => remove(item));
  if (pending.length > 0)
    await context.transactor.run([...operations, ...drops], currentTraceparent(), { setsReadOnly: true });
  audit({ user: request.user.username, verb: 'update', objects: pending.map(describe), result: 'done' });
  return json({});
}

async function toChange(
  { store }: RestContext,
  scope: DraftScope,
  pending: Resource,
): Promise<PendingChange> {
  const fqName = committedName(scope, metaOf(pending).fqName.at(-1) ?? '');
  const [uuid] = await store.findUuids([{ type: typeOf(pending), fqName }]);
  const [current] = uuid === undefined ? [] : await store.getMany([uuid]);
  return { pending, uuid: uuid ?? randomUUID(), current };
}

function toOperations(
  scope: DraftScope,
  { pending, uuid, current }: PendingChange,
  all: readonly PendingChange[],
): Operation[] {
  if (fieldsOf(pending)['draftModeState'] === 'deleted') return current === undefined ? [] : [remove(current)];
  const { parent } = scope;
  const meta = metaOf(pending);
  const committed = new Map(all.map((change) => [metaOf(change.pending).uuid, change.uuid]));
  const named = setMeta(withFields(pending, { draftModeState: undefined }), {
    ...meta,
    uuid,
    fqName: committedName(scope, meta.fqName.at(-1) ?? ''),
    parentType: typeOf(parent),
    parentUuid: metaOf(parent).uuid,
    revision: 0n,
  });
  const resource = mapRefs(named, (reference) => {
    const target = committed.get(reference.uuid);
    return target === undefined
      ? { uuid: reference.uuid, fqName: [...reference.fqName] }
      : { uuid: target, fqName: [] };
  });
  return [{ kind: { $case: 'upsert', value: { resource } } }];
}

function remove(resource: Resource): Operation {
  const { uuid } = metaOf(resource);
  const key = { uuid, type: typeOf(resource), fqName: [] };
  return { kind: { $case: 'delete', value: { key, expectedRevision: 0n } } };
}
