import type { Answer } from '../wire/json';
import { allRestTypes } from '../wire/rest-types';
import { actionPaths } from './action-paths';
import { listParameters, readParameters } from './parameters';
import { structureSchemas, typeSchema } from './schemas';
import type { RestType } from '../wire/rest-types';

type Members = Record<string, Answer>;

let document: Answer | undefined;

/** OpenAPI 3.1 of everything that is served, made from the table; made once. */
export function openApiDocument(): Answer {
  document ??= {
    openapi: '3.1.0',
    info: {
      title: 'Contrail configuration API',
      version: 'R21',
      summary: 'The VNC REST API of the resource model.',
      description:
        'Answers are 200 (202 in draft mode), errors are plain text. Unknown members of an object are ignored, unknown members of its parts are refused.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }, { token: [] }],
    paths: { ...actionPaths(), ...typePaths() },
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'A Kubernetes token.' },
        token: { type: 'apiKey', in: 'header', name: 'X-AUTH-TOKEN' },
      },
      responses: errorResponses(),
      schemas: {
        ...structureSchemas(),
        ...Object.fromEntries(allRestTypes().map((type) => [type.name, typeSchema(type)])),
      },
    },
  };
  return document;
}

function typePaths(): Members {
  const paths: Members = {};
  for (const type of allRestTypes()) {
    paths[`/${type.plural}`] = collectionPath(type);
    paths[`/${type.name}/{uuid}`] = objectPath(type);
  }
  return paths;
}

function collectionPath(type: RestType): Answer {
  const { name, plural } = type;
  return {
    get: {
      operationId: `list_${plural}`,
      tags: [name],
      summary: `List objects of type ${name}.`,
      parameters: listParameters,
      responses: {
        200: jsonContent({
          oneOf: [
            { type: 'object', properties: { [plural]: { type: 'array', items: { type: 'object' } } } },
            {
              type: 'object',
              properties: {
                [plural]: { type: 'object', properties: { count: { type: 'integer' } } },
              },
            },
          ],
        }),
        ...errors('400', '401', '404'),
      },
    },
    post: {
      operationId: `create_${name}`,
      tags: [name],
      summary: type.spec.doc,
      requestBody: { required: true, content: { 'application/json': { schema: wrapped(name) } } },
      responses: { 200: jsonContent(wrapped(name)), ...errors('400', '401', '403', '409', '413') },
    },
  };
}

function objectPath({ name }: RestType): Answer {
  const uuid: Answer = {
    name: 'uuid',
    in: 'path',
    required: true,
    schema: { type: 'string', format: 'uuid' },
  };
  return {
    parameters: [uuid],
    get: {
      operationId: `read_${name}`,
      tags: [name],
      parameters: readParameters,
      responses: { 200: jsonContent(wrapped(name)), ...errors('401', '403', '404') },
    },
    put: {
      operationId: `update_${name}`,
      tags: [name],
      summary: 'Replaces what the body mentions; null removes.',
      requestBody: { required: true, content: { 'application/json': { schema: wrapped(name) } } },
      responses: { 200: jsonContent(wrapped(name)), ...errors('400', '401', '403', '404', '409') },
    },
    delete: {
      operationId: `delete_${name}`,
      tags: [name],
      responses: { 200: { description: 'Deleted.' }, ...errors('401', '403', '404', '409') },
    },
  };
}

function wrapped(name: string): Answer {
  return {
    type: 'object',
    required: [name],
    properties: { [name]: { $ref: `#/components/schemas/${name}` } },
  };
}

function jsonContent(schema: Answer): Answer {
  return { description: 'Done.', content: { 'application/json': { schema } } };
}

const errorTexts: Readonly<Record<string, string>> = {
  400: 'The request is wrong; the text names field, value and what it must be.',
  401: 'No token, or Kubernetes refuses it.',
  403: 'The user may not do this, or only the server sets the field.',
  404: 'There is no such object.',
  409: 'The name, the uuid or the address is taken, or others still depend on the object.',
  413: 'The body is longer than 1 024 000 bytes.',
  503: 'The store, ipam or Kubernetes cannot be reached; try again.',
};

function errorResponses(): Members {
  return Object.fromEntries(
    Object.entries(errorTexts).map(([status, description]) => [
      `Error${status}`,
      { description, content: { 'text/plain': { schema: { type: 'string' } } } },
    ]),
  );
}

function errors(...statuses: readonly string[]): Members {
  return Object.fromEntries(
    [...statuses, '503'].map((status) => [status, { $ref: `#/components/responses/Error${status}` }]),
  );
}
