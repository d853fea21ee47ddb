import type { Answer } from '../wire/json';

type Members = Record<string, Answer>;

const text: Answer = { type: 'string' };
const uuid: Answer = { type: 'string', format: 'uuid' };
const names: Answer = { type: 'array', items: text };

interface ActionSpec {
  readonly path: string;
  readonly method: 'get' | 'post' | 'put';
  readonly summary: string;
  readonly body?: Members;
  readonly query?: readonly string[];
  readonly answer?: Members;
  readonly isPublic?: boolean;
}

const actions: readonly ActionSpec[] = [
  { path: '/', method: 'get', summary: 'Types and actions, with their links.', isPublic: true, answer: { href: text, links: { type: 'array' } } },
  { path: '/openapi.json', method: 'get', summary: 'This document.', isPublic: true },
  { path: '/v3/auth/tokens', method: 'post', summary: 'Identity: the password is a Kubernetes token; it comes back as X-Subject-Token.', isPublic: true, body: { auth: { type: 'object' } } },
  { path: '/fqname-to-id', method: 'post', summary: 'The uuid of a name.', body: { type: text, fq_name: names }, answer: { uuid } },
  { path: '/id-to-fqname', method: 'post', summary: 'Name and type of a uuid.', body: { uuid }, answer: { fq_name: names, type: text } },
  { path: '/ref-update', method: 'post', summary: 'Adds or deletes one reference.', body: { type: text, uuid, 'ref-type': text, 'ref-uuid': uuid, 'ref-fq-name': names, operation: { type: 'string', enum: ['ADD', 'DELETE'] }, attr: { type: ['object', 'null'] } }, answer: { uuid } },
  { path: '/ref-relax-for-delete', method: 'post', summary: 'This reference no longer keeps its target from being deleted.', body: { uuid, 'ref-uuid': uuid }, answer: { uuid } },
  { path: '/prop-collection-get', method: 'get', summary: 'Elements of lists and maps with their positions.', query: ['uuid', 'fields', 'position'] },
  { path: '/prop-collection-update', method: 'post', summary: 'Changes elements of lists and maps.', body: { uuid, updates: { type: 'array', items: { type: 'object' } } } },
  { path: '/list-bulk-collection', method: 'post', summary: 'A list with parameters in the body.', body: { type: text } },
  { path: '/useragent-kv', method: 'post', summary: 'Texts of clients.', body: { operation: { type: 'string', enum: ['STORE', 'RETRIEVE', 'DELETE'] }, key: text, value: text } },
  { path: '/chmod', method: 'post', summary: 'Changes perms2.', body: { uuid, owner: text, owner_access: { type: 'integer' }, share: { type: 'array', items: { type: 'object' } }, global_access: { type: 'integer' } } },
  { path: '/chown', method: 'post', summary: 'Changes the owner in perms2.', body: { uuid, owner: text } },
  { path: '/obj-perms', method: 'get', summary: 'What the token may do, with an object or at all.', query: ['uuid'] },
  { path: '/aaa-mode', method: 'get', summary: 'Always rbac: rights come from Kubernetes.', answer: { 'aaa-mode': text } },
  { path: '/set-tag', method: 'post', summary: 'Attaches and detaches tags; further members are types of tags.', body: { obj_type: text, obj_uuid: uuid } },
  { path: '/security-policy-draft', method: 'post', summary: 'Makes pending security changes real, or drops them.', body: { scope_uuid: uuid, action: { type: 'string', enum: ['commit', 'discard'] } } },
  { path: '/virtual-network/{uuid}/ip-alloc', method: 'post', summary: 'Takes addresses without an object.', body: { count: { type: 'integer' }, subnet: uuid, family: { type: 'string', enum: ['v4', 'v6'] } }, answer: { ip_addr: names } },
  { path: '/virtual-network/{uuid}/ip-free', method: 'post', summary: 'Gives them back.', body: { ip_addr: names } },
  { path: '/virtual-network/{uuid}/subnet-ip-count', method: 'post', summary: 'Addresses in use of each subnet.', body: { subnet_list: names }, answer: { ip_count_list: { type: 'array', items: { type: 'integer' } } } },
];

/** Everything that is no object and no list of objects. */
export function actionPaths(): Members {
  const paths: Record<string, Members> = {};
  for (const action of actions) {
    const path = (paths[action.path] ??= {});
    path[action.method] = operation(action);
    if (action.path.includes('{uuid}'))
      path['parameters'] = [{ name: 'uuid', in: 'path', required: true, schema: uuid }];
  }
  return paths;
}

function operation({ path, method, summary, body, query, answer, isPublic }: ActionSpec): Answer {
  return {
    operationId: `${method}_${path.replaceAll(/[^a-z0-9]+/g, '_').replaceAll(/^_|_$/g, '') || 'root'}`,
    tags: ['actions'],
    summary,
    ...(isPublic === true ? { security: [] } : {}),
    ...(query === undefined ? {} : { parameters: query.map((name) => ({ name, in: 'query', schema: text })) }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: { type: 'object', properties: body } } } } }),
    responses: {
      200: {
        description: 'Done.',
        content: { 'application/json': { schema: { type: 'object', ...(answer === undefined ? {} : { properties: answer }) } } },
      },
    },
  };
}
