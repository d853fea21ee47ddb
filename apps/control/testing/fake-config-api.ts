import { ContrailError } from '@contrail/errors';
import { ConfigServiceService } from '@contrail/proto-gen/config/v1/config_service';
import type { AllotRequest, NodeProgress, ObjectConflict, WatchRequest, WatchResponse } from '@contrail/proto-gen/config/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { metaOf, routeConflictKey, setMeta, typeOf } from '@contrail/resource-model';
import { defineService, serverStream, startServer, unary } from '@contrail/rpc';
import type { MethodSpec, RunningServer, ServerStream, ServiceSpec, TlsSource } from '@contrail/rpc';
import { TestIds } from './settle';

type Push = (message: WatchResponse) => void;

/** A config-api in memory with what control uses of it: Watch, Allot, ReportProgress and GetProgress. */
export class FakeConfigApi {
  readonly ids = new TestIds();
  readonly progress = new Map<string, NodeProgress>();
  /** Conflicts of each ReportConflicts call. */
  readonly conflictReports: ObjectConflict[][] = [];
  /** Keys of each Allot call. */
  readonly allotments: number[] = [];
  /** Watches that were opened, with what they resumed. */
  readonly watches: WatchRequest[] = [];
  allotsFail = false;
  #epoch = 'epoch-1';
  #revision = 1n;
  readonly #objects = new Map<string, Resource>();
  readonly #watchers = new Map<Push, ServerStream<WatchResponse>>();
  #server: RunningServer | undefined;
  #ends: (() => void)[] = [];

  get revision(): bigint {
    return this.#revision;
  }

  async listen(address: string, tls: TlsSource | 'insecure'): Promise<number> {
    this.#server = await startServer({ address, tls, services: [this.#service()] });
    return this.#server.port;
  }

  async stop(): Promise<void> {
    this.endWatches();
    await this.#server?.stop(100);
  }

  /** Creates or replaces objects and deletes others, in one change. @returns its revision. */
  transact(put: readonly Resource[], options: { deletions?: readonly Resource[]; traceparent?: string } = {}): bigint {
    this.#revision += 1n;
    const { deletions = [], traceparent = '' } = options;
    const revision = this.#revision;
    const name = (resource: Resource): { type: string; uuid: string } => ({
      type: typeOf(resource),
      uuid: metaOf(resource).uuid,
    });
    for (const resource of put) this.#objects.set(metaOf(resource).uuid, resource);
    for (const resource of deletions) this.#objects.delete(metaOf(resource).uuid);
    const changes = [
      ...put.map((resource) => ({ ...name(resource), resource, revision, traceparent })),
      ...deletions.map((resource) => ({ ...name(resource), resource: undefined, revision, traceparent })),
    ];
    const token = { epoch: this.#epoch, revision };
    this.#broadcast({ kind: { $case: 'changes', value: { changes, token } } });
    return revision;
  }

  /** As a restored store: a new epoch at an older revision; every watcher must begin again. */
  restore(epoch: string, revision: bigint): void {
    this.#epoch = epoch;
    this.#revision = revision;
    this.#broadcast({ kind: { $case: 'resync', value: { reason: 'the epoch changed' } } });
  }

  /** Changes the state without telling the watchers, as if a stream had lost it. */
  forget(resource: Resource): void {
    this.#objects.delete(metaOf(resource).uuid);
  }

  /** Breaks every watch. */
  endWatches(): void {
    for (const end of this.#ends.splice(0)) end();
  }

  #broadcast(message: WatchResponse): void {
    for (const push of this.#watchers.keys()) push(message);
  }

  #service(): ServiceSpec {
    return defineService(ConfigServiceService, {
      ...{ get: refused(), list: refused(), create: refused(), update: refused(), delete: refused() },
      transact: refused(),
      watch: { allow: 'any', handle: serverStream((request, stream) => this.#watch(request, stream)) },
      allot: { allow: 'any', handle: unary((request) => this.#allot(request)) },
      getProgress: {
        allow: 'any',
        handle: unary(() => Promise.resolve({ nodes: [...this.progress.values()], revision: this.#revision })),
      },
      reportProgress: {
        allow: 'any',
        handle: unary(({ nodes }) => {
          for (const node of nodes) this.progress.set(node.node, node);
          return Promise.resolve({});
        }),
      },
      reportConflicts: { allow: 'any', handle: unary(({ conflicts }) => Promise.resolve(this.#annotate(conflicts))) },
    });
  }

  async #watch(request: WatchRequest, stream: ServerStream<WatchResponse>): Promise<void> {
    this.watches.push(request);
    const token = { epoch: this.#epoch, revision: this.#revision };
    let queue: Promise<unknown> = Promise.resolve();
    const push: Push = (message) => {
      queue = queue.then(() => stream.write(message)).catch(() => undefined);
    };
    const resumed = request.resume?.epoch === this.#epoch && request.resume.revision === this.#revision;
    if (request.resume !== undefined && !resumed) {
      push({ kind: { $case: 'resync', value: { reason: 'the position is not in the log' } } });
      await queue;
      return;
    }
    if (!resumed) {
      const resources = [...this.#objects.values()].filter((object) => request.types.includes(typeOf(object)));
      for (let i = 0; i < resources.length; i += 500) {
        push({ kind: { $case: 'snapshot', value: { resources: resources.slice(i, i + 500) } } });
      }
    }
    push({ kind: { $case: 'inSync', value: { token } } });
    this.#watchers.set(push, stream);
    await new Promise<void>((resolve) => {
      this.#ends.push(resolve);
      stream.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    this.#watchers.delete(push);
    await queue;
  }

  #annotate(conflicts: readonly ObjectConflict[]): Record<string, never> {
    this.conflictReports.push([...conflicts]);
    for (const { uuid, text } of conflicts) {
      const resource = this.#objects.get(uuid);
      if (resource === undefined) continue;
      const others = Object.entries(metaOf(resource).annotations).filter(([key]) => key !== routeConflictKey);
      const annotations = Object.fromEntries(text === '' ? others : [...others, [routeConflictKey, text]]);
      this.transact([setMeta(resource, { ...metaOf(resource), annotations })]);
    }
    return {};
  }

  async #allot({ kind, keys }: AllotRequest): Promise<{ ids: number[] }> {
    if (this.allotsFail) throw new ContrailError('UNAVAILABLE', 'the store is away');
    this.allotments.push(keys.length);
    return { ids: keys.map((key) => this.ids.allot(String(kind), key)) };
  }
}

function refused<I, O>(): MethodSpec<I, O> {
  const error = (): ContrailError => new ContrailError('UNIMPLEMENTED', 'the fake config-api has no such method');
  return { allow: 'any', handle: unary(() => Promise.reject(error())) };
}
