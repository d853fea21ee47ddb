import { ContrailError } from '@contrail/errors';
import { metaOf, typeOf } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { aaaMode, chmod, chown, objectPermissions } from './actions/permissions';
import { keyValues } from './actions/key-values';
import { idToName, nameToId, typeMember } from './actions/names';
import { allocateAddresses, countAddresses, freeAddresses } from './actions/network-addresses';
import { getElements, updateElements } from './actions/prop-collection';
import { relaxReference } from './actions/ref-relax';
import { updateReference } from './actions/ref-update';
import { securityPolicyDraft } from './actions/security-draft';
import { setTags } from './actions/set-tag';
import { issueTokenV2, issueTokenV3 } from './actions/tokens';
import { audit } from '../audit/audit';
import type { RestContext } from './context';
import { discovery } from './discovery';
import { RestError } from './http/rest-error';
import { json } from './http/request';
import type { Reply, RestRequest, UserRequest } from './http/request';
import type { RestHandler } from './http/rest-server';
import { bodyParameters, parseListQuery, queryParameters } from './list/list-query';
import { listObjects } from './list/list-objects';
import { createObject } from './objects/create-object';
import { deleteObject } from './objects/delete-object';
import { getObject } from './objects/find-object';
import { encodeView, fieldsOfQuery } from './objects/read-object';
import { updateObject } from './objects/update-object';
import { openApiDocument } from './openapi/document';
import { decodeBody } from './wire/decode-body';
import { encodeIdentity, encodeParent } from './wire/encode-resource';
import { badField, isJsonObject } from './wire/json';
import type { JsonObject } from './wire/json';
import { findCollection, findRestType, restTypeOf } from './wire/rest-types';
import type { RestType } from './wire/rest-types';

type Action = (context: RestContext, request: UserRequest, body: JsonObject) => Promise<Reply>;

/** Actions by method and path. */
const actions: ReadonlyMap<string, Action> = new Map<string, Action>([
  ['POST fqname-to-id', nameToId],
  ['POST id-to-fqname', idToName],
  ['POST ref-update', updateReference],
  ['POST ref-relax-for-delete', relaxReference],
  ['POST prop-collection-update', updateElements],
  ['POST useragent-kv', keyValues],
  ['POST list-bulk-collection', listInBulk],
  ['POST chmod', chmod],
  ['POST chown', chown],
  ['POST set-tag', setTags],
  ['POST security-policy-draft', securityPolicyDraft],
  ['GET prop-collection-get', getElements],
  ['GET obj-perms', objectPermissions],
  ['GET aaa-mode', aaaMode],
  ['PUT aaa-mode', aaaMode],
]);

const networkActions: ReadonlyMap<string, Action> = new Map<string, Action>([
  ['ip-alloc', allocateAddresses],
  ['ip-free', freeAddresses],
  ['subnet-ip-count', countAddresses],
]);

/** Answers every request: what anybody may ask first, then what needs a token. */
export function restHandler(context: RestContext): RestHandler {
  return async (request) => {
    const path = request.path.join('/');
    switch (`${request.method} ${path}`) {
      case 'GET ':
        return json(discovery(request.root));
      case 'GET openapi.json':
        return json(openApiDocument());
      case 'POST v3/auth/tokens':
        return await issueTokenV3(context, request);
      case 'POST v2.0/tokens':
        return await issueTokenV2(context, request);
      default:
        return await asUser(context, request);
    }
  };
}

async function asUser(context: RestContext, request: RestRequest): Promise<Reply> {
  if (request.token === '')
    throw new RestError(401, 'token: is missing; send a Kubernetes token as "Authorization: Bearer" or X-AUTH-TOKEN');
  const user = await context.access.authenticate(request.token);
  if (user === undefined)
    throw new RestError(401, 'token: Kubernetes refuses it; send one that is not expired');
  try {
    return await dispatch(context, { ...request, user });
  } catch (error) {
    if (error instanceof ContrailError && error.code === 'PERMISSION_DENIED') {
      const verb = ({ GET: 'get', POST: 'create', PUT: 'update', DELETE: 'delete' } as const)[request.method];
      audit({ user: user.username, verb, objects: [request.path.join('/')], result: 'denied' });
    }
    throw error;
  }
}

async function dispatch(context: RestContext, request: UserRequest): Promise<Reply> {
  const { method, path } = request;
  const [first = '', second = '', third] = path;
  const action =
    path.length === 1
      ? actions.get(`${method} ${first}`)
      : path.length === 3 && first === 'virtual-network' && method === 'POST'
        ? networkActions.get(third ?? '')
        : undefined;
  if (action !== undefined) return await action(context, request, actionBody(request));
  const collection = path.length === 1 ? findCollection(first) : undefined;
  if (collection !== undefined) return await onCollection(context, request, collection);
  const type = path.length <= 2 ? findRestType(first) : undefined;
  if (type !== undefined && path.length === 2) return await onObject(context, request, { type, uuid: second });
  // `GET /config-root` of the original: the one object of its type.
  if (type?.type === 'config-root' && method === 'GET') return await readRoot(context, request, type);
  throw new RestError(404, `path: /${path.join('/').slice(0, 200)} is not served; GET / lists what is`);
}

function actionBody({ method, body }: UserRequest): JsonObject {
  if (method === 'GET') return {};
  if (isJsonObject(body)) return body;
  throw badField('body', body, 'a JSON object');
}

async function onCollection(
  context: RestContext,
  request: UserRequest,
  type: RestType,
): Promise<Reply> {
  switch (request.method) {
    case 'GET': {
      const query = parseListQuery(queryParameters(request.query));
      return await listObjects(context, request, { type, query });
    }
    case 'POST': {
      const created = await createObject(context, request.user, decodeBody(type, request.body));
      const answer = describeCreated(created.resource, request.root);
      return json({ [type.name]: answer }, statusFor(created));
    }
    case 'PUT':
    case 'DELETE':
      throw notAllowed(request, 'GET and POST');
  }
}

async function onObject(
  context: RestContext,
  request: UserRequest,
  { type, uuid }: { readonly type: RestType; readonly uuid: string },
): Promise<Reply> {
  const { user, root, method } = request;
  if (method === 'POST') throw notAllowed(request, 'GET, PUT and DELETE');
  const current = await getObject(context.store, type, uuid);
  switch (method) {
    case 'GET':
      await context.authorizer.check(user, 'get', current);
      return await readObject(context, request, { type, current });
    case 'PUT': {
      const body = decodeBody(type, request.body);
      const updated = await updateObject(context, user, { current, body });
      return json({ [type.name]: encodeLink(updated.resource, root) }, statusFor(updated));
    }
    case 'DELETE':
      const deleted = await deleteObject(context, user, { current, root });
      return { kind: 'empty', status: statusFor(deleted) };
  }
}

/** The time of the last change is the tag by which a client asks whether there was one since. */
async function readObject(
  context: RestContext,
  request: UserRequest,
  { type, current }: { readonly type: RestType; readonly current: Resource },
): Promise<Reply> {
  const etag = `"${metaOf(current).idPerms?.lastModified ?? ''}"`;
  const known = request.ifNoneMatch.replace(/^W\//, '');
  if (known === etag || `"${known}"` === etag) return { kind: 'empty', status: 304 };
  const body = { [type.name]: await view(context, request, current) };
  return { kind: 'json', headers: { etag }, body };
}

async function readRoot(
  context: RestContext,
  request: UserRequest,
  type: RestType,
): Promise<Reply> {
  const [uuid] = await context.store.findUuids([{ type: type.type, fqName: ['config-root'] }]);
  const current = await getObject(context.store, type, uuid ?? '');
  await context.authorizer.check(request.user, 'get', current);
  return json({ [type.name]: await view(context, request, current) });
}

/** The parameters act by being there, whatever their values are. */
async function view(
  { store }: RestContext,
  { query, root }: UserRequest,
  object: Resource,
): Promise<JsonObject> {
  const fields = fieldsOfQuery(query.getAll('fields'));
  const isAskedFor = (ending: string): boolean =>
    fields !== undefined && [...fields].some((field) => field.endsWith(ending));
  const answer = await encodeView(store, object, {
    fields,
    children: fields === undefined ? !query.has('exclude_children') : isAskedFor('s'),
    backRefs: fields === undefined ? !query.has('exclude_back_refs') : isAskedFor('_back_refs'),
    root: query.has('exclude_hrefs') ? undefined : root,
  });
  return answer as JsonObject;
}

/** What waits for a commit is accepted, not done. */
function statusFor({ isPending }: { readonly isPending: boolean }): number {
  return isPending ? 202 : 200;
}

function encodeLink(resource: Resource, root: string): JsonObject {
  const { uuid } = metaOf(resource);
  return { uuid, href: `${root}/${restTypeOf(typeOf(resource)).name}/${uuid}` };
}

function describeCreated(resource: Resource, root: string): JsonObject {
  const meta = metaOf(resource);
  return {
    name: meta.fqName.at(-1) ?? '',
    ...(encodeIdentity(resource, root) as JsonObject),
    ...(encodeParent(meta, root) as JsonObject),
  };
}

/** `POST /list-bulk-collection`: a list with too many names for a query. */
async function listInBulk(
  context: RestContext,
  request: UserRequest,
  body: JsonObject,
): Promise<Reply> {
  const type = typeMember(body, 'type');
  return await listObjects(context, request, { type, query: parseListQuery(bodyParameters(body)) });
}

function notAllowed({ method, path }: UserRequest, allowed: string): RestError {
  return new RestError(405, `method: /${path.join('/').slice(0, 200)} takes ${allowed}, not ${method}`);
}
