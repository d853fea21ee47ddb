import { metaOf, setMeta, typeOf, withFields } from '@contrail/resource-model';
import { json } from '../http/request';
import type { Reply, UserRequest } from '../http/request';
import type { RestContext } from '../context';
import { getObject } from '../objects/find-object';
import { modifyObject } from '../objects/update-object';
import { RestError } from '../http/rest-error';
import { badField, textMember } from '../wire/json';
import type { Answer, JsonObject } from '../wire/json';
import { mergePerms2 } from '../wire/permissions';
import type { User } from '../auth/kubernetes-access';

const permissionMembers = ['owner', 'owner_access', 'share', 'global_access'];

/** `POST /chmod`: changes what is given of perms2. */
export async function chmod(
  context: RestContext,
  request: UserRequest,
  body: JsonObject,
): Promise<Reply> {
  const given = Object.fromEntries(
    permissionMembers.flatMap((name) => {
      const value = body[name] ?? null;
      return value === null ? [] : [[name, value]];
    }),
  );
  return await changePerms2(context, request, body, given);
}

/** `POST /chown`: changes the owner. */
export async function chown(
  context: RestContext,
  request: UserRequest,
  body: JsonObject,
): Promise<Reply> {
  return await changePerms2(context, request, body, { owner: textMember(body, 'owner') });
}

async function changePerms2(
  context: RestContext,
  { user }: UserRequest,
  body: JsonObject,
  given: JsonObject,
): Promise<Reply> {
  const current = await getObject(context.store, undefined, textMember(body, 'uuid'));
  await modifyObject(context, user, current, (stored) => {
    const meta = metaOf(stored);
    const changed = setMeta(stored, { ...meta, perms2: mergePerms2(meta, given) });
    if (given['global_access'] === undefined || typeOf(stored) !== 'virtual-network') return changed;
    // A network says the same once more, in the field that is older.
    return withFields(changed, { isShared: given['global_access'] !== 0 });
  });
  return json({});
}

/** `GET /obj-perms[?uuid=]`: who the token stands for, and what he may do with an object. */
export async function objectPermissions(
  context: RestContext,
  { user, query }: UserRequest,
): Promise<Reply> {
  const uuid = query.get('uuid');
  const [isAdministrator, isReader] = await Promise.all([
    context.authorizer.mayInCluster(user, 'delete', '*'),
    context.authorizer.mayInCluster(user, 'list', '*'),
  ]);
  const answer: Record<string, Answer> = {
    token_info: tokenInfo(user, isAdministrator),
    is_cloud_admin_role: isAdministrator,
    is_global_read_only_role: isReader && !isAdministrator,
  };
  if (uuid !== null) answer['permissions'] = await permissionsText(context, user, uuid);
  return json(answer);
}

async function permissionsText(context: RestContext, user: User, uuid: string): Promise<string> {
  const object = await getObject(context.store, undefined, uuid);
  const rights = await Promise.all(
    (['get', 'update', 'use'] as const).map((verb) => context.authorizer.may(user, verb, object)),
  );
  return ['R', 'W', 'X'].filter((_, i) => rights[i]).join('');
}

/** In the form of the identity service that clients of the original know. */
export function tokenInfo(user: User, isAdministrator: boolean): Answer {
  return {
    token: {
      methods: ['password'],
      user: { id: user.uid || user.username, name: user.username, domain: { id: 'default', name: 'Default' } },
      roles: [{ name: isAdministrator ? 'cloud-admin' : '_member_' }],
      project: { id: '', name: '', domain: { id: 'default', name: 'Default' } },
    },
  };
}

const modeResource = 'aaa-modes';

/** `GET` and `PUT /aaa-mode`: rights always come from Kubernetes, which is the mode `rbac`. */
export async function aaaMode(context: RestContext, request: UserRequest): Promise<Reply> {
  const answer = json({ 'aaa-mode': 'rbac' });
  if (request.method === 'GET') return answer;
  const body = request.body as JsonObject | null;
  const mode = body === null ? null : (body['aaa-mode'] ?? null);
  if (mode !== 'no-auth' && mode !== 'cloud-admin' && mode !== 'rbac')
    throw badField('aaa-mode', mode, 'no-auth, cloud-admin or rbac');
  await context.authorizer.checkCluster(request.user, 'update', modeResource);
  if (mode === 'rbac') return answer;
  throw new RestError(
    403,
    `aaa-mode: is ${mode}, but rights always come from Kubernetes (rbac); bind roles there instead`,
  );
}

