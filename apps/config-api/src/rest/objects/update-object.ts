import { describe, metaOf, typeOf } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { currentTraceparent } from '@contrail/telemetry';
import type { ResourceChange } from '../../transact/step';
import { isGatewayPort } from '../addresses/gateway-address';
import { audit } from '../../audit/audit';
import type { User } from '../auth/kubernetes-access';
import type { RestContext } from '../context';
import { changePending, waitingScope } from '../draft/draft-changes';
import { checkLeavingDraftMode } from '../draft/leave-draft-mode';
import { RestError } from '../http/rest-error';
import type { ObjectBody } from '../wire/decode-body';
import { applyBody, guardNamespace } from './body-to-resource';
import { completionOf } from './completion';
import { keepExclusions } from './keep-exclusions';
import { checkNewReferences, resolveReferences } from './references';
import { checkChange } from './refusals';

/** A changed object; a pending change takes effect with the next commit. */
export interface Modified {
  readonly resource: Resource;
  readonly isPending: boolean;
}

/** Replaces what a body mentions. @throws ContrailError, RestError */
export async function updateObject(
  context: RestContext,
  user: User,
  target: { readonly current: Resource; readonly body: ObjectBody },
): Promise<Modified> {
  const { current, body } = target;
  checkIdentity(current, body);
  const references = await resolveReferences(context.store, body.references);
  const complete = await completionOf(context.store, applyBody(current, body, references));
  return await modifyObject(context, user, current, (stored) =>
    complete(applyBody(stored, body, references)),
  );
}

/**
 * Changes one object by a function of what is stored, in the user's name.
 * @throws ContrailError PERMISSION_DENIED, and what the transaction throws.
 */
export async function modifyObject(
  context: RestContext,
  user: User,
  current: Resource,
  wish: ResourceChange,
): Promise<Modified> {
  const change: ResourceChange = (stored) => keepExclusions(stored, wish(stored));
  await context.authorizer.check(user, 'update', current);
  const wanted = change(current);
  checkChange(current, wanted);
  await isGatewayPort(context.store, wanted);
  await checkNewReferences(context, user, { before: current, after: wanted });
  await checkLeavingDraftMode(context.store, current, wanted);
  const scope = await waitingScope(context.store, current);
  if (scope !== undefined) {
    await changePending(context, scope, { current, state: 'updated', apply: change });
    return { resource: current, isPending: true };
  }
  const target = { type: typeOf(current), uuid: metaOf(current).uuid };
  const outcome = await context.transactor.modify(
    target,
    (stored) => guardNamespace(stored, change(stored)),
    currentTraceparent(),
  );
  const { username } = user;
  if (outcome.changed)
    audit({ user: username, verb: 'update', objects: [describe(current)], result: 'done' });
  return { resource: outcome.resource ?? current, isPending: false };
}

/** Clients send name and parent back; they never change. */
function checkIdentity(current: Resource, body: ObjectBody): void {
  const { uuid, fqName, parentUuid } = metaOf(current);
  const given = body.fqName;
  if (body.uuid !== undefined && body.uuid !== uuid)
    throw new RestError(400, `uuid: is ${body.uuid}, but the object of the path is ${uuid}`);
  if (given !== undefined && given.join(':') !== fqName.join(':'))
    throw new RestError(
      400,
      `fq_name: is ${given.join(':')}, but ${uuid} is named ${fqName.join(':')}, and names never change`,
    );
  if (body.parentUuid !== undefined && body.parentUuid !== parentUuid)
    throw new RestError(
      400,
      `parent_uuid: is ${body.parentUuid}, but the parent is ${parentUuid} and never changes`,
    );
}
