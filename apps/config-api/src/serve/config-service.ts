import { ContrailError } from '@contrail/errors';
import { defineService, encodedUnary, serverStream, unary } from '@contrail/rpc';
import type { CallContext, MethodSpec, ServiceSpec } from '@contrail/rpc';
import { ConfigServiceService } from '@contrail/proto-gen/config/v1/config_service';
import type {
  CreateRequest,
  CreateResponse,
  DeleteRequest,
  DeleteResponse,
  NodeProgress,
  Operation,
  ReportProgressRequest,
  TransactRequest,
  TransactResponse,
  UpdateRequest,
  UpdateResponse,
} from '@contrail/proto-gen/config/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import type { Clock } from '@contrail/reconcile';
import { findMessage } from '@contrail/resource-model';
import type { ResourceStore } from '@contrail/store';
import { logger } from '@contrail/telemetry';
import { auditService } from '../audit/audit-changes';
import type { TransactionOutcome, Transactor } from '../transact/transactor';
import { allotIds } from './allot';
import { allotters, conflictReporters, progressReporters, readers, writers } from './callers';
import { listResponse, resourceResponse } from './encoded-responses';
import { measured } from './metrics';
import { changedResponse, outcomesResponse } from './outcome-responses';
import { getResource, listResources } from './read';
import { reportConflicts } from './report-conflicts';
import { serveWatch } from './watch-stream';

export interface ConfigServiceOptions {
  readonly store: ResourceStore;
  readonly transactor: Transactor;
  readonly clock: Clock;
}

interface ChangeMethods {
  readonly create: MethodSpec<CreateRequest, CreateResponse>;
  readonly update: MethodSpec<UpdateRequest, UpdateResponse>;
  readonly delete: MethodSpec<DeleteRequest, DeleteResponse>;
  readonly transact: MethodSpec<TransactRequest, TransactResponse>;
}

const log = logger('config-service');
const progressNodesMax = 10_000;

/** ConfigService: each method with the services that may call it. */
export function configService(options: ConfigServiceOptions): ServiceSpec {
  const { store } = options;
  return defineService(ConfigServiceService, {
    get: {
      allow: readers,
      handle: encodedUnary((request) =>
        measured('Get', async () => resourceResponse((await getResource(store, request)).encoded)),
      ),
    },
    list: {
      allow: readers,
      handle: encodedUnary((request) =>
        measured('List', async () => {
          const { objects, next } = await listResources(store, request);
          return listResponse(objects, next);
        }),
      ),
    },
    ...changeMethods((context, operations) => runTransaction(options, context, operations)),
    watch: {
      allow: readers,
      handle: serverStream((request, stream) => serveWatch(store, request, stream)),
    },
    allot: {
      allow: allotters,
      handle: unary((request) =>
        measured('Allot', async () => ({ ids: await allotIds(store, request) })),
      ),
    },
    reportProgress: {
      allow: progressReporters,
      handle: unary((request) =>
        measured('ReportProgress', async () => {
          await store.reportProgress(stampProgress(request, options.clock));
          return {};
        }),
      ),
    },
    reportConflicts: {
      allow: conflictReporters,
      handle: unary((request) =>
        measured('ReportConflicts', async () => {
          await reportConflicts(options.transactor, request);
          return {};
        }),
      ),
    },
    getProgress: {
      allow: readers,
      handle: unary(() =>
        measured('GetProgress', async () => {
          const [nodes, revision] = await Promise.all([store.progress(), store.revision()]);
          return { nodes, revision };
        }),
      ),
    },
  });
}

/** Methods that change objects; all of them are transactions. */
function changeMethods(
  transact: (context: CallContext, operations: readonly Operation[]) => Promise<TransactionOutcome>,
): ChangeMethods {
  return {
    create: {
      allow: writers,
      handle: encodedUnary((request: CreateRequest, context) =>
        measured('Create', async () =>
          changedResponse(await transact(context, [operation('create', request)])),
        ),
      ),
    },
    update: {
      allow: writers,
      handle: encodedUnary((request: UpdateRequest, context) =>
        measured('Update', async () =>
          changedResponse(await transact(context, [operation('update', request)])),
        ),
      ),
    },
    delete: {
      allow: writers,
      handle: unary((request: DeleteRequest, context) =>
        measured('Delete', async () => {
          await transact(context, [operation('delete', request)]);
          return {};
        }),
      ),
    },
    transact: {
      allow: writers,
      handle: encodedUnary((request: TransactRequest, context) =>
        measured('Transact', async () =>
          outcomesResponse(await transact(context, request.operations)),
        ),
      ),
    },
  };
}

function operation<K extends NonNullable<Operation['kind']>['$case']>(
  $case: K,
  value: Extract<Operation['kind'], { $case: K }>['value'],
): Operation {
  return { kind: { $case, value } as Operation['kind'] };
}

async function runTransaction(
  { store, transactor }: ConfigServiceOptions,
  { caller, traceparent }: CallContext,
  operations: readonly Operation[],
): Promise<TransactionOutcome> {
  const outcome = await transactor.run(operations, traceparent);
  auditService(caller.service, operations, outcome);
  const nodes = outcome.deleted.flatMap(nodeOf);
  if (nodes.length === 0) return outcome;
  // The transaction is done; a left-over report harms nobody and must not make it look failed.
  await store.forgetProgress(nodes).catch((error: unknown) => {
    log.warn('progress of deleted nodes stays', { nodes, error });
  });
  return outcome;
}

/** A node whose VirtualRouter is gone reports no more. */
function nodeOf(resource: Resource): string[] {
  const name = findMessage('virtual-router', resource)?.meta?.fqName.at(-1);
  return name === undefined ? [] : [name];
}

function stampProgress({ nodes }: ReportProgressRequest, clock: Clock): NodeProgress[] {
  if (nodes.length > progressNodesMax) {
    throw new ContrailError(
      'INVALID_ARGUMENT',
      `nodes: has ${nodes.length} entries, but at most ${progressNodesMax} are allowed; send several requests`,
    );
  }
  const unnamed = nodes.findIndex(({ node }) => node === '');
  if (unnamed >= 0)
    throw new ContrailError(
      'INVALID_ARGUMENT',
      `nodes[${unnamed}].node: is empty; write the name of the node`,
    );
  return nodes.map((node) => ({ ...node, reportedAtMs: BigInt(clock.now()) }));
}
