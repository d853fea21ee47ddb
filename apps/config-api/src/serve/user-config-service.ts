import { ContrailError } from '@contrail/errors';
import { defineService, encodedUnary, serverStream, unary } from '@contrail/rpc';
import type { CallContext, ServiceSpec } from '@contrail/rpc';
import { ConfigServiceService } from '@contrail/proto-gen/config/v1/config_service';
import type { Operation } from '@contrail/proto-gen/config/v1/messages';
import { restPlural, typeNames } from '@contrail/resource-model';
import type { StoredObject } from '@contrail/store';
import { auditUser } from '../audit/audit-changes';
import type { Access, User } from '../rest/auth/kubernetes-access';
import type { TransactionOutcome, Transactor } from '../transact/transactor';
import { authorizeChanges } from './authorize-changes';
import type { ChangeRights } from './authorize-changes';
import { listResponse, resourceResponse } from './encoded-responses';
import { measured } from './metrics';
import { changedResponse, outcomesResponse } from './outcome-responses';
import { getResource, listResources } from './read';
import { serveWatch } from './watch-stream';

export interface UserConfigOptions extends ChangeRights {
  readonly transactor: Transactor;
  readonly access: Access;
}

/**
 * ConfigService for users: a Kubernetes token takes the place of the certificate, and every object needs the
 * rights that it needs over REST. What only services do is refused.
 */
export function userConfigService(options: UserConfigOptions): ServiceSpec {
  const { store, authorizer } = options;
  const transact = async (context: CallContext, operations: Operation[]): Promise<TransactionOutcome> => {
    const user = await userOf(options.access, context);
    const outcome = await options.transactor.run(operations, context.traceparent, {
      authorize: (changes) => authorizeChanges(options, user, changes),
    });
    auditUser(user.username, operations, outcome);
    return outcome;
  };
  const change = (context: CallContext, kind: Operation['kind']): Promise<TransactionOutcome> =>
    transact(context, [{ kind }]);
  return defineService(ConfigServiceService, {
    get: {
      allow: 'any',
      handle: encodedUnary((request, context) =>
        measured('Get', async () => {
          const user = await userOf(options.access, context);
          const object = await getResource(store, request);
          await authorizer.check(user, 'get', object.resource);
          return resourceResponse(object.encoded);
        }),
      ),
    },
    list: {
      allow: 'any',
      handle: encodedUnary((request, context) =>
        measured('List', async () => {
          const user = await userOf(options.access, context);
          const { objects, next } = await listResources(store, request);
          const visible: StoredObject[] = [];
          for (const object of objects)
            if (await authorizer.may(user, 'list', object.resource)) visible.push(object);
          return listResponse(visible, next);
        }),
      ),
    },
    create: {
      allow: 'any',
      handle: encodedUnary((value, context) =>
        measured('Create', async () => changedResponse(await change(context, { $case: 'create', value }))),
      ),
    },
    update: {
      allow: 'any',
      handle: encodedUnary((value, context) =>
        measured('Update', async () => changedResponse(await change(context, { $case: 'update', value }))),
      ),
    },
    delete: {
      allow: 'any',
      handle: unary((value, context) =>
        measured('Delete', async () => {
          await change(context, { $case: 'delete', value });
          return {};
        }),
      ),
    },
    transact: {
      allow: 'any',
      handle: encodedUnary((request, context) =>
        measured('Transact', async () => outcomesResponse(await transact(context, request.operations))),
      ),
    },
    watch: {
      allow: 'any',
      handle: serverStream(async (request, stream) => {
        const user = await userOf(options.access, stream);
        const types = request.types.length === 0 ? typeNames : request.types;
        for (const type of types) await authorizer.checkCluster(user, 'list', pluralOf(type));
        await serveWatch(store, request, stream);
      }),
    },
    allot: { allow: 'any', handle: unary(() => forServices('Allot')) },
    reportProgress: { allow: 'any', handle: unary(() => forServices('ReportProgress')) },
    reportConflicts: { allow: 'any', handle: unary(() => forServices('ReportConflicts')) },
    getProgress: {
      allow: 'any',
      handle: unary((_, context) =>
        measured('GetProgress', async () => {
          const user = await userOf(options.access, context);
          await authorizer.checkCluster(user, 'list', restPlural('virtual-router'));
          const [nodes, revision] = await Promise.all([store.progress(), store.revision()]);
          return { nodes, revision };
        }),
      ),
    },
  });
}

function pluralOf(type: string): string {
  const known = typeNames.find((name) => name === type);
  return known === undefined ? type : restPlural(known);
}

/** @throws ContrailError UNAUTHENTICATED, UNAVAILABLE */
async function userOf(access: Access, context: CallContext): Promise<User> {
  const token = context.token();
  const user = token === '' ? undefined : await access.authenticate(token);
  if (user !== undefined) return user;
  throw new ContrailError(
    'UNAUTHENTICATED',
    token === ''
      ? 'token: is missing; send a Kubernetes token as metadata "authorization: Bearer …"'
      : 'token: Kubernetes refuses it; send one that is not expired',
  );
}

function forServices(method: string): Promise<never> {
  return Promise.reject(
    new ContrailError('PERMISSION_DENIED', `${method}: is for services with a certificate; users do not need it`),
  );
}
