import {
  findMessage,
  globalSystemConfigUuid,
  metaOf,
  toResource,
  typeOf,
  wellKnownUuid,
} from '@contrail/resource-model';
import type { ResourceType } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import type { ResourceStore } from '@contrail/store';

/** Types whose changes wait for a commit where draft mode is on; referrers come after what they refer to. */
export const draftTypes: readonly ResourceType[] = [
  ...(['address-group', 'service-group', 'firewall-rule'] as const),
  ...(['firewall-policy', 'application-policy-set'] as const),
];

/** Keeps the pending objects of a scope, as in the original. */
export const draftManagementName = 'draft-policy-management';

export type DraftState = 'created' | 'updated' | 'deleted';

/** The project, or the policy-management of the deployment, to which security objects belong. */
export interface DraftScope {
  /** Parent of the committed objects. */
  readonly parent: Resource;
  /** Parent of the pending ones. */
  readonly management: Resource;
}

/** The scope of objects with this parent; undefined when it cannot have pending ones. */
export function draftScope(parent: Resource): DraftScope | undefined {
  const { fqName, uuid } = metaOf(parent);
  const isProject = typeOf(parent) === 'project';
  if (!isProject && (typeOf(parent) !== 'policy-management' || fqName.at(-1) === draftManagementName))
    return undefined;
  const name = [...(isProject ? fqName : []), draftManagementName];
  const place = isProject
    ? { parentType: 'project', parentUuid: uuid }
    : { parentType: 'config-root', parentUuid: metaOf(parent).parentUuid };
  const management = toResource('policy-management', {
    meta: { uuid: wellKnownUuid('policy-management', name), fqName: name, ...place },
  });
  return { parent, management };
}

/** True when changes below this parent wait for a commit. */
export async function isDraftMode(store: ResourceStore, { parent }: DraftScope): Promise<boolean> {
  const project = findMessage('project', parent);
  if (project !== undefined) return project.enableSecurityPolicyDraft === true;
  const [system] = await store.getMany([globalSystemConfigUuid]);
  if (system === undefined) return false;
  return findMessage('global-system-config', system)?.enableSecurityPolicyDraft === true;
}

/** True for an object that waits for a commit. */
export function isPending(resource: Resource): boolean {
  return draftTypes.includes(typeOf(resource)) && metaOf(resource).fqName.at(-2) === draftManagementName;
}

/** Name of the pending counterpart of a name in the scope. */
export function pendingName({ management }: DraftScope, name: string): string[] {
  return [...metaOf(management).fqName, name];
}

/** Name of an object of the scope after the commit. */
export function committedName({ parent }: DraftScope, name: string): string[] {
  return [...metaOf(parent).fqName, name];
}

/** All pending objects of a scope. */
export async function pendingObjects(store: ResourceStore, scope: DraftScope): Promise<Resource[]> {
  const { uuid, fqName } = metaOf(scope.management);
  const found: Resource[] = [];
  for (const type of draftTypes) {
    let after = '';
    do {
      const parent = { type: 'policy-management' as const, uuid, fqName };
      const page = await store.list({ type, parent, after, limit: 500 });
      found.push(...page.resources);
      after = page.next;
    } while (after !== '');
  }
  return found;
}
