import { describe, fieldsOf, findMessage } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import type { ResourceStore } from '@contrail/store';
import { RestError } from '../http/rest-error';
import { draftScope, pendingObjects } from './draft-scope';

/**
 * Draft mode ends only when nothing waits in it. @throws RestError 409
 */
export async function checkLeavingDraftMode(
  store: ResourceStore,
  before: Resource,
  after: Resource,
): Promise<void> {
  const isOn = (resource: Resource): boolean =>
    fieldsOf(resource)['enableSecurityPolicyDraft'] === true;
  if (!isOn(before) || isOn(after)) return;
  const scope = draftScope(await parentOfPolicies(store, before));
  const pending = scope === undefined ? [] : await pendingObjects(store, scope);
  if (pending.length === 0) return;
  throw new RestError(
    409,
    `enable_security_policy_draft: ${pending.map(describe).slice(0, 10).join(', ')} wait in draft mode; commit or discard them first`,
  );
}

/** The project itself; for the whole deployment its default policy-management. */
async function parentOfPolicies(store: ResourceStore, owner: Resource): Promise<Resource> {
  if (findMessage('project', owner) !== undefined) return owner;
  const names = [{ type: 'policy-management' as const, fqName: ['default-policy-management'] }];
  const [uuid] = await store.findUuids(names);
  const [management] = uuid === undefined ? [] : await store.getMany([uuid]);
  return management ?? owner;
}
