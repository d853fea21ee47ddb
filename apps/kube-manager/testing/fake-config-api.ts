import { ContrailError } from '@contrail/errors';
import type { ErrorCode } from '@contrail/errors';
import { ConfigServiceService } from '@contrail/proto-gen/config/v1/config_service';
import type {
  Change,
  NodeProgress,
  Operation,
  OperationResult,
  TransactRequest,
  WatchRequest,
  WatchResponse,
} from '@contrail/proto-gen/config/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import {
  baseObjects,
  completeResource,
  describe,
  metaOf,
  parentFqName,
  refsOf,
  setMeta,
  typeOf,
  validateResource,
} from '@contrail/resource-model';
import type { ResourceType } from '@contrail/resource-model';
import { defineService, serverStream, startServer, unary } from '@contrail/rpc';
import type { RunningServer, ServerStream, TlsSource } from '@contrail/rpc';

type Objects = Map<string, Resource>;

/**
 * config-api in this process, over gRPC, without TLS unless asked for: the same checks (format, parent, references, names,
 * children, revisions) over a Map. Nothing is durable, nobody is refused.
 */
export class FakeConfigApi {
  objects: Objects = new Map();
  revision = 0n;
  private names = new Map<string, string>();
  progress: NodeProgress[] = [];
  /** Operations of each transaction that was tried, in order. */
  readonly transactions: Operation[][] = [];
  /** The next transactions fail with these codes. */
  failures: ErrorCode[] = [];
  private readonly streams = new Set<{ write: (message: WatchResponse) => void; end: () => void }>();
  private server: RunningServer | undefined;
  private port = 0;

  private constructor(private readonly tls: TlsSource | 'insecure') {}

  static async start(tls: TlsSource | 'insecure' = 'insecure'): Promise<FakeConfigApi> {
    const fake = new FakeConfigApi(tls);
    for (const resource of baseObjects()) fake.put(resource);
    await fake.listen();
    return fake;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Also after `silence`, on the same port. */
  async listen(): Promise<void> {
    this.server = await startServer({
      address: `127.0.0.1:${this.port}`,
      tls: this.tls,
      services: [defineService(ConfigServiceService, this.methods())],
    });
    this.port = this.server.port;
  }

  /** Nobody answers any more; state stays. */
  async silence(): Promise<void> {
    for (const stream of [...this.streams]) stream.end();
    await this.server?.stop(0);
    this.server = undefined;
  }

  /** What a user does. */
  put(resource: Resource): void {
    this.commit([{ kind: { $case: 'upsert', value: { resource } } }]);
  }

  drop(uuid: string): void {
    const key = { uuid, type: '', fqName: [] };
    this.commit([{ kind: { $case: 'delete', value: { key, expectedRevision: 0n } } }]);
  }

  ofType(type: ResourceType): Resource[] {
    return [...this.objects.values()].filter((resource) => typeOf(resource) === type);
  }

  private methods(): Parameters<typeof defineService<typeof ConfigServiceService>>[1] {
    const refused = unary<never, never>(() => Promise.reject(new ContrailError('UNIMPLEMENTED', 'not in the fake')));
    const allow = 'any';
    return {
      get: { allow, handle: refused },
      list: { allow, handle: refused },
      create: { allow, handle: refused },
      update: { allow, handle: refused },
      delete: { allow, handle: refused },
      allot: { allow, handle: refused },
      reportProgress: { allow, handle: refused },
      reportConflicts: { allow, handle: refused },
      getProgress: { allow, handle: unary(() => Promise.resolve({ nodes: this.progress, revision: this.revision })) },
      transact: { allow, handle: unary((request: TransactRequest) => Promise.resolve(this.transact(request))) },
      watch: {
        allow,
        handle: serverStream((request: WatchRequest, stream: ServerStream<WatchResponse>) => this.watch(request, stream)),
      },
    };
  }

  private transact({ operations }: TransactRequest): { revision: bigint; results: OperationResult[] } {
    this.transactions.push(operations);
    const failure = this.failures.shift();
    if (failure !== undefined) throw new ContrailError(failure, 'the test wants it so');
    if (operations.length > 5000) throw new ContrailError('INVALID_ARGUMENT', 'more than 5000 operations');
    return { results: this.commit(operations), revision: this.revision };
  }

  private commit(operations: readonly Operation[]): OperationResult[] {
    const next: Objects = new Map(this.objects);
    const names = new Map(this.names);
    const changes: Change[] = [];
    let revision = this.revision;
    const ordered = [...operations.entries()].sort(([, a], [, b]) => rank(a) - rank(b));
    const results: OperationResult[] = operations.map(() => ({ resource: undefined, changed: false }));
    for (const [index, operation] of ordered) {
      const before = next.get(uuidOf(operation));
      const after = resultOf(operation, before, { objects: next, names });
      if (after === before) {
        results[index] = { resource: before, changed: false };
        continue;
      }
      revision += 1n;
      const uuid = uuidOf(operation);
      const stored = after === undefined ? undefined : setMeta(after, { ...metaOf(after), revision });
      if (before !== undefined) names.delete(nameOf(before));
      if (stored === undefined) next.delete(uuid);
      else {
        next.set(uuid, stored);
        names.set(nameOf(stored), uuid);
      }
      const known = stored ?? before;
      const type = known === undefined ? '' : typeOf(known);
      changes.push({ revision, type, uuid, resource: stored, traceparent: '' });
      results[index] = { resource: stored, changed: true };
    }
    checkTargets(next, changes);
    this.objects = next;
    this.names = names;
    this.revision = revision;
    const token = { epoch: 'fake', revision };
    if (changes.length > 0) for (const stream of this.streams) stream.write({ kind: { $case: 'changes', value: { changes, token } } });
    return results;
  }

  private async watch({ types }: WatchRequest, stream: ServerStream<WatchResponse>): Promise<void> {
    const wanted = new Set(types);
    const ended = new Promise<void>((resolve) => {
      const write = (message: WatchResponse): void => void stream.write(only(wanted, message)).catch(() => undefined);
      const entry = { write, end: resolve };
      const resources = [...this.objects.values()].filter((resource) => wanted.has(typeOf(resource)));
      write({ kind: { $case: 'snapshot', value: { resources } } });
      write({ kind: { $case: 'inSync', value: { token: { epoch: 'fake', revision: this.revision } } } });
      this.streams.add(entry);
      stream.signal.addEventListener('abort', () => {
        this.streams.delete(entry);
        resolve();
      });
    });
    await ended;
  }
}

function only(types: ReadonlySet<string>, message: WatchResponse): WatchResponse {
  if (message.kind?.$case !== 'changes') return message;
  const changes = message.kind.value.changes.filter(({ type }) => types.has(type));
  return { kind: { $case: 'changes', value: { ...message.kind.value, changes } } };
}

/** Deletions first: a name freed in the transaction can be taken in it. */
function rank({ kind }: Operation): number {
  return kind?.$case === 'delete' ? 0 : 1;
}

function uuidOf({ kind }: Operation): string {
  if (kind?.$case === 'delete') return kind.value.key?.uuid ?? '';
  return kind?.value.resource === undefined ? '' : metaOf(kind.value.resource).uuid;
}

interface State {
  readonly objects: Objects;
  /** uuid by type and name. */
  readonly names: ReadonlyMap<string, string>;
}

function nameOf(resource: Resource): string {
  return `${typeOf(resource)}/${metaOf(resource).fqName.join(':')}`;
}

function resultOf({ kind }: Operation, before: Resource | undefined, state: State): Resource | undefined {
  if (kind === undefined || kind.$case === 'create') throw new ContrailError('UNIMPLEMENTED', 'not in the fake');
  if (kind.$case === 'delete') return undefined;
  const { resource } = kind.value;
  if (resource === undefined) throw new ContrailError('INVALID_ARGUMENT', 'no resource');
  if (kind.$case === 'update') {
    if (before === undefined) throw new ContrailError('NOT_FOUND', `${describe(resource)} does not exist`);
    if (metaOf(before).revision !== kind.value.expectedRevision) throw new ContrailError('ABORTED', 'the revision moved');
  }
  const complete = withParent(completeResource(resource), state);
  const problems = validateResource(complete);
  if (problems.length > 0) throw new ContrailError('INVALID_ARGUMENT', problems.join('\n'));
  const holder = state.names.get(nameOf(complete));
  if (holder !== undefined && holder !== metaOf(complete).uuid) {
    throw new ContrailError('ALREADY_EXISTS', `${nameOf(complete)} has uuid ${holder}`);
  }
  return complete;
}

function withParent(resource: Resource, { names }: State): Resource {
  const meta = metaOf(resource);
  if (meta.parentType === '' || meta.parentUuid !== '') return resource;
  const parentName = parentFqName(typeOf(resource), meta.parentType as ResourceType, meta.fqName);
  const parentUuid = names.get(`${meta.parentType}/${parentName.join(':')}`) ?? 'missing';
  return setMeta(resource, { ...meta, parentUuid });
}

/** What was written needs its targets; what was deleted must not be one. */
function checkTargets(objects: Objects, changes: readonly Change[]): void {
  const anyDeleted = changes.some(({ resource }) => resource === undefined);
  const suspects = anyDeleted ? [...objects.values()] : changes.flatMap(({ resource }) => resource ?? []);
  for (const resource of suspects) {
    const { parentUuid } = metaOf(resource);
    if (parentUuid !== '' && !objects.has(parentUuid)) {
      throw new ContrailError('FAILED_PRECONDITION', `${describe(resource)}: parent ${parentUuid} does not exist or would go`);
    }
    for (const { uuid, type } of refsOf(resource)) {
      // config-api makes the policy set of a project in the same step; nothing here needs it.
      if (type === 'application-policy-set') continue;
      if (!objects.has(uuid)) throw new ContrailError('FAILED_PRECONDITION', `${describe(resource)}: ${type} ${uuid} is absent`);
    }
  }
}
